"""Keys: every hash that names something, from a request to a folder of weights."""

import functools
import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cotdistill.records import Message, Sampling
from cotdistill.registry import Options
from cotdistill.storage.origin import Origin

Json = Any  # Any: a JSON value

EDGE_BYTES = 1 << 20

# Made once: `json.dumps` makes an encoder for each value, which takes longer than a short value does.
_canonical_text = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def key_of(value: Json) -> str:
    """Return the sha256 of a JSON value's canonical text, as hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


class ListDigest:
    """`key_of` a list whose values come one by one, as their canonical texts."""

    def __init__(self, *, is_text: bool = False) -> None:
        """`is_text`: the list is written as a text, `"[1, 2]"`, and is the key of that."""
        opening, self._separator, self._closing = (b'"[', b", ", b']"') if is_text else (b"[", b",", b"]")
        self._digest = hashlib.sha256(opening)
        self._count = 0

    def add(self, text: bytes) -> None:
        """Take in the next value: its `canonical_bytes`, of a list that is a text its `quoted_bytes`."""
        self._digest.update(self._separator + text if self._count else text)
        self._count += 1

    def hex(self) -> str:
        """Return the key of the list that ends here."""
        digest = self._digest.copy()
        digest.update(self._closing)
        return digest.hexdigest()


def canonical_bytes(value: Json) -> bytes:
    """Return the canonical text of a JSON value."""
    return _canonical_text(value).encode("utf-8", "surrogatepass")


def quoted_bytes(value: Json) -> bytes:
    """Return a JSON value as it stands in a text that is JSON itself: `[\\"p1\\"]`."""
    return _quoted(_quoted(value))[1:-1].encode("utf-8", "surrogatepass")


def short_name(*parts: str) -> int:
    """Return 64 bits, never 0, that tell texts from others: two of ten million share them with a chance of 3e-6."""
    named = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little") or 1


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


def weights_or_name(model: str, origin: Origin) -> str:
    """Return what tells a model from others: the weights in its folder, or its name on a hub."""
    path = Path(model)
    return weights_fingerprint(path) if path.is_dir() else origin.named(model)


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


def code_key(*targets: Callable[..., object]) -> Json:
    """Return what tells the code of this package, and of what others bring, from another version of it."""
    modules = {sys.modules[target.__module__].__file__ for target in targets if target.__module__ in sys.modules}
    return [_own_code(), *sorted(file_content(Path(file)) for file in modules if file)]


@functools.cache
def _own_code() -> str:
    root, digest = Path(__file__).parents[1], hashlib.sha256(f"{platform.python_version()} {sys.byteorder}".encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


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
    asked = ",".join(f'["{message.role}",{_canonical(message.content)}]' for message in messages)
    begun = f',"prefix":{_canonical(prefix)}' if prefix else ""
    text = f'{{"messages":[{asked}],"model":{_quoted_model(model)}{begun},"sampling":{_sampling_text(sampling)}}}'
    return hashlib.sha256(text.encode("ascii")).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@functools.lru_cache(maxsize=256)
def _quoted_model(model: str) -> str:
    return _canonical(model)


@functools.lru_cache(maxsize=256)
def _sampling_text(sampling: Sampling) -> str:
    return _canonical(sampling.model_dump(exclude_none=True))
