"""A tiny encoder-decoder: 0.86 M parameters, taught to read and to add, asked behind `solve: `."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cotdistill.demo.t5 import make_t5_base
from cotdistill.registry import kind
from cotdistill.stage import Progress, no_progress
from cotdistill.students._encoder_decoder import EncoderDecoder


@kind
@dataclass(frozen=True, kw_only=True)
class DemoT5(EncoderDecoder):
    """A T5 of 0.86 M parameters that can tell who a story is about, and add, and may learn word problems of one sum.

    Options:
        base_steps: steps of teaching it to read and to add; 0 leaves its weights random.
    """

    base_steps: Annotated[int, Field(ge=0)] = 400

    def check(self) -> None:
        """Return: it is made of nothing that could be missing."""

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:
        """Make the untrained student in `folder`, unless it stands there, and return the folder."""
        shown = no_progress if folder.exists() else progress
        with shown("pre-training the demo student", total=self.base_steps, unit="steps") as advance:
            make_t5_base(folder, seed=seed, steps=self.base_steps, on_step=advance)
        return str(folder)
