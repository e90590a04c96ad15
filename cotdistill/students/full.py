"""Full fine-tuning: every weight of a causal language model learns."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cotdistill.errors import RecipeFault
from cotdistill.registry import kind
from cotdistill.stage import Progress, no_progress
from cotdistill.storage.keys import key_of
from cotdistill.students import NewToken
from cotdistill.students._causal import Causal
from cotdistill.students._pretrained import Pretrained, check_model, deepspeed_dtype, is_path
from cotdistill.students._row_bounds import check_folder

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


@kind
@dataclass(frozen=True, kw_only=True)
class Full(Pretrained, Causal):
    """All weights of a causal language model.

    Options:
        model: hub name, or folder as `save_pretrained` writes it; with `init: random` its tokenizer is enough.
        init: `pretrained`, or `random` weights drawn from the seed, to try a recipe or to train from scratch.
        config: architecture for `init: random`: `model_type` (default qwen2) and its sizes, as in config.json;
            what is not named comes from the model's own config.json, where there is one.
    """

    init: Literal["pretrained", "random"] = "pretrained"
    config: Mapping[str, Any] | None = None  # Any: values of a config.json

    def check(self) -> None:
        """Return if the model's folder is there, with all that is asked of it, and its options go together.

        Raises: UserError.
        """
        if self.init == "pretrained" and self.config:
            raise RecipeFault("is for `init: random`; pretrained weights have their own", "student.config")
        check_model(self, has_weights=self.init == "pretrained")

    def check_end_to_end(self) -> None:
        """Return unless the config in the model's folder says that rows must be padded. Raises: NeedsPadding."""
        if self.init == "pretrained":
            check_folder(self.model)

    def base(self, folder: Path, /, *, seed: int, progress: Progress = no_progress) -> str:  # noqa: ARG002
        """Return the model's name or folder; random weights are made once, in a folder of their own in `folder`.

        Raises: UserError where the model is a folder that does not exist, or the config makes no model.
        """
        self.check()
        if self.init == "pretrained":
            return self.fetch()
        target = folder / f"full-{key_of([self.model, self.revision, self.config, seed])[:12]}"
        if not target.exists():
            self._make(target, seed=seed)
        return str(target)

    def load(self, base: str, /, *, new_tokens: Sequence[NewToken] = ()) -> "PreTrainedModel":
        """Return the model; in float32, or as DeepSpeed will hold it where it is at work."""
        import torch
        from transformers import AutoModelForCausalLM

        from cotdistill.students._new_tokens import add_rows

        # DeepSpeed keeps float32 copies of its own; others train these.
        dtype = deepspeed_dtype() or torch.float32
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, **self.origin.arguments)
        add_rows(model, new_tokens)
        return model

    def _make(self, target: Path, *, seed: int) -> None:
        """Write a model with random weights to `target`, whole or not at all."""
        import torch
        import transformers
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            source = self.fetch()
            tokenizer = AutoTokenizer.from_pretrained(source, **self.origin.arguments)
        except (OSError, ValueError) as error:
            first_line = str(error).strip().partition("\n")[0]
            hint = "without a network name a folder that holds it: --set student.model=FOLDER"
            raise RecipeFault(f"no tokenizer in {self.model}: {first_line}", "student.model", hint) from None
        config = self._configured(source, tokenizer)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = AutoModelForCausalLM.from_config(config)
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        transformers.logging.disable_progress_bar()
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        partial.rename(target)
        log.info("made a student of %.2f M random weights in %s", model.num_parameters() / 1e6, target)

    def _configured(self, source: str, tokenizer: "PreTrainedTokenizerBase") -> "PretrainedConfig":
        """Return the architecture, with a row of the embedding for every token."""
        from transformers import AutoConfig, PretrainedConfig

        own: Mapping[str, Any] = {}  # Any: values of a config.json
        if _has_config(source):
            own, _ = PretrainedConfig.get_config_dict(source, revision=self.revision)
        values = {"model_type": "qwen2", **own, **(self.config or {})}
        values |= {
            "vocab_size": max(len(tokenizer), values.get("vocab_size", 0)),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        try:
            return AutoConfig.for_model(**values)
        except (TypeError, ValueError) as error:
            first_line = str(error).strip().partition("\n")[0]
            raise RecipeFault(f"makes no model: {first_line}", "student.config") from None


def _has_config(model: str) -> bool:
    return not is_path(model) or (Path(model) / "config.json").exists()
