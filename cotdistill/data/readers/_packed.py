"""Bytes of a file, unpacked on the way where its name says that it is compressed."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from cotdistill.errors import UserError, no_such_file

BROKEN = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
"""What the standard library raises where a compressed file is none, or was cut off."""


@contextmanager
def opened_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, unpacked.

    Raises: UserError: no such file, no right to it, a folder, or what is compressed is broken.
    """
    try:
        with _open(path) as file:
            yield file
    except IsADirectoryError:
        raise UserError("is a folder, not a file", str(path)) from None
    except FileNotFoundError:
        raise no_such_file(path) from None
    except PermissionError:
        raise UserError("may not be read: permission denied", str(path)) from None
    except BROKEN as error:
        raise _broken(path, error) from None
    except OSError as error:
        # bz2 and pyarrow say it by an OSError without a number.
        if path.suffix.lower() not in (".bz2", ".zst") or error.errno is not None:
            raise
        raise _broken(path, error) from None


def _open(path: Path) -> BinaryIO:
    match path.suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.open(path))
        case ".bz2":
            return cast(BinaryIO, bz2.open(path))
        case ".xz":
            return cast(BinaryIO, lzma.open(path))
        case ".zst":
            return _open_zstd(path)
        case _:
            return path.open("rb")


def _open_zstd(path: Path) -> BinaryIO:
    try:
        import pyarrow
    except ImportError:
        raise UserError("reading .zst needs the package `pyarrow`", str(path), "pip install pyarrow") from None
    return cast(BinaryIO, io.BufferedReader(pyarrow.input_stream(str(path), compression="zstd")))


def _broken(path: Path, error: Exception) -> UserError:
    return UserError(f"cannot be unpacked: {error}", str(path), "was the file cut off?")
