"""Answers by transformers' `generate`, a batch at a time: encoder-decoders, beams, and models of another past.

B: rows, T: columns, V: vocabulary.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from cotdistill.samplers._asks import Ask, Said
from cotdistill.samplers._draws import Chance, chance_of, choose
from cotdistill.samplers._endings import Endings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class WholeBatches:
    """Requests that wait for the next batch; a batch ends with its longest answer."""

    def __init__(
        self, weights: "PreTrainedModel", endings: Endings, size: int, *, is_closed: Callable[[], bool] = lambda: False
    ) -> None:
        # A checkpoint's own repetition penalty or temperature is no part of what the recipe asks for.
        start = getattr(weights.config, "decoder_start_token_id", None)
        weights.generation_config = GenerationConfig(decoder_start_token_id=start)
        self.weights = weights
        self.endings = endings
        self.size = size
        self.is_closed = is_closed
        self.rows: list[Ask] = []

    @property
    def room(self) -> int:
        """Requests that may join now."""
        return self.size - len(self.rows)

    def add(self, asks: Sequence[Ask]) -> None:
        """Let requests wait for the next batch."""
        self.rows.extend(asks)

    def drop(self, numbers: Collection[int]) -> None:
        """Forget requests that nobody waits for."""
        self.rows = [ask for ask in self.rows if ask.number not in numbers]

    def step(self) -> list[Said]:
        """Answer the requests that are like the first one: of one sampling, and begun with as many tokens."""
        if not self.rows:
            return []
        first = self.rows[0]
        alike = [a for a in self.rows if a.sampling == first.sampling and len(a.begun) == len(first.begun)]
        self.drop({ask.number for ask in alike})
        return [self._said(ask, answer) for ask, answer in zip(alike, self._generate(alike), strict=True)]

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch has no types for it
    def _generate(self, asks: Sequence[Ask]) -> list[list[int]]:
        device, tokenizer = self.weights.device, self.endings.tokenizer
        is_pair = bool(self.weights.config.is_encoder_decoder)
        longest = max(len(ask.prompt) for ask in asks)
        pad = tokenizer.pad_token_id or 0
        sampling = asks[0].sampling
        stop = {"stop_strings": list(sampling.stop), "tokenizer": tokenizer} if sampling.stop else {}
        # What a decoder writes begins with its start token, what goes on with a text with that text.
        begun = [[self._start(), *ask.begun] for ask in asks] if is_pair else [[0] * longest] * len(asks)
        output_BT = self.weights.generate(  # noqa: N806
            input_ids=torch.tensor([[pad] * (longest - len(a.prompt)) + a.prompt for a in asks], device=device),
            attention_mask=torch.tensor(
                [[0] * (longest - len(a.prompt)) + [1] * len(a.prompt) for a in asks], device=device
            ),
            max_new_tokens=max(ask.limit for ask in asks),
            do_sample=False,
            num_beams=sampling.num_beams or 1,
            eos_token_id=sorted(self.endings.stop_ids) or None,
            pad_token_id=pad,
            logits_processor=_drawn([chance_of(ask) for ask in asks]),
            stopping_criteria=StoppingCriteriaList([_Closed(self.is_closed)]),
            **({"decoder_input_ids": torch.tensor(begun, device=device)} if is_pair else {}),
            **stop,
        )
        answers: list[list[int]] = output_BT[:, len(begun[0]) :].tolist()
        return answers

    def _start(self) -> int:
        start = self.weights.generation_config.decoder_start_token_id
        return int(self.weights.config.bos_token_id if start is None else start)

    def _said(self, ask: Ask, answer: list[int]) -> Said:
        """Return an answer without the padding that waits for longer ones."""
        for count in range(1, min(len(answer), ask.limit) + 1):
            if self.endings.is_end(ask, answer[:count]):
                return Said(ask.number, answer[:count], is_ended=True)
        return Said(ask.number, answer[: ask.limit], is_ended=False)


def _drawn(chances: Sequence[Chance | None]) -> LogitsProcessorList:
    """Return what makes a drawn token the only one; none where nothing is drawn."""
    if not any(chances):
        return LogitsProcessorList()

    class Drawn(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
            only = torch.full_like(scores, -torch.inf)
            return only.scatter_(1, choose(scores, chances)[:, None], 0.0)

    return LogitsProcessorList([Drawn()])


class _Closed(StoppingCriteria):  # type: ignore[misc]  # transformers is not typed
    """Ends a batch that nobody waits for."""

    def __init__(self, is_closed: Callable[[], bool]) -> None:
        self.is_closed = is_closed

    def __call__(self, input_ids: torch.Tensor, scores: object, **kwargs: object) -> torch.Tensor:  # noqa: ARG002
        return torch.full((len(input_ids),), self.is_closed(), device=input_ids.device)
