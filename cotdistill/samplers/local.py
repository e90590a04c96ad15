"""Completions of a model on this machine, in batches: how the student is asked."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from cotdistill import adapters
from cotdistill.errors import UserError
from cotdistill.records import Failure, Message, Sampling
from cotdistill.registry import NOT_IN_KEY, kind
from cotdistill.samplers import Draw, JsonRow, Reply, Request, SendGate, SingleCall, Unanswered
from cotdistill.storage.keys import weights_fingerprint

if TYPE_CHECKING:
    import torch
    from transformers import LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


@kind
@dataclass(frozen=True, kw_only=True)
class Local(SingleCall):
    """A model on this machine, on its accelerator where there is one.

    Options:
        model: folder as `save_pretrained` writes it, an adapter's included, or hub name.
        batch_size: requests answered at a time, as many as the device's memory holds.
    """

    model: Annotated[str, Field(min_length=1)]
    batch_size: Annotated[int, Field(ge=1), NOT_IN_KEY] = 64

    @property
    def identity(self) -> str:
        """The hub name, or what tells the weights in a folder from others."""
        folder = Path(self.model)
        return weights_fingerprint(folder) if folder.is_dir() else self.model

    @asynccontextmanager
    async def session(self, gate: SendGate, /) -> AsyncIterator[Draw]:  # noqa: ARG002
        """Load the weights; requests that wait together are answered together.

        Raises: UserError where there is no such model.
        """
        queue = _BatchQueue(await asyncio.to_thread(_load, self.model), self.batch_size)
        serving = asyncio.create_task(queue.serve())
        try:
            yield queue.draw
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


class _Pending(NamedTuple):
    """A request with its prompt as tokens, and where its reply goes."""

    request: Request
    prompt: list[int]
    reply: "asyncio.Future[Reply]"


class _BatchQueue:
    """Gathers requests into batches and answers one batch at a time."""

    def __init__(self, model: "_Model", batch_size: int) -> None:
        self.model = model
        self.batch_size = batch_size
        self.waiting: list[_Pending] = []
        self.has_waiting = asyncio.Event()

    async def draw(self, request: Request) -> Reply:
        """Return the reply to one request, in the company of others. Raises: Unanswered."""
        prompt = self.model.encode(request.messages)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting.append(_Pending(request, prompt, reply))
        self.has_waiting.set()
        return await reply

    async def serve(self) -> None:
        """Answer batches until cancelled; what one batch raises goes to its own requests."""
        while True:
            await self.has_waiting.wait()
            # Every caller that can run now asks before the batch is closed.
            await asyncio.sleep(0)
            batch = self._take_batch()
            start = time.monotonic()
            answering = asyncio.to_thread(self.model.answer, [w.prompt for w in batch], [w.request for w in batch])
            responses: list[JsonRow] | BaseException
            (responses,) = await asyncio.gather(answering, return_exceptions=True)
            latency_s = time.monotonic() - start
            for number, waiting in enumerate(batch):
                if waiting.reply.done():
                    continue
                if isinstance(responses, BaseException):
                    waiting.reply.set_exception(responses)
                else:
                    waiting.reply.set_result(Reply(responses[number], latency_s))

    def _take_batch(self) -> list[_Pending]:
        """Take requests of one sampling and of like length: little padding, and no one waits for a long prompt."""
        sampling = self.waiting[0].request.sampling
        fitting = [w for w in self.waiting if w.request.sampling == sampling]
        fitting.sort(key=lambda w: len(w.prompt))
        batch = fitting[: self.batch_size]
        taken = {id(w) for w in batch}
        self.waiting = [w for w in self.waiting if id(w) not in taken]
        if not self.waiting:
            self.has_waiting.clear()
        return batch


@dataclass(frozen=True)
class _Model:
    """Weights and tokenizer."""

    name: str
    tokenizer: "PreTrainedTokenizerBase"
    weights: "PreTrainedModel"
    stop_ids: frozenset[int]
    context: int
    """Longest sequence in tokens, prompt and answer."""

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the prompt's tokens. Raises: Unanswered where no room is left for an answer."""
        rows = [{"role": m.role, "content": m.content} for m in messages]
        text = self.tokenizer.apply_chat_template(rows, tokenize=False, add_generation_prompt=True)
        prompt: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
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
                eos_token_id=sorted(self.stop_ids) or None,
                pad_token_id=pad,
                logits_processor=_chance(sampling, requests),
            )
        answers = output_BT[:, longest:].tolist()
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


def _load(name: str) -> _Model:
    """Load weights and tokenizer. Raises: UserError."""
    import torch
    from transformers import AutoTokenizer, GenerationConfig
    from transformers import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        weights = _load_weights(name)
    except (OSError, ValueError) as error:
        raise UserError(f"{name} cannot be loaded: {str(error).strip().partition(chr(10))[0]}") from None
    stop = weights.generation_config.eos_token_id
    stop_ids = {tokenizer.eos_token_id, *(stop if isinstance(stop, list) else [stop])} - {None}
    # A checkpoint's own repetition penalty or temperature is no part of what the recipe asks for.
    weights.generation_config = GenerationConfig()
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    weights.to(device).eval()
    log.info("loaded %s on %s", name, device)
    context = getattr(weights.config, "max_position_embeddings", None) or 1 << 20
    return _Model(name, tokenizer, weights, frozenset(stop_ids), context)


def _load_weights(name: str) -> "PreTrainedModel":
    """Return the weights of a folder or hub name; an adapter is added to its base's."""
    from transformers import AutoModelForCausalLM, GenerationConfig

    if not adapters.is_adapter(Path(name)):
        weights: PreTrainedModel = AutoModelForCausalLM.from_pretrained(name, dtype="auto")
        return weights
    weights = adapters.merged(Path(name))
    if (Path(name) / "generation_config.json").is_file():
        weights.generation_config = GenerationConfig.from_pretrained(name)
    return weights


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
