"""Keys: every hash that names something, from a request to a folder of weights."""

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cotdistill.records import Message, Sampling
from cotdistill.registry import Options

Json = Any  # Any: a JSON value

EDGE_BYTES = 1 << 20


def key_of(value: Json) -> str:
    """Return the sha256 of a JSON value's canonical text, as hex."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key_of_rows(rows: Iterable[Json]) -> str:
    """Return `key_of` the list of these values; one of them is in memory at a time."""
    digest = hashlib.sha256(b"[")
    separator = ""
    for row in rows:
        text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        digest.update((separator + text).encode("utf-8", "surrogatepass"))
        separator = ","
    digest.update(b"]")
    return digest.hexdigest()


def short_name(*parts: str) -> int:
    """Return 64 bits, never 0, that tell texts from others: two of ten million share them with a chance of 3e-6."""
    named = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little") or 1


def key_of_text(parts: Iterable[str]) -> str:
    """Return `key_of` the text that these parts make; one of them is in memory at a time."""
    digest = hashlib.sha256(b'"')
    for part in parts:
        digest.update(json.dumps(part, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass"))
    digest.update(b'"')
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_fingerprint(folder: Path) -> str:
    """Return what tells the weights in a folder from others.

    Small files count whole; of large ones size, first and last MiB: hashing 15 GB again and again costs minutes.
    """
    parts = []
    for path in sorted(folder.iterdir()):
        if path.suffix in {".json", ".safetensors", ".bin", ".jinja", ".txt", ".model"}:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(EDGE_BYTES)
                file.seek(max(size - EDGE_BYTES, 0))
                edges = hashlib.sha256(head + file.read(EDGE_BYTES)).hexdigest()
            parts.append([path.name, size, edges])
    return key_of(parts)


def by_content(options: Options) -> Json:
    """Return the options that decide what comes out; a file that one of them names counts by what it says."""
    return options.key_options(file_content)


def file_content(path: Path) -> str:
    """Return what stands for a file in a key: its name and its content; its path where there is none."""
    try:
        return f"{path.name}@{file_sha256(path)[:16]}" if path.is_file() else str(path)
    except OSError:
        # Too long for a name, or not to be read: whoever uses it says so.
        return str(path)


def differences(old: Json, new: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json, Json]]:
    """Yield what a key is the hash of where it differs: the path to a value, the old value and the new one."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), (*path, key))
    elif old != new:
        yield path, old, new


def shown(value: Json) -> str:
    """Return a value as a line about a difference shows it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def draw(*identity: object) -> bytes:
    """Return 32 bytes drawn by hash, the same for the same identity: a seed, then what tells one thing from others.

    What is chosen by the smallest of them keeps most of its choice when there is more to choose from.
    """
    return hashlib.sha256(" ".join(map(str, identity)).encode("utf-8", "surrogatepass")).digest()


def draw_share(*identity: object) -> float:
    """Return a number in [0, 1) drawn by hash."""
    return int.from_bytes(draw(*identity)[:7]) / (1 << 56)


def completion_key(model: str, messages: Sequence[Message], sampling: Sampling, prefix: str = "") -> str:
    """Return the identity of a request: sha256 of what decides the distribution of its answers, in hex."""
    # The canonical text of one object, its keys in order; it is asked for a million times with the same sampling.
    asked = _canonical([[message.role, message.content] for message in messages])
    begun = f',"prefix":{_canonical(prefix)}' if prefix else ""
    text = f'{{"messages":{asked},"model":{_canonical(model)}{begun},"sampling":{_sampling_text(sampling)}}}'
    return hashlib.sha256(text.encode("ascii")).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@functools.lru_cache(maxsize=256)
def _sampling_text(sampling: Sampling) -> str:
    return _canonical(sampling.model_dump(exclude_none=True))
