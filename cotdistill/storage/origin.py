"""Which files of a model are read, and whether Python code among them may run.

A branch can change between two starts: code that comes with a model runs only where a commit says which code it is.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill.errors import UserError

PINNED = re.compile(r"[0-9a-f]{40}")
"""A commit's whole name."""
WITH_CODE = ("config.json", "tokenizer_config.json")
"""Files of a model that name its classes, under `auto_map`; `owner/name--module.Class` is one of another repository."""


class Origin(NamedTuple):
    """What of a model's repository is read."""

    revision: str | None = None
    """Branch, tag or commit; None: the newest of the main branch."""
    trust_remote_code: bool = False
    """Whether code among the files may run."""

    @property
    def is_pinned(self) -> bool:
        """Whether it is one commit for ever."""
        return self.revision is not None and PINNED.fullmatch(self.revision) is not None

    @property
    def arguments(self) -> dict[str, Any]:  # Any: arguments of from_pretrained
        """Arguments of `from_pretrained` of transformers' Auto classes; code of another repository is not found."""
        trusts = {"trust_remote_code": self.trust_remote_code}
        return (
            trusts if self.revision is None else {**trusts, "revision": self.revision, "code_revision": self.revision}
        )

    def named(self, model: str) -> str:
        """Return what tells a model of a hub from others."""
        return model if self.revision is None else f"{model}@{self.revision}"

    def check_revision(self, model: str) -> None:
        """Return unless a folder that is whole is to have a revision. Raises: UserError."""
        if self.revision is not None and not _has_files_elsewhere(model):
            raise UserError(f"{model} is a folder, which has no revisions", hint="remove `revision`")

    def check_code(self, model: str) -> None:
        """Return unless a model's code may run and nothing says which it is. Raises: UserError."""
        if self.trust_remote_code and not self.is_pinned and _has_files_elsewhere(model):
            raise UserError(
                f"the code of {model} runs only at a pinned revision",
                hint="add `revision:` with all 40 digits of a commit that you have read, or name a folder",
            )


def _has_files_elsewhere(model: str) -> bool:
    """Return whether files of a model, or the code that they name, come from a hub."""
    return not Path(model).is_dir() or _has_code_elsewhere(Path(model))


def _has_code_elsewhere(folder: Path) -> bool:
    """Return whether a folder's files name classes of a repository on a hub."""
    for name in WITH_CODE:
        try:
            config = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a missing or broken file is named by those who need it
        if isinstance(config, dict) and "--" in json.dumps(config.get("auto_map")):
            return True
    return False
