"""Models that read a text and write another: T5 and its family."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cotdistill.errors import RecipeFault
from cotdistill.registry import kind, make
from cotdistill.stage import Progress, no_progress
from cotdistill.students import Collator, NeedsPadding, NewToken
from cotdistill.students._pretrained import Pretrained, check_model, deepspeed_dtype

if TYPE_CHECKING:
    from transformers import PreTrainedModel, Trainer

READS_APART = "an encoder-decoder reads each text by itself"


@kind
@dataclass(frozen=True, kw_only=True)
class Seq2seq(Pretrained):
    """All weights of an encoder-decoder of the T5 family: it reads the prompt and writes the answer, without a chat.

    Options:
        model: hub name, or folder as `save_pretrained` writes it, as google/flan-t5-base.
        revision: branch, tag or commit of the hub's repository; default: the newest of its main branch.
        trust_remote_code: whether Python code that comes with the model may run: from a folder, or at a `revision`
            that is a whole commit.
    """

    def check(self) -> None:
        """Return if the model's folder is there and holds an encoder-decoder.

        Raises: UserError.
        """
        check_model(self.model, self.origin, is_pair=True)

    def check_end_to_end(self) -> None:
        """Raise NeedsPadding."""
        raise NeedsPadding(READS_APART)

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:  # noqa: ARG002
        """Return the model's name or folder. Raises: UserError."""
        self.check()
        return self.model

    def load(self, base: str, /, *, new_tokens: Sequence[NewToken] = ()) -> "PreTrainedModel":
        """Return the model; in float32, or as DeepSpeed will hold it where it is at work.

        Raises: UserError where the decoder begins with another token than T5's.
        """
        import torch
        from transformers import AutoModelForSeq2SeqLM

        from cotdistill.students._new_tokens import add_rows

        dtype = deepspeed_dtype() or torch.float32
        model: PreTrainedModel = AutoModelForSeq2SeqLM.from_pretrained(base, dtype=dtype, **self.origin.arguments)
        if model.config.decoder_start_token_id != model.config.pad_token_id:
            raise RecipeFault(f"{base} is not of the T5 family: its answers do not begin with padding", "student.model")
        add_rows(model, new_tokens)
        return model

    def trainer_class(self) -> "type[Trainer]":
        """Return transformers' own trainer."""
        from transformers import Trainer

        trainer: type[Trainer] = Trainer
        return trainer

    def collator(self, pad_id: int, /) -> Collator:
        """Return what takes rows apart into text and answer."""
        from cotdistill.students._pairs import PairCollator

        return PairCollator(pad_id)

    def end_to_end_collator(self, model: "PreTrainedModel", /) -> Collator:  # noqa: ARG002
        """Raise NeedsPadding."""
        raise NeedsPadding(READS_APART)

    def finish(self, folder: Path, /) -> None:
        """Return: what the trainer saved is the student."""

    def sampler(self, checkpoint: str, /, *, batch_size: int) -> Any:  # Any: a samplers.Sampler
        """Return the sampler that loads the weights on this machine."""
        return make("samplers", "local", model=checkpoint, batch_size=batch_size, **self.origin._asdict())
