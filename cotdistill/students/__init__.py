"""Which weights learn: one module, one student kind.

A student is a frozen dataclass whose fields are its options. torch is imported inside its methods.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cotdistill.stage import Progress, no_progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Student(Protocol):
    """A student kind with its options bound."""

    def check(self) -> None:
        """Return if what can be known before a run is well. Raises: UserError."""
        ...

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:
        """Return the hub name or folder of the untrained student, making it in `folder` where it must be made."""
        ...

    def load(self, base: str, /) -> "PreTrainedModel":
        """Return the model with just the weights that learn set to require gradients."""
        ...
