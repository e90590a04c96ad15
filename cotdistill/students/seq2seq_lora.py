"""LoRA on models that read a text and write another: T5 and its family."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cotdistill.errors import RecipeFault
from cotdistill.registry import kind
from cotdistill.stage import Progress, no_progress
from cotdistill.students import NewToken
from cotdistill.students._encoder_decoder import EncoderDecoder
from cotdistill.students._low_rank import LowRank
from cotdistill.students._pretrained import check_model, check_package

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@kind
@dataclass(frozen=True, kw_only=True)
class Seq2seqLora(LowRank, EncoderDecoder):
    """Low-rank matrices beside the frozen weights of an encoder-decoder of the T5 family."""

    peft_task: ClassVar[str] = "SEQ_2_SEQ_LM"

    def check(self) -> None:
        """Return if the model's folder is there and holds an encoder-decoder, and peft is installed.

        Raises: UserError.
        """
        check_model(self, is_pair=True)
        check_package("peft", "seq2seq_lora")

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:  # noqa: ARG002
        """Return the model's name or folder. Raises: UserError."""
        self.check()
        return self.fetch()

    def load(self, base: str, /, *, new_tokens: Sequence[NewToken] = ()) -> "PreTrainedModel":
        """Return the model with matrices that add nothing yet.

        Raises: UserError where no layer has such a name, or there are new tokens: encoder and decoder hold the
            embeddings together, and an adapter would keep those of one.
        """
        if new_tokens:
            text = "an adapter of an encoder-decoder learns no new tokens"
            raise RecipeFault(text, "train.new_special_tokens", "`student: {kind: seq2seq}` does")
        return self.beside(super().load(base), whole=frozenset())
