"""Models that read a text and write another: T5 and its family."""

from dataclasses import dataclass
from pathlib import Path

from cotdistill.registry import kind
from cotdistill.stage import Progress, no_progress
from cotdistill.students._encoder_decoder import EncoderDecoder
from cotdistill.students._pretrained import Pretrained, check_model


@kind
@dataclass(frozen=True, kw_only=True)
class Seq2seq(Pretrained, EncoderDecoder):
    """All weights of an encoder-decoder of the T5 family: it reads the prompt and writes the answer, without a chat.

    Options:
        model: hub name, or folder as `save_pretrained` writes it, as google/flan-t5-base.
    """

    def check(self) -> None:
        """Return if the model's folder is there and holds an encoder-decoder.

        Raises: UserError.
        """
        check_model(self, is_pair=True)

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:  # noqa: ARG002
        """Return the model's name or folder. Raises: UserError."""
        self.check()
        return self.fetch()
