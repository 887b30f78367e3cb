"""An envelope as a file: it reads as the plain file would."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from conftest import CONTEXT, SIZES, plaintext_of
from donjon import DataKey, DecryptFailed, Envelope, SealedReader


def reader_of(key: DataKey, plaintext: bytes) -> SealedReader:
    return key.reader(io.BytesIO(key.seal(plaintext, context=CONTEXT)), context=CONTEXT)


@pytest.mark.parametrize("size", [*SIZES, 100_000])
def test_it_reads_as_the_plain_file(data_key: DataKey, size: int) -> None:
    plaintext, chance = plaintext_of(size), random.Random(size)
    plain, reader = io.BytesIO(plaintext), reader_of(data_key, plaintext)
    assert reader.size == size
    assert (reader.readable(), reader.seekable(), reader.writable()) == (True, True, False)
    for _ in range(200):
        act = chance.randrange(5)
        if act == 0:
            place = chance.choice([0, 16_384, size, chance.randrange(size + 20_000)])
            assert reader.seek(place) == plain.seek(place)
        elif act == 1:
            step = chance.randrange(-plain.tell(), 20_000)
            assert reader.seek(step, io.SEEK_CUR) == plain.seek(step, io.SEEK_CUR)
        elif act == 2:
            back = -chance.randrange(size + 1)
            assert reader.seek(back, io.SEEK_END) == plain.seek(back, io.SEEK_END)
        elif act == 3:
            length = chance.choice([0, 1, 100, 16_384, 40_000, -1, None])
            assert reader.read(length) == plain.read(length)
        else:
            ours, theirs = bytearray(5000), bytearray(5000)
            assert reader.readinto(ours) == plain.readinto(theirs)
            assert ours == theirs
        assert reader.tell() == plain.tell()


def test_it_is_a_file_to_the_standard_library(data_key: DataKey) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("one", plaintext_of(50_000))
        file.writestr("two", b"second")
    with zipfile.ZipFile(cast("Any", reader_of(data_key, archive.getvalue()))) as file:
        assert file.read("one") == plaintext_of(50_000)
        assert file.read("two") == b"second"
    lines = b"".join(b"line %d\n" % number for number in range(10_000))
    with io.BufferedReader(reader_of(data_key, lines)) as buffered:
        assert buffered.readlines() == lines.splitlines(keepends=True)
    with io.TextIOWrapper(io.BufferedReader(reader_of(data_key, lines))) as text:
        assert text.read() == lines.decode()


def test_it_reads_a_path(envelope: Envelope, tmp_path: Path) -> None:
    source, sealed = tmp_path / "source", tmp_path / "sealed"
    source.write_bytes(plaintext_of(70_000))
    envelope.seal_file(source, sealed, context=CONTEXT)
    for path in (sealed, str(sealed)):
        with envelope.reader(path, context=CONTEXT) as reader:
            reader.seek(-10, io.SEEK_END)
            assert reader.read() == plaintext_of(70_000)[-10:]


def test_a_file_that_was_given_stays_open(data_key: DataKey) -> None:
    file = io.BytesIO(data_key.seal(b"secret", context=CONTEXT))
    reader = data_key.reader(file, context=CONTEXT)
    reader.close()
    assert not file.closed


def test_after_it_is_closed_it_reads_no_more(envelope: Envelope, tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.write_bytes(envelope.seal(b"secret", context=CONTEXT))
    reader = envelope.reader(sealed, context=CONTEXT)
    reader.close()
    reader.close()
    assert reader.closed
    for act in (reader.read, reader.tell, reader.readall, reader.readable, reader.seekable):
        with pytest.raises(ValueError, match="closed"):
            act()
    with pytest.raises(ValueError, match="closed"):
        reader.seek(0)
    with pytest.raises(ValueError, match="closed"):
        reader.readinto(bytearray(1))


def test_a_place_that_is_none_is_refused(data_key: DataKey) -> None:
    reader = reader_of(data_key, b"secret")
    for place in ((-1, io.SEEK_SET), (-7, io.SEEK_END), (0, 3)):
        with pytest.raises(ValueError, match=r"seek position|whence"):
            reader.seek(*place)
    assert reader.seek(10**18) == 10**18
    assert reader.read() == b""
    assert reader.readinto(bytearray(3)) == 0


def test_what_does_not_open_is_refused_at_once(data_key: DataKey, tmp_path: Path) -> None:
    sealed = data_key.seal(plaintext_of(50_000), context=CONTEXT)
    for forged in (b"", sealed[:-1], sealed[:-16_400], sealed + b"\0", b"x" + sealed):
        with pytest.raises(DecryptFailed):
            data_key.reader(io.BytesIO(forged), context=CONTEXT)
    path = tmp_path / "sealed"
    path.write_bytes(sealed)
    with pytest.raises(DecryptFailed):
        data_key.reader(path, context=())
    with pytest.raises(FileNotFoundError):
        data_key.reader(tmp_path / "missing", context=())
    with pytest.raises(TypeError):
        data_key.reader(7, context=())  # type: ignore[arg-type]


def test_what_is_forged_in_the_middle_is_noticed_when_it_is_read(data_key: DataKey) -> None:
    plaintext = plaintext_of(100_000)
    sealed = bytearray(data_key.seal(plaintext, context=CONTEXT))
    sealed[40_000] ^= 1
    reader = data_key.reader(io.BytesIO(sealed), context=CONTEXT)
    assert reader.read(16_384) == plaintext[:16_384]
    reader.seek(39_000)
    with pytest.raises(DecryptFailed):
        reader.read(10)
    reader.seek(80_000)
    assert reader.read(10) == plaintext[80_000:80_010]


def test_a_file_that_shrinks_meanwhile_is_noticed(data_key: DataKey) -> None:
    file = io.BytesIO(data_key.seal(plaintext_of(100_000), context=CONTEXT))
    reader = data_key.reader(file, context=CONTEXT)
    file.truncate(30_000)
    with pytest.raises(DecryptFailed):
        reader.read()


def test_a_source_that_gives_little_at_once_is_asked_again(data_key: DataKey) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000) if size != -1 else 1000)

    plaintext = plaintext_of(50_000)
    file = Slow(data_key.seal(plaintext, context=CONTEXT))
    reader = data_key.reader(cast("BinaryIO", file), context=CONTEXT)
    assert reader.read() == plaintext
