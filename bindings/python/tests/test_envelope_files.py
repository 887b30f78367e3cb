"""Files that are sealed and opened: there as a whole, or as they were before."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import donjon
from conftest import CONTEXT, SIZES, plaintext_of
from donjon import DecryptFailed, Envelope, Keyring, Sealer, _files

Call = Callable[..., None]


@pytest.fixture(autouse=True, params=["nameless", "named"])
def drafts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """File systems have files without a name, or have none."""
    if request.param == "named":
        monkeypatch.setattr(_files, "_nameless", lambda _: None)
    return str(request.param)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(plaintext_of(3_000_000))
    return path


@pytest.fixture
def sealed(envelope: Envelope, source: Path, tmp_path: Path) -> Path:
    path = tmp_path / "sealed"
    envelope.seal_file(source, path, context=CONTEXT)
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_comes_back(envelope: Envelope, tmp_path: Path, size: int, threads: int) -> None:
    source, sealed, opened = (tmp_path / name for name in ("source", "sealed", "opened"))
    source.write_bytes(plaintext_of(size))
    envelope.seal_file(source, sealed, context=CONTEXT, threads=threads)
    assert envelope.open(sealed.read_bytes(), context=CONTEXT) == plaintext_of(size)
    envelope.open_file(str(sealed), str(opened), context=CONTEXT, threads=threads)
    assert opened.read_bytes() == plaintext_of(size)
    assert names(tmp_path) == {"source", "sealed", "opened"}


def test_only_its_owner_can_read_it_from_the_beginning(
    envelope: Envelope, source: Path, tmp_path: Path, drafts: str
) -> None:
    seen = set[int]()

    def progress(_done: int, _total: int | None) -> None:
        seen.update(mode(tmp_path / draft) for draft in names(tmp_path) - {"source"})

    umask = os.umask(0)
    try:
        envelope.seal_file(source, tmp_path / "sealed", context=CONTEXT, progress=progress)
    finally:
        os.umask(umask)
    assert seen == ({0o600} if drafts == "named" else set())
    assert mode(tmp_path / "sealed") == 0o600


def test_progress_is_told(envelope: Envelope, source: Path, tmp_path: Path) -> None:
    size, sealed, told = source.stat().st_size, tmp_path / "sealed", list[tuple[int, int | None]]()
    for call, src, dst in (
        (envelope.seal_file, source, sealed),
        (envelope.open_file, sealed, tmp_path / "opened"),
    ):
        told.clear()
        call(src, dst, context=CONTEXT, progress=lambda *now: told.append(now))
        assert [done for done, _ in told] == sorted({done for done, _ in told})
        assert told[-1] == (src.stat().st_size, src.stat().st_size)
    assert size < sealed.stat().st_size


def test_what_was_there_is_replaced(envelope: Envelope, source: Path, tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.write_bytes(b"older")
    sealed.chmod(0o644)
    envelope.seal_file(source, sealed, context=CONTEXT)
    assert mode(sealed) == 0o600
    assert envelope.open(sealed.read_bytes(), context=CONTEXT) == source.read_bytes()


class _Stop(BaseException):
    """As `KeyboardInterrupt`: no `Exception`."""


def _raise(error: BaseException) -> Any:
    def act(*_: object, **__: object) -> Any:
        raise error

    return act


def _full(*_: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("before", [None, b"older"])
@pytest.mark.parametrize("error", [_Stop(), KeyboardInterrupt(), RuntimeError(), OSError(5, "io")])
def test_an_exception_leaves_all_as_it_was(
    envelope: Envelope, sealed: Path, tmp_path: Path, before: bytes | None, error: BaseException
) -> None:
    target = tmp_path / "target"
    if before is not None:
        target.write_bytes(before)
    there = names(tmp_path)
    calls: list[Call] = [envelope.seal_file, envelope.open_file]
    for call in calls:
        with pytest.raises(type(error)):
            call(sealed, target, context=CONTEXT, progress=_raise(error))
        assert names(tmp_path) == there
        assert before is None or target.read_bytes() == before
    content = sealed.read_bytes()
    with pytest.raises(type(error)):
        envelope.rewrap_file(sealed, progress=_raise(error))
    assert (names(tmp_path), sealed.read_bytes()) == (there, content)


@pytest.mark.parametrize("function", ["fsync", "open"])
def test_a_full_disk_leaves_all_as_it_was(
    envelope: Envelope,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"older")
    monkeypatch.setattr(os, function, _full)
    with pytest.raises(OSError, match="No space"):
        envelope.seal_file(source, target, context=CONTEXT)
    assert names(tmp_path) == {"source", "target"}
    assert target.read_bytes() == b"older"


def test_a_file_that_may_grow_no_more_leaves_nothing(source: Path, tmp_path: Path) -> None:
    program = f"""
