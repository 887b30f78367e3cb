"""Envelopes in pieces: the same bytes however they are cut, and nothing that is not authentic."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import donjon
from conftest import CONTEXT, SIZES, plaintext_of
from donjon import DataKey, DecryptFailed, Envelope
from donjon.envelope import ENVELOPE_PREFIX_MAX


def pieces(data: bytes, seed: int, longest: int = 40_000) -> Iterator[bytes]:
    chance, at = random.Random(seed), 0
    while at < len(data):
        length = chance.choice([0, 1, chance.randrange(longest), 16_384, 16_400])
        yield data[at : at + length]
        at += length


def sealed_in_pieces(key: DataKey, plaintext: bytes, seed: int, threads: int = 1) -> bytes:
    encryptor = key.encryptor(context=CONTEXT, threads=threads)
    body = b"".join(map(encryptor.push, pieces(plaintext, seed)))
    return encryptor.prefix + body + encryptor.finish()


def opened_pieces(key: DataKey, sealed: bytes, seed: int) -> Iterator[bytes]:
    decryptor = key.decryptor(sealed[:ENVELOPE_PREFIX_MAX], context=CONTEXT)
    yield from map(decryptor.push, pieces(sealed[decryptor.consumed :], seed))
    yield decryptor.finish()


def opened_before_it_fails(key: DataKey, sealed: bytes) -> bytes:
    opened = list[bytes]()
    with pytest.raises(DecryptFailed):
        opened.extend(opened_pieces(key, sealed, seed=1))
    return b"".join(opened)


@pytest.mark.parametrize("size", [*SIZES, 200_000])
@pytest.mark.parametrize("seed", range(3))
def test_however_it_is_cut_it_opens(data_key: DataKey, size: int, seed: int) -> None:
    plaintext = plaintext_of(size)
    sealed = sealed_in_pieces(data_key, plaintext, seed)
    assert data_key.open(sealed, context=CONTEXT) == plaintext
    sealed = data_key.seal(plaintext, context=CONTEXT)
    assert b"".join(opened_pieces(data_key, sealed, seed)) == plaintext


def test_byte_by_byte_it_is_the_same(data_key: DataKey) -> None:
    plaintext = plaintext_of(17_000)
    encryptor = data_key.encryptor(context=CONTEXT)
    body = b"".join(encryptor.push(bytes([byte])) for byte in plaintext)
    sealed = encryptor.prefix + body + encryptor.finish()
    assert data_key.open(sealed, context=CONTEXT) == plaintext
    decryptor = data_key.decryptor(sealed, context=CONTEXT)
    rest = sealed[decryptor.consumed :]
    assert b"".join(decryptor.push(bytes([byte])) for byte in rest) + decryptor.finish() == (
        plaintext
    )


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_change_nothing(data_key: DataKey, threads: int) -> None:
    plaintext = plaintext_of(3_000_000)
    encryptor = data_key.encryptor(context=CONTEXT, threads=threads)
    sealed = encryptor.prefix + encryptor.push(plaintext) + encryptor.finish()
    assert data_key.open(sealed, context=CONTEXT) == plaintext
    for count in (1, threads):
        decryptor = data_key.decryptor(sealed[:500], context=CONTEXT, threads=count)
        opened = decryptor.push(sealed[decryptor.consumed :]) + decryptor.finish()
        assert opened == plaintext


def test_every_truncation_is_noticed_at_the_end(data_key: DataKey) -> None:
    plaintext = plaintext_of(2 * 16_384)
    sealed = data_key.seal(plaintext, context=CONTEXT)
    lengths = {*range(100), *range(len(sealed) - 40, len(sealed))}
    lengths |= {96 + 16_384, 96 + 16_400, 80 + 16_384, 80 + 16_400, 80 + 2 * 16_400}
    for length in sorted(lengths):
        assert plaintext.startswith(opened_before_it_fails(data_key, sealed[:length]))


def test_what_is_forged_ends_the_stream(data_key: DataKey) -> None:
    plaintext = plaintext_of(60_000)
    sealed = bytearray(data_key.seal(plaintext, context=CONTEXT))
    sealed[40_000] ^= 1
    opened = opened_before_it_fails(data_key, bytes(sealed))
    assert plaintext.startswith(opened)
    assert len(opened) <= 2 * 16_384
    decryptor = data_key.decryptor(sealed, context=CONTEXT)
    with pytest.raises(DecryptFailed):
        decryptor.push(sealed[decryptor.consumed :])
    for _ in range(2):
        with pytest.raises(DecryptFailed):
            decryptor.push(b"")
        with pytest.raises(DecryptFailed):
            decryptor.finish()


def test_what_comes_after_the_end_is_noticed(data_key: DataKey) -> None:
    sealed = data_key.seal(plaintext_of(100), context=CONTEXT) + b"\0"
    assert opened_before_it_fails(data_key, sealed) in {b"", plaintext_of(100)}


def test_an_end_is_an_end(data_key: DataKey) -> None:
    encryptor = data_key.encryptor(context=CONTEXT)
    sealed = encryptor.prefix + encryptor.push(b"secret") + encryptor.finish()
    decryptor = data_key.decryptor(sealed, context=CONTEXT)
    opened = decryptor.push(sealed[decryptor.consumed :]) + decryptor.finish()
    assert opened == b"secret"
    for stream in (encryptor, decryptor):
        with pytest.raises(donjon.InvalidArgument):
            stream.push(b"more")
        with pytest.raises(donjon.InvalidArgument):
            stream.finish()


def test_another_context_is_noticed_at_once(data_key: DataKey) -> None:
    sealed = data_key.seal(b"secret", context=CONTEXT)
    with pytest.raises(DecryptFailed):
        data_key.decryptor(sealed, context=())


def test_a_context_and_a_prefix_have_to_be_given(data_key: DataKey) -> None:
    with pytest.raises(TypeError):
        data_key.encryptor()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        data_key.decryptor(context=())  # type: ignore[call-arg]
    with pytest.raises(DecryptFailed):
        data_key.decryptor(b"", context=())


@pytest.mark.parametrize("threads", [0, 65, -1, 2**32])
def test_threads_have_a_bound(data_key: DataKey, threads: int) -> None:
    with pytest.raises(donjon.InvalidArgument):
        data_key.encryptor(context=(), threads=threads)


@pytest.mark.parametrize("threads", [True, "2", 2.0, None])
def test_threads_are_an_int(data_key: DataKey, threads: Any) -> None:
    with pytest.raises(TypeError):
        data_key.encryptor(context=(), threads=threads)


def test_threads_that_share_a_stream_take_turns(envelope: Envelope) -> None:
    """In which order they do, nobody can say; but no piece is lost and none is torn."""
    encryptor = envelope.encryptor(context=CONTEXT)
    lock, out = threading.Lock(), {}
    piece = 20_000

    def work(name: int) -> None:
        for turn in range(20):
            pushed = encryptor.push(bytes([name]) * piece)
            with lock:
                out[name, turn] = pushed

    threads = [threading.Thread(target=work, args=(name,)) for name in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end = encryptor.finish()
    sealed_len = len(envelope.seal(bytes(80 * piece), context=CONTEXT))
    assert len(encryptor.prefix) + sum(map(len, out.values())) + len(end) == sealed_len
