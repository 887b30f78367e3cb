"""Files that are there as a whole, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from donjon import _donjon
from donjon._donjon import ENVELOPE_PREFIX_MAX
from donjon.errors import InvalidArgument

StrPath = str | os.PathLike[str]
Context = Sequence[str | bytes]
Progress = Callable[[int, int | None], object]
"""Told after each piece how many bytes have been read, and of how many, if that is known."""

PIECE = 1 << 20


@contextmanager
def replacing(path: StrPath, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` at the end, if there was no exception.

    Only its owner can read it, from the beginning. A symbolic link at `path` is replaced, and not
    followed, so that whoever can make one cannot choose what is overwritten. Where the file system
    has files without a name, a process that is killed leaves nothing behind, either.
    """
    path = Path(path)
    # The name is chosen here, so that at no moment an interrupt could leave the file behind.
    draft = path.parent / f".donjon-{secrets.token_hex(16)}.part"
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        nameless = _nameless(path.parent)
        with nameless or open(draft, "xb", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if nameless:
                # Only `linkat`, which Python calls where it is given a folder, follows this link.
                os.link(f"/proc/self/fd/{file.fileno()}", draft.name, dst_dir_fd=folder)
        if overwrite:
            draft.replace(path)
        else:
            _place(draft, path)
        # So that the new name outlives a loss of power, as the bytes do.
        os.fsync(folder)
    finally:
        with suppress(OSError):
            draft.unlink()
        os.close(folder)


def _nameless(folder: Path) -> BinaryIO | None:
    """Return a file that is in no folder yet, where there are such files."""
    if not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600), "wb")
    except OSError as error:
        # The file system, or a kernel that does not know the flag.
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:
            return None
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _place(draft: Path, path: Path) -> None:
    """Give the file its name, unless there is one of that name."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
    except OSError as error:
        # A file system without hard links.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP} or os.path.lexists(path):
            raise
        draft.replace(path)


def seal_stream(
    sealer: _donjon.Sealer,
    source: BinaryIO,
    target: BinaryIO,
    *,
    context: Context,
    threads: int,
    progress: Progress | None,
) -> None:
    """Seal what `source` has left, in constant memory."""
    encryptor = sealer.encryptor(context=context, threads=threads)
    target.write(encryptor.prefix)
    target.writelines(map(encryptor.push, _pieces(source, progress)))
    target.write(encryptor.finish())


def open_stream(
    sealer: _donjon.Sealer,
    source: BinaryIO,
    target: BinaryIO,
    *,
    context: Context,
    threads: int,
    progress: Progress | None,
) -> None:
    """Open the envelope that `source` is. Each piece is authentic; that it was all, comes last."""
    prefix = _read(source, ENVELOPE_PREFIX_MAX)
    decryptor = sealer.decryptor(prefix, context=context, threads=threads)
    target.write(decryptor.push(prefix[decryptor.consumed :]))
    target.writelines(map(decryptor.push, _pieces(source, progress, done=len(prefix))))
    target.write(decryptor.finish())


def seal_file(
    sealer: _donjon.Sealer,
    source: StrPath,
    target: StrPath,
    *,
    context: Context,
    threads: int,
    progress: Progress | None,
) -> None:
    """Seal the file at `source` into one at `target`."""
    with _opened(source, target) as file, replacing(target) as out:
        seal_stream(sealer, file, out, context=context, threads=threads, progress=progress)


def open_file(
    sealer: _donjon.Sealer,
    source: StrPath,
    target: StrPath,
    *,
    context: Context,
    threads: int,
    progress: Progress | None,
) -> None:
    """Open the envelope at `source` into a file at `target`, which is there once it is whole."""
    with _opened(source, target) as file, replacing(target) as out:
        open_stream(sealer, file, out, context=context, threads=threads, progress=progress)


def rewrap_file(
    sealer: _donjon.Sealer,
    path: StrPath,
    *,
    to: _donjon.Sealer | None,
    progress: Progress | None,
) -> None:
    """Put the envelope at `path` under another key. Its payload, owner and mode stay."""
    path = Path(path).resolve(strict=True)
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        if before.st_nlink > 1:
            message = "its other names (hard links) would stay under the old key"
            raise OSError(errno.EMLINK, message, str(path))
        header, old_len = sealer.rewrap_header(file.read(ENVELOPE_PREFIX_MAX), to=to)
        with replacing(path) as out:
            out.write(header)
            file.seek(old_len)
            out.writelines(_pieces(file, progress, done=old_len))
            keep_access(out, path, before)
            _refuse_changed(path, before)


def _pieces(file: BinaryIO, progress: Progress | None, *, done: int = 0) -> Iterator[bytes]:
    size = _size(file)
    while piece := _read(file, PIECE):
        yield piece
        done += len(piece)
        if progress is not None:
            progress(done, size)


def _read(file: BinaryIO, size: int) -> bytes:
    """Read as much, or up to the end, which nothing that has not come yet is taken for."""
    piece: bytes | None = file.read(size)
    if piece is None:
        raise BlockingIOError(errno.EAGAIN, "the source is non-blocking, and has nothing yet")
    return piece


def _size(file: BinaryIO) -> int | None:
    """How long the file is, if it is a file and no pipe."""
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def _opened(source: StrPath, target: StrPath) -> Iterator[BinaryIO]:
    with Path(source).open("rb") as file:
        refuse_target(Path(target), os.fstat(file.fileno()))
        yield file


def refuse_target(target: Path, source: os.stat_result) -> None:
    """Refuse to replace what is read, a folder or a device."""
    try:
        there = target.stat()
    except FileNotFoundError:
        return
    if target.is_symlink() and str(target.readlink()).startswith("/proc/"):
        # `/dev/stdout` and its like, which are never meant to be replaced.
        raise InvalidArgument(f"the destination is no regular file: {target}")
    if os.path.samestat(there, source):
        raise InvalidArgument(f"source and destination are one file: {target}")
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not stat.S_ISREG(there.st_mode):
        raise InvalidArgument(f"the destination is no regular file: {target}")


def keep_access(file: BinaryIO, path: Path, before: os.stat_result) -> None:
    """Give the file the owner and the mode of the one at `path`, or refuse to replace that."""
    try:
        os.fchown(file.fileno(), before.st_uid, before.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
    except PermissionError as error:
        raise PermissionError(error.errno, "only its owner can replace it", str(path)) from None


def _refuse_changed(path: Path, before: os.stat_result) -> None:
    """Refuse to replace what somebody else has written meanwhile."""
    now = path.stat()
    if not os.path.samestat(now, before) or (now.st_size, now.st_mtime_ns) != (
        before.st_size,
        before.st_mtime_ns,
    ):
        raise OSError(errno.EBUSY, "written to by somebody else meanwhile", str(path))
