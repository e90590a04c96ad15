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
    """Low-rank matrices beside the frozen weights of an encoder-decoder of the T5 family.

    Options:
        model: hub name, or folder as `save_pretrained` writes it.
        lora_rank: rank of the matrices; 8 as in LLaMA-Factory.
        lora_alpha: what they add counts lora_alpha / lora_rank times; default: twice the rank, as in LLaMA-Factory.
        lora_dropout: share of their inputs that is left out at random in training.
        lora_target: linear layers that get them, by the end of their names, as `q_proj,v_proj`; `all`: every one but
            the output head.
        additional_target: layers that learn whole and are kept with the adapter, as `embed_tokens,lm_head`; they are
            held in float32, and with them all weights. peft's name for it is modules_to_save.
        use_rslora: scale by the root of the rank instead, for high ranks (Kalajdzievski 2023).
        use_dora: learn the length of each weight vector apart from its direction (Liu et al. 2024); slower.
        merge: add what was learned to the weights at the end: the checkpoint is then an ordinary model, and the
            adapter stands in its folder `adapter/`; false: the checkpoint is the adapter alone.
        hub: where a name is looked for: `huggingface` (or its mirror in HF_ENDPOINT), `modelscope`, `openmind`, or
            `auto`: Hugging Face, and ModelScope where that cannot be reached.
        revision: branch, tag or commit of the hub's repository; default: the newest of its main branch.
        trust_remote_code: whether Python code that comes with the model may run: from a folder, or at a `revision`
            that is a whole commit.
    """

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
