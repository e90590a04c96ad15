"""A `cotdistill-cli sample` of its own process, asking a server of this one, in a folder that is written for it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.patience import HANGS_S

Json = dict[str, Any]


@dataclass
class SamplingRun:
    """One recipe with as many problems as asked; started as often as a test likes."""

    folder: Path
    base_url: str
    prompts: int
    concurrency: int = 3
    teacher: Json = field(default_factory=dict)
    """Further options of the teacher."""
    sample: Json = field(default_factory=dict)
    """Further options of the stage."""
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        problems = [{"id": f"p{n}", "question": self.prompt(n), "gold": "72"} for n in range(self.prompts)]
        (self.folder / "p.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
        self.write_recipe()

    def write_recipe(self, **teacher: object) -> None:
        """Write the recipe, with these options of the teacher changed for good."""
        self.teacher = {**self.teacher, **teacher}
        recipe = {
            "name": "r",
            "problems": {"dataset": "p.jsonl"},
            "teacher": {"kind": "endpoint", "base_url": self.base_url, "model": "r1", **self.teacher},
            "sample": {"concurrency": self.concurrency, "max_failed": 1, **self.sample},
        }
        (self.folder / "r.yaml").write_text(json.dumps(recipe, indent=1) + "\n")

    def prompt(self, number: int) -> str:
        """The text of a problem, as the server will see it."""
        return f"Question {number}: how many clips?"

    @property
    def all_prompts(self) -> list[str]:
        """Every problem's text, in order."""
        return [self.prompt(number) for number in range(self.prompts)]

    def command(self, *arguments: str) -> list[str]:
        """What is run."""
        return [sys.executable, "-m", "cotdistill", "sample", "r.yaml", *arguments]

    def start(self, *arguments: str, before: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
        """Start the command; `before` runs in the child first: it may set limits and must take no lock."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,  # noqa: PLW1509  # no other way gives a limit to the child alone
        )

    def run(self, *arguments: str, before: Callable[[], None] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        process = self.start(*arguments, before=before)
        out, err = process.communicate(timeout=HANGS_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @property
    def stage(self) -> Path:
        """Folder of the stage."""
        return self.folder / "runs" / "r" / "1-sample"

    @property
    def log(self) -> str:
        """What the run has said so far."""
        file = self.folder / "runs" / "r" / "run.log"
        return file.read_text() if file.exists() else ""

    def records(self) -> list[Json]:
        """The whole records of the ledger, duplicates included, in the order they were stored."""
        file = self.stage / "completions.jsonl"
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        return [json.loads(line) for line in lines]

    def stored(self) -> list[str]:
        """Texts of the problems whose answer is stored, in order of the problems."""
        numbers = [int(record["problem_id"].removeprefix("p")) for record in self.records()]
        return [self.prompt(number) for number in sorted(numbers)]

    def rows(self, name: str = "rows.jsonl") -> list[Json]:
        """What the stage wrote."""
        file = self.stage / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
