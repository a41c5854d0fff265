"""One range of a table to one compressed file, in constant memory."""

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from extracts.formats.compression import Compression, compressor
from extracts.postgres import Snapshot
from extracts.queries import Query

# Bytes that are compressed at once.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Part:
    """What to read: a query with its parameters, and the file for its rows; the first part has the header."""

    table: str
    number: int
    query: Query
    params: dict[str, object]
    in_ranges: bool
    file: Path
    compression: Compression


@dataclass(frozen=True)
class Done:
    """A part that was read: rows, and bytes before compression."""

    part: Part
    rows: int
    bytes: int


class _Packing(io.RawIOBase):
    """Compresses what it is given into a file."""

    def __init__(self, file: BinaryIO, compression: Compression) -> None:
        self._file = file
        self._stream = compressor(compression)
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        block = cast(memoryview, data)
        self.bytes += len(block)
        self._file.write(self._stream.compress(block))
        return len(block)

    def finish(self) -> None:
        """The rest; a part without a byte leaves an empty file, which adds nothing to the whole."""
        if self.bytes:
            self._file.write(self._stream.flush())


def read_part(snapshot: Snapshot, part: Part) -> Done:
    """Read a part into its file."""
    snapshot.in_physical_order(part.in_ranges)
    with part.file.open("xb") as file:
        packing = _Packing(file, part.compression)
        # The driver writes row by row; a buffer in C, and not Python, is what it meets.
        buffer = io.BufferedWriter(packing, _BLOCK)
        rows = snapshot.copy_out(part.query, part.params, buffer, header=part.number == 0)
        buffer.flush()
        packing.finish()
    return Done(part, rows, packing.bytes)


class Whole:
    """A table's file: its parts in their order, each put behind those before it as soon as they are there.

    Nothing is compressed again. `rows` and `bytes`, before compression, are those of the parts so far.
    """

    def __init__(self, file: Path, parts: int) -> None:
        self.file = file
        self.rows = 0
        self.bytes = 0
        self._parts = parts
        self._joined = 0
        self._waiting: dict[int, Path] = {}

    @property
    def complete(self) -> bool:
        return self._joined == self._parts

    def add(self, done: Done) -> None:
        """Take a part, in whichever order they come; its own file is gone once it is part of the whole."""
        self.rows += done.rows
        self.bytes += done.bytes
        self._waiting[done.part.number] = done.part.file
        while (part := self._waiting.pop(self._joined, None)) is not None:
            if self._joined == 0:
                part.replace(self.file)
            else:
                with part.open("rb") as source, self.file.open("ab") as whole:
                    shutil.copyfileobj(source, whole, 1 << 20)
                part.unlink()
            self._joined += 1