import resource, signal
from donjon import Envelope, Keyring
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
envelope = Envelope(Keyring.generate(None, purposes=["envelope"]))
try:
    envelope.seal_file({str(source)!r}, {str(tmp_path / "sealed")!r}, context=())
except OSError as error:
    print(error.errno)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{errno.EFBIG}\n"
    assert names(tmp_path) == {"source"}


def test_the_file_is_synced_and_then_its_name(
    envelope: Envelope, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def fsync(descriptor: int) -> None:
        calls.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    envelope.seal_file(source, tmp_path / "sealed", context=CONTEXT)
    assert calls == [False, True]


@pytest.mark.parametrize("damage", ["flip", "cut", "longer", "empty"])
def test_what_is_not_authentic_leaves_nothing(
    envelope: Envelope, sealed: Path, tmp_path: Path, damage: str
) -> None:
    content = bytearray(sealed.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    elif damage == "cut":
        del content[-16_400:]
    elif damage == "longer":
        content += b"\0"
    else:
        content.clear()
    sealed.write_bytes(content)
    there = names(tmp_path)
    with pytest.raises(DecryptFailed):
        envelope.open_file(sealed, tmp_path / "opened", context=CONTEXT)
    assert names(tmp_path) == there


def test_a_source_that_cannot_be_read_leaves_nothing(envelope: Envelope, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for source, error in ((tmp_path / "missing", FileNotFoundError), (folder, IsADirectoryError)):
        with pytest.raises(error):
            envelope.seal_file(source, tmp_path / "sealed", context=CONTEXT)
    assert names(tmp_path) == {"folder"}


def test_a_context_that_is_none_leaves_nothing(
    envelope: Envelope, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(TypeError):
        envelope.seal_file(source, tmp_path / "sealed", context="users")
    assert names(tmp_path) == {"source"}


def test_a_file_is_never_sealed_into_itself(
    envelope: Envelope, source: Path, tmp_path: Path
) -> None:
    content, link, hard = source.read_bytes(), tmp_path / "link", tmp_path / "hard"
    link.symlink_to(source)
    hard.hardlink_to(source)
    for target in (source, link, hard, f"{tmp_path}/../{tmp_path.name}/source"):
        with pytest.raises(donjon.InvalidArgument, match="one file"):
            envelope.seal_file(source, target, context=CONTEXT)
        with pytest.raises(donjon.InvalidArgument, match="one file"):
            envelope.seal_file(link, target, context=CONTEXT)
    assert source.read_bytes() == content
    assert names(tmp_path) == {"source", "link", "hard"}


def test_a_folder_or_a_device_is_not_replaced(
    envelope: Envelope, source: Path, tmp_path: Path
) -> None:
    folder, pipe, link = (tmp_path / name for name in ("folder", "pipe", "link"))
    folder.mkdir()
    os.mkfifo(pipe)
    # As `/dev/stdout` is.
    link.symlink_to("/proc/self/fd/1")
    with pytest.raises(IsADirectoryError):
        envelope.seal_file(source, folder, context=CONTEXT)
    for target in (pipe, link):
        with pytest.raises(donjon.InvalidArgument, match="no regular file"):
            envelope.seal_file(source, target, context=CONTEXT)
    assert names(tmp_path) == {"source", "folder", "pipe", "link"}
    assert link.is_symlink()


def test_a_symbolic_link_is_replaced_and_not_followed(
    envelope: Envelope, source: Path, tmp_path: Path
) -> None:
    precious, link = tmp_path / "precious", tmp_path / "link"
    precious.write_bytes(b"precious")
    link.symlink_to(precious)
    envelope.seal_file(source, link, context=CONTEXT)
    assert precious.read_bytes() == b"precious"
    assert not link.is_symlink()
    assert envelope.open(link.read_bytes(), context=CONTEXT) == source.read_bytes()


def test_a_name_may_be_as_long_as_names_get(
    envelope: Envelope, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / ("x" * 255)
    envelope.seal_file(source, target, context=CONTEXT)
    assert target.exists()


def test_a_name_without_a_folder_is_in_this_one(
    envelope: Envelope, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    envelope.seal_file(source.name, "sealed", context=CONTEXT)
    assert names(tmp_path) == {"source", "sealed"}


# ---- re-wrapping ----


def test_a_file_is_put_under_another_key(stored_keys: Keyring, sealed: Path) -> None:
    before, new = sealed.read_bytes(), Envelope(stored_keys.rotate("envelope"))
    sealed.chmod(0o640)
    new.rewrap_file(sealed)
    after = sealed.read_bytes()
    assert not new.needs_rewrap(after)
    assert mode(sealed) == 0o640
    assert new.open(after, context=CONTEXT) == plaintext_of(3_000_000)
    assert (
        after[donjon.inspect_envelope(after).header_len :]
        == (before[donjon.inspect_envelope(before).header_len :])
    )
    other = Envelope(Keyring.generate(None, purposes=["envelope"]))
    new.rewrap_file(str(sealed), to=other)
    assert other.open(sealed.read_bytes(), context=CONTEXT) == plaintext_of(3_000_000)


def test_re_wrapping_goes_through_a_link(stored_keys: Keyring, sealed: Path) -> None:
    new, link = Envelope(stored_keys.rotate("envelope")), sealed.with_name("link")
    link.symlink_to(sealed)
    new.rewrap_file(link)
    assert link.is_symlink()
    assert not new.needs_rewrap(sealed.read_bytes())


def test_what_somebody_writes_meanwhile_is_not_lost(envelope: Envelope, sealed: Path) -> None:
    there = names(sealed.parent)

    def write(_done: int, _total: int | None) -> None:
        sealed.with_name("newer").write_bytes(b"newer")
        sealed.with_name("newer").replace(sealed)

    with pytest.raises(OSError, match="meanwhile"):
        envelope.rewrap_file(sealed, progress=write)
    assert sealed.read_bytes() == b"newer"
    assert names(sealed.parent) == there


def test_what_is_no_envelope_is_not_re_wrapped(envelope: Envelope, source: Path) -> None:
    content = source.read_bytes()
    with pytest.raises(DecryptFailed):
        envelope.rewrap_file(source)
    assert source.read_bytes() == content
    assert names(source.parent) == {"source"}


def test_a_file_of_several_names_is_not_re_wrapped(envelope: Envelope, sealed: Path) -> None:
    sealed.with_name("other").hardlink_to(sealed)
    content = sealed.read_bytes()
    with pytest.raises(OSError, match="other names"):
        envelope.rewrap_file(sealed)
    assert sealed.read_bytes() == content


def test_a_file_whose_owner_cannot_be_kept_is_not_replaced(
    envelope: Envelope, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, there = sealed.read_bytes(), names(sealed.parent)
    refused = PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    monkeypatch.setattr(os, "fchown", _raise(refused))
    with pytest.raises(PermissionError, match="only its owner") as caught:
        envelope.rewrap_file(sealed)
    assert caught.value.filename == str(sealed)
    assert (sealed.read_bytes(), names(sealed.parent)) == (content, there)


def write_while(path: Path, act: Callable[[Path], None]) -> None:
    with _files.replacing(path, overwrite=False) as file:
        file.write(b"mine")
        act(path)


def test_what_appears_meanwhile_can_be_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "target"
    for appear in (Path.touch, lambda path: path.symlink_to("nowhere")):
        with pytest.raises(FileExistsError):
            write_while(path, appear)
        assert names(tmp_path) == {"target"}
        path.unlink()
    write_while(path, lambda _: None)
    assert (path.read_bytes(), path.stat().st_nlink) == (b"mine", 1)


# ---- at the limits ----


def test_a_large_file_takes_little_memory(envelope: Envelope, tmp_path: Path) -> None:
    source, sealed, opened = (tmp_path / name for name in ("source", "sealed", "opened"))
    with source.open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    try:
        envelope.seal_file(source, sealed, context=CONTEXT)
        envelope.open_file(sealed, opened, context=CONTEXT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
    assert opened.stat().st_size == 64 << 20


PROGRAM = """
import sys
from donjon import Envelope, Keyring, _files
source, target, call, drafts = sys.argv[1:]
if drafts == "named":
    _files._nameless = lambda _: None
envelope = Envelope(Keyring.from_jwks(sys.stdin.read()))
def progress(done, total):
    print(done, flush=True)
getattr(envelope, call)(source, target, context=("a",), progress=progress)
"""


@pytest.mark.parametrize("call", ["seal_file", "open_file"])
def test_a_kill_leaves_the_older_file(
    stored_keys: Keyring, tmp_path: Path, call: str, drafts: str
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    envelope: Sealer = Envelope(stored_keys)
    source.write_bytes(plaintext_of(1000))
    if call == "open_file":
        envelope.seal_file(source, target, context=("a",))
        target.replace(source)
    with source.open("ab") as file:
        file.truncate(32 << 20)
    target.write_bytes(b"older")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(source), str(target), call, drafts],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(stored_keys.export_secret_jwks())
    process.stdin.close()
    if call == "seal_file":
        process.stdout.readline()
    else:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    process.stdout.close()
    assert target.read_bytes() == b"older"
    left = names(tmp_path) - {"source", "target"}
    # Where there are files without a name, nothing; else what is private and says what it is.
    assert not left or drafts == "named"
    assert all(name.startswith(".donjon-") and mode(tmp_path / name) == 0o600 for name in left)
