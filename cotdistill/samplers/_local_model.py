"""A model on this machine: its prompts as tokens, its answers in batches."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cotdistill import adapters
from cotdistill.errors import UserError
from cotdistill.prompts import as_text
from cotdistill.records import Failure, Message, Sampling
from cotdistill.samplers import JsonRow, Request, Unanswered
from cotdistill.storage.origin import Origin

if TYPE_CHECKING:
    import torch
    from transformers import LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocalModel:
    """Weights and tokenizer of a causal language model, or of an encoder-decoder."""

    name: str
    tokenizer: "PreTrainedTokenizerBase"
    weights: "PreTrainedModel"
    stop_ids: frozenset[int]
    context: int
    """Longest sequence in tokens, prompt and answer."""

    @property
    def is_pair(self) -> bool:
        """Whether it is an encoder-decoder: it reads a text, without a chat template, and writes another."""
        return bool(self.weights.config.is_encoder_decoder)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the prompt's tokens. Raises: Unanswered where no room is left for an answer."""
        prompt: list[int]
        if self.is_pair:
            prompt = [*self.tokenizer.encode(as_text(messages), add_special_tokens=False), self.tokenizer.eos_token_id]
        else:
            rows = [{"role": m.role, "content": m.content} for m in messages]
            text = self.tokenizer.apply_chat_template(rows, tokenize=False, add_generation_prompt=True)
            prompt = self.tokenizer.encode(text, add_special_tokens=False)
        if len(prompt) >= self.context:
            reason = f"the prompt's {len(prompt)} tokens fill the model's context of {self.context}"
            raise Unanswered(Failure(kind="failed", reason=reason))
        return prompt

    def answer(self, prompts: Sequence[list[int]], requests: Sequence[Request]) -> list[JsonRow]:
        """Return one response per prompt, in order."""
        import torch

        longest = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id or 0
        ids_BT = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts])  # noqa: N806
        mask_BT = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])  # noqa: N806
        sampling = requests[0].sampling
        with torch.inference_mode():
            output_BT = self.weights.generate(  # noqa: N806
                input_ids=ids_BT.to(self.weights.device),
                attention_mask=mask_BT.to(self.weights.device),
                max_new_tokens=min(sampling.max_tokens or self.context, self.context - longest),
                do_sample=False,
                num_beams=sampling.num_beams or 1,
                eos_token_id=sorted(self.stop_ids) or None,
                pad_token_id=pad,
                logits_processor=_chance(sampling, requests),
            )
        # What a decoder writes begins with its start token, what goes on with a text with that text.
        answers = output_BT[:, 1 if self.is_pair else longest :].tolist()
        return [self._response(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]

    def _response(self, prompt: list[int], answer: list[int]) -> JsonRow:
        end = next((i for i, token in enumerate(answer) if token in self.stop_ids), None)
        said = answer if end is None else answer[:end]
        text = self.tokenizer.decode(said, skip_special_tokens=True)
        return {
            "object": "chat.completion",
            "model": self.name,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "length" if end is None else "stop",
                }
            ],
            "usage": {
                "prompt_tokens": len(prompt),
                "completion_tokens": len(answer) if end is None else end + 1,
            },
        }


def load_model(name: str, origin: Origin) -> LocalModel:
    """Load weights and tokenizer. Raises: UserError."""
    import torch
    from transformers import AutoTokenizer, GenerationConfig
    from transformers import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **origin.arguments)
        weights = _load_weights(name, origin)
    except (OSError, ValueError) as error:
        raise UserError(f"{name} cannot be loaded: {str(error).strip().partition(chr(10))[0]}") from None
    stop = weights.generation_config.eos_token_id
    stop_ids = {tokenizer.eos_token_id, *(stop if isinstance(stop, list) else [stop])} - {None}
    # A checkpoint's own repetition penalty or temperature is no part of what the recipe asks for.
    start = getattr(weights.config, "decoder_start_token_id", None)
    weights.generation_config = GenerationConfig(decoder_start_token_id=start)
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    weights.to(device).eval()
    log.info("loaded %s on %s", name, device)
    context = getattr(weights.config, "max_position_embeddings", None) or 1 << 20
    return LocalModel(name, tokenizer, weights, frozenset(stop_ids), context)


def _load_weights(name: str, origin: Origin) -> "PreTrainedModel":
    """Return the weights of a folder or hub name; an adapter is added to its base's."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

    if adapters.is_adapter(Path(name)):
        base = adapters.base_of(Path(name))
        pinned = Origin(base.revision, origin.trust_remote_code)
        pinned.check_code(base.model)
        weights = adapters.merged(Path(name), **pinned.arguments)
        if (Path(name) / "generation_config.json").is_file():
            weights.generation_config = GenerationConfig.from_pretrained(name)
        return weights
    config = AutoConfig.from_pretrained(name, **origin.arguments)
    model = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    plain: PreTrainedModel = model.from_pretrained(name, config=config, dtype="auto", **origin.arguments)
    return plain


def _chance(sampling: Sampling, requests: Sequence[Request]) -> "LogitsProcessorList":
    """Return what makes the most probable token a drawn one (none at temperature 0, which is the default).

    Argmax of logits + Gumbel noise is a draw from their distribution (Maddison et al. 2014). Each request has a
    generator of its own, so what it draws does not depend on the batch that it lands in.
    """
    import torch
    from transformers import LogitsProcessor, LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

    if not sampling.temperature:
        return LogitsProcessorList()
    generators = [torch.Generator().manual_seed(_seed(request)) for request in requests]

    class Gumbel(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
        def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":  # noqa: ARG002
            noise = torch.stack([torch.rand(scores.shape[1], generator=g) for g in generators])
            return scores - torch.log(-torch.log(noise.to(scores.device, torch.float32).clamp_min(1e-20)))

    warpers = [TemperatureLogitsWarper(float(sampling.temperature))]
    if sampling.top_p is not None and sampling.top_p < 1:
        warpers.append(TopPLogitsWarper(sampling.top_p))
    return LogitsProcessorList([*warpers, Gumbel()])


def _seed(request: Request) -> int:
    """Return 63 bits that stand for the request: its seed, its messages and which of its samples it is."""
    words = repr((request.sampling.seed, [(m.role, m.content) for m in request.messages], request.index))
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:8]) >> 1
