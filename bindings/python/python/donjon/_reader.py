"""`SealedReader`: an envelope as a file to read, from any place."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from donjon import _donjon
from donjon._donjon import ENVELOPE_PREFIX_MAX, READER_TAIL_MAX
from donjon._files import PIECE, Context, StrPath
from donjon.errors import DecryptFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class SealedReader(io.RawIOBase):
    """What was sealed, as a file that can be read from any place.

    Its size is authentic from the beginning, each byte when it is read; what is not is
    `DecryptFailed`. Every read opens whole chunks of 16 KiB, so for many small ones put an
    `io.BufferedReader` around it, which also lets several threads read. A file that was given as
    such is left open.
    """

    def __init__(
        self,
        sealer: _donjon.Sealer,
        source: StrPath | BinaryIO,
        *,
        context: Context,
        now: int | None = None,
    ) -> None:
        self._is_ours = isinstance(source, str | os.PathLike)
        self._file = _opened(source)
        self._position = 0
        try:
            length = self._file.seek(0, io.SEEK_END)
            prefix = self._bytes_at(0, ENVELOPE_PREFIX_MAX)
            tail = self._bytes_at(max(0, length - READER_TAIL_MAX), READER_TAIL_MAX)
            self._reader = sealer._random_access(prefix, tail, length, context=context, now=now)
        except BaseException:
            self.close()
            raise
        self._size = self._reader.size

    @property
    def size(self) -> int:
        """How long the plaintext is."""
        return self._size

    def readable(self) -> bool:
        """Return true."""
        self._require_open()
        return True

    def seekable(self) -> bool:
        """Return true."""
        self._require_open()
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        self._require_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read from there next; past the end is nothing."""
        self._require_open()
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        if whence not in origins:
            raise ValueError(f"invalid whence: {whence}")
        position = origins[whence] + offset
        if position < 0:
            raise ValueError(f"negative seek position: {position}")
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or fewer where the end comes first; by default all that is left."""
        self._require_open()
        return b"".join(self._pieces(self._size if size is None or size < 0 else size))

    def readall(self) -> bytes:
        """Return all that is left."""
        return self.read()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer, or as much of it as is left, and return how much that is."""
        self._require_open()
        with memoryview(buffer) as view, view.cast("B") as room:
            filled = 0
            for piece in self._pieces(len(room)):
                room[filled : filled + len(piece)] = piece
                filled += len(piece)
            return filled

    def close(self) -> None:
        """Read no more."""
        super().close()
        # Python closes what was never opened, too.
        if getattr(self, "_is_ours", False) and hasattr(self, "_file"):
            self._file.close()

    def _pieces(self, length: int) -> Iterator[bytes]:
        """Read so much, piece by piece."""
        end = min(self._position + length, self._size)
        while self._position < end:
            wanted = min(PIECE, end - self._position)
            begin, count = self._reader.span(self._position, wanted)
            span = self._bytes_at(begin, count)
            if len(span) < count:
                # The file has been cut since it was opened.
                raise DecryptFailed
            piece = self._reader.read(self._position, wanted, span)
            self._position += len(piece)
            yield piece

    def _bytes_at(self, offset: int, length: int) -> bytes:
        """Read so many bytes of the envelope, or fewer where it ends."""
        self._file.seek(offset)
        parts = []
        while length and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


def _opened(source: StrPath | BinaryIO) -> BinaryIO:
    # Unbuffered: what is read is read once, in pieces of its own size.
    if isinstance(source, str | os.PathLike):
        return cast("BinaryIO", Path(source).open("rb", buffering=0))
    if not (hasattr(source, "read") and hasattr(source, "seek")):
        raise TypeError(f"expected a path or a file that can seek, not {type(source).__name__}")
    return source
