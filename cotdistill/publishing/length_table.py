"""How long the answers of a set are: a histogram in characters, and percentiles in tokens where a tokenizer is at hand.

| characters of an answer | rows |      |
|---|---:|---|
| 1,024 to 2,047 | 310 | ████████ |
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from cotdistill.records import Conversation

BAR = 30
"""Blocks of the longest bar."""

TOKENISED = 2000
"""Rows that are tokenised: every n-th of a longer set. The 99th percentile is then one of 20 rows."""


def length_table(conversations: Iterable[Conversation], tokenizer: Path | None) -> str:
    """Return a Markdown table of the answers' lengths, and a line of percentiles; memory holds one number a row.

    `tokenizer` is a tokenizer.json.
    """
    characters = array("q")
    sample: list[str] = []
    every = 1
    for number, conversation in enumerate(conversations):
        content = conversation.messages[-1].content
        characters.append(len(content))
        if tokenizer is not None and number % every == 0:
            sample.append(content)
            if len(sample) > TOKENISED:
                sample, every = sample[::2], 2 * every
    lines = [_histogram(characters), "", f"Characters: {_percentiles(characters)}."]
    if tokenizer is not None and sample:
        said = f"Tokens of the student's tokenizer: {_percentiles(_tokens(sample, tokenizer))}"
        lines.append(f"{said} (in {len(sample):,} of the rows)." if every > 1 else f"{said}.")
    return "\n".join(lines)


def _histogram(lengths: Sequence[int]) -> str:
    counts = Counter(max(0, length).bit_length() for length in lengths)
    highest = max(counts.values(), default=1)
    table = ["| characters of an answer | rows | |", "|---|---:|---|"]
    for bits in range(min(counts, default=0), max(counts, default=-1) + 1):
        low, high = (1 << bits) >> 1, (1 << bits) - 1
        bar = "█" * -(-counts[bits] * BAR // highest)
        table.append(f"| {low:,} to {high:,} | {counts[bits]:,} | {bar} |")
    return "\n".join(table)


def _percentiles(lengths: Sequence[int]) -> str:
    ordered = sorted(lengths)
    shown = [f"{share} % at most {ordered[-(-len(ordered) * share // 100) - 1]:,}" for share in (50, 90, 99) if ordered]
    return ", ".join([*shown, f"longest {ordered[-1]:,}"] if ordered else ["no rows"])


def _tokens(texts: list[str], tokenizer: Path) -> list[int]:
    from tokenizers import Tokenizer

    rust = Tokenizer.from_file(str(tokenizer))
    return [len(encoded.ids) for encoded in rust.encode_batch_fast(texts, add_special_tokens=False)]
