"""Words that open an aside in an answer, and words that close it: the rows of `cues.toml`.

Collected from tutoring answers, where English is most frequent; MGSM's languages have a check, an example, a practice.
"""

import tomllib
from pathlib import Path
from typing import Literal

CueKind = Literal["practice", "question", "check", "example", "final", "answer", "conclude", "step", "next", "praise"]

with Path(__file__).with_name("cues.toml").open("rb") as _file:
    CUES: list[tuple[CueKind, str, str]] = tomllib.load(_file)["cues"]
"""(kind, first words, what must follow them as a regular expression); the first row that fits decides."""
