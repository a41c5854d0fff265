"""One range of a table to one compressed file, in constant memory."""

import io
import shutil
from collections.abc import Callable, Sequence
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
    """Compresses what it is given into a file, and tells how many lines that were."""

    def __init__(self, file: BinaryIO, part: Part, told: Callable[[str, int], None]) -> None:
        self._file = file
        self._table = part.table
        self._told = told
        self._stream = compressor(part.compression)
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        block = cast(memoryview, data)
        self.bytes += len(block)
        self._file.write(self._stream.compress(block))
        self._told(self._table, bytes(block).count(b"\n"))
        return len(block)

    def finish(self) -> None:
        """The rest; a part without a byte leaves an empty file, which adds nothing to the whole."""
        if self.bytes:
            self._file.write(self._stream.flush())


def read_part(snapshot: Snapshot, part: Part, told: Callable[[str, int], None]) -> Done:
    """Read a part into its file; `told` hears the table and a number of lines now and then."""
    snapshot.in_physical_order(part.in_ranges)
    with part.file.open("xb") as file:
        packing = _Packing(file, part, told)
        # The driver writes row by row; a buffer in C, and not Python, is what it meets.
        buffer = io.BufferedWriter(packing, _BLOCK)
        rows = snapshot.copy_out(part.query, part.params, buffer, header=part.number == 0)
        buffer.flush()
        packing.finish()
    return Done(part, rows, packing.bytes)


def join(parts: Sequence[Path], target: Path) -> None:
    """Make one file of parts, in their order, without compressing again; the parts are gone then."""
    first, *others = parts
    with first.open("ab") as whole:
        for part in others:
            with part.open("rb") as source:
                shutil.copyfileobj(source, whole, 1 << 20)
            part.unlink()
    first.replace(target)
