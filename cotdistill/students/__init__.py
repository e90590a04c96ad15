"""Which weights learn: one module, one student kind.

A student is a frozen dataclass whose fields are its options. torch is imported inside its methods.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Student(Protocol):
    """A student kind with its options bound."""

    @property
    def model(self) -> str:
        """Hub name, folder or config that the student starts from."""
        ...

    def base(self, folder: Path, /, *, seed: int) -> str:
        """Return the hub name or folder of the untrained student, making it in `folder` where it must be made."""
        ...

    def load(self, base: str, /) -> "PreTrainedModel":
        """Return the model with just the weights that learn set to require gradients."""
        ...
