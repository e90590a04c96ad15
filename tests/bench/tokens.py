"""Conversations to token files: tokens per second beside the bare Rust tokenizer and TRL, memory, and the second time.

Needs real answers and a tokenizer of the size that students have: without both there is nothing to measure.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from cotdistill.data import open_catalog
from cotdistill.records import Completion, Conversation, Problem, Trace
from cotdistill.registry import make
from cotdistill.storage.keys import file_sha256
from cotdistill.styles import conversation
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.prepare import prepare
from cotdistill.training.prepare.token_row import TokenRow
from cotdistill.training.prepare.tokenfile import write_rows
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from tests.bench.command import Row

ROWS = 20_000
TURN_ROWS, ROUNDS = 2_000, 4
"""The two are measured in turn, so that what else the machine does falls on both."""
PLAIN_BATCH = 1000
SMALL_ROWS = 4_000


def measure(traces: Path | None, tokenizer: Path | None, trl: Path | None, llamafactory: Path | None) -> list[Row]:
    if traces is None or tokenizer is None:
        return []
    unique = list(conversations(traces))
    rates = _in_turn(unique, tokenizer)
    ours, plain = rates
    rows = [
        Row("tokenise and write", ours, "tokens/s", f"{ours / plain:.2f} x the bare Rust tokenizer"),
        Row("the bare Rust tokenizer", plain, "tokens/s", f"whole texts, batches of {PLAIN_BATCH:,}"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_set(Path(folder), itertools.islice(itertools.cycle(unique), ROWS))
        rows += _whole(Path(folder), tokenizer)
        if trl is not None:
            rows.append(_trl(Path(folder), tokenizer, trl, rows[2].value))
        if llamafactory is not None:
            write_set(Path(folder), itertools.islice(itertools.cycle(unique), SMALL_ROWS))
            rows.append(_llamafactory(Path(folder), tokenizer, llamafactory, rows[2].value))
    return rows


def conversations(traces: Path) -> Iterator[Conversation]:
    style = make("styles", "thought_solution")
    for number, line in enumerate(traces.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        completion = Completion(key="", index=0, reasoning=row["reasoning"], text=row["answer"])
        yield conversation(
            style, Trace(problem=Problem(id=str(number), question=row["question"]), completion=completion)
        )


def _in_turn(unique: list[Conversation], tokenizer_folder: Path) -> tuple[float, float]:
    """Return tokens per second of ours and of the bare tokenizer, on the same rows."""
    tokenizer = load_tokenizer(str(tokenizer_folder), template=None)
    rendered = [tokenizer.apply_chat_template([m.model_dump() for m in c.messages], tokenize=False) for c in unique]
    rust = tokenizer.backend_tokenizer
    seconds, tokens = [0.0, 0.0], [0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            part = list(itertools.islice(itertools.cycle(unique), TURN_ROWS))
            start = time.perf_counter()
            written = write_rows(_encoded(part, Encoder(tokenizer)), Path(folder))
            seconds[0] += time.perf_counter() - start
            tokens[0] += written.tokens
            texts = list(itertools.islice(itertools.cycle(rendered), TURN_ROWS))
            start = time.perf_counter()
            for at in range(0, len(texts), PLAIN_BATCH):
                encoded = rust.encode_batch_fast(texts[at : at + PLAIN_BATCH], add_special_tokens=False)
                tokens[1] += sum(len(row.ids) for row in encoded)
            seconds[1] += time.perf_counter() - start
    return tokens[0] / seconds[0], tokens[1] / seconds[1]


def _encoded(conversations: list[Conversation], encoder: Encoder) -> Iterator[TokenRow]:
    for at in range(0, len(conversations), 256):
        yield from encoder.encode(conversations[at : at + 256])


def write_set(folder: Path, conversations: Iterable[Conversation]) -> None:
    layout = make("formats", "sharegpt")
    with (folder / "set.json").open("w", encoding="utf-8") as file:
        for number, row in enumerate(conversations):
            file.write(("[\n" if number == 0 else ",\n") + json.dumps(layout.encode(row), ensure_ascii=False))
        file.write("\n]\n")
    (folder / "dataset_info.json").write_text(json.dumps({"set": layout.entry("set.json")}))


def _whole(folder: Path, tokenizer: Path) -> list[Row]:
    """Return what processes of their own measured: the set from its file to tokens, twice, and a quarter of it."""
    first, again, small = (
        _child(folder, tokenizer, folder / name, rows)
        for name, rows in (("tokens", ROWS), ("tokens", ROWS), ("small", SMALL_ROWS))
    )
    grown = (first["peak_mib"] - small["peak_mib"]) / small["peak_mib"]
    return [
        Row("read, tokenise and write", first["tokens"] / first["seconds"], "tokens/s", f"{ROWS:,} rows"),
        Row("the second time", again["seconds"], "s", f"{first['seconds'] / again['seconds']:.0f} x faster"),
        Row("memory at its peak", first["peak_mib"], "MiB", f"{grown:+.0%} of that for {SMALL_ROWS:,} rows"),
    ]


def _child(folder: Path, tokenizer: Path, tokens: Path, rows: int) -> dict:
    command = [sys.executable, "-m", "tests.bench.tokens", *map(str, (folder, tokenizer, tokens, rows))]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _trl(folder: Path, tokenizer: Path, python: Path, ours: float) -> Row:
    script = Path(__file__).with_name("trl_prepare.py")
    command = [str(python), str(script), str(folder / "set.json"), str(tokenizer), str(SMALL_ROWS)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    rate = found["tokens"] / found["seconds"]
    return Row(
        f"TRL {found['version']}: SFTTrainer's preparation", rate, "tokens/s", f"ours is {ours / rate:.1f} x that"
    )


def _llamafactory(folder: Path, tokenizer: Path, python: Path, ours: float) -> Row:
    """Return its rate on our own written set, found by our own dataset_info.json."""
    script = Path(__file__).with_name("llamafactory_prepare.py")
    command = [str(python), str(script), str(folder), "set", str(tokenizer), "4096"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["rows"] == SMALL_ROWS, found
    rate = found["tokens"] / found["seconds"]
    return Row("LLaMA-Factory's preparation", rate, "tokens/s", f"ours is {ours / rate:.1f} x that")


def main(folder: str, tokenizer_folder: str, tokens: str, rows: str) -> None:
    """Measure one preparation; the loading of packages and of the tokenizer is not part of it."""
    import resource

    tokenizer = load_tokenizer(tokenizer_folder, template=None)
    start = time.perf_counter()
    key = file_sha256(Path(folder) / "set.json") + rows
    conversations = itertools.islice(open_catalog([Path(folder)]).find("set").read_conversations(), int(rows))
    options = TrainOptions.model_validate({"cutoff_len": 4096})
    found = prepare(conversations, tokenizer, options, style=None, folder=Path(tokens), data_key=key)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tokens": found.written.tokens, "seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
