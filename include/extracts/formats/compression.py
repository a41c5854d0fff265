"""Compressed streams that are made in pieces: what is compressed apart may simply be put one after another.

Concatenated gzip members (RFC 1952) and Zstandard frames (RFC 8878) are a valid file of the whole, so several
processes compress parts of one table at once. Neither writes a time or a name: equal rows make equal files.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Literal, Protocol, cast

from extracts.errors import UsageError

Compression = Literal["none", "gzip", "zstd"]

SUFFIXES: Mapping[Compression, str] = MappingProxyType({"none": "", "gzip": ".gz", "zstd": ".zst"})

# The fastest levels: both leave about a quarter of a CSV, and cost less than the reading does.
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1
_GZIP_WINDOW = 31  # zlib's way to say: with a header and trailer of gzip


class Compressor(Protocol):
    """One member or frame: pieces in, pieces out, and the rest by `flush`."""

    def compress(self, data: bytes | memoryview, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes | memoryview, /) -> bytes:
        return bytes(data)

    def flush(self) -> bytes:
        return b""


def compressor(kind: Compression) -> Compressor:
    """A new member or frame of that kind."""
    return _COMPRESSORS[kind]()


@contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """The uncompressed bytes of a file, by the ending of its name: `.gz`, `.zst` or any other.

    Raises UsageError, inside the block too, where the file is not what its name says. A Zstandard file that
    was cut between two of its blocks reads as a shorter one: its checksum tells.
    """
    if path.suffix == ".zst":
        import zstandard

        try:
            with (
                path.open("rb") as file,
                zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader,
            ):
                yield cast(BinaryIO, reader)
        except zstandard.ZstdError as error:
            raise UsageError(f"{path} is not a Zstandard file: {error}") from error
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as plain:
            yield cast(BinaryIO, plain)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path} is not a complete gzip file: {error}") from error


def _gzip() -> Compressor:
    # Imported where it is used, here and below: a process loads the one library that it needs.
    from isal import isal_zlib

    return cast(Compressor, isal_zlib.compressobj(level=_GZIP_LEVEL, wbits=_GZIP_WINDOW))


def _zstd() -> Compressor:
    import zstandard

    return cast(Compressor, zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj())


_COMPRESSORS: Mapping[Compression, Callable[[], Compressor]] = MappingProxyType(
    {"none": _Plain, "gzip": _gzip, "zstd": _zstd}
)
