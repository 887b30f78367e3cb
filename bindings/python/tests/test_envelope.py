"""Envelopes: they open where they belong, under their key, and nowhere else."""

from __future__ import annotations

import array
import copy
import mmap
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import donjon
from conftest import CONTEXT, MASTER, NOW, SECRET, SIZES, plaintext_of
from donjon import DataKey, DecryptFailed, Envelope, Keyring, Sealer, inspect_envelope

CHEAP = {"memory_kib": 64, "time_cost": 1, "parallelism": 1}


def by_passphrase(passphrase: str | bytes = "correct horse battery") -> Envelope:
    return Envelope.from_passphrase(passphrase, **CHEAP)


def by_external(key: bytes = bytes(range(32))) -> Envelope:
    return Envelope.from_external(key, key_id="arn:kms/1", wrapped_key=b"blob")


@pytest.fixture(params=["keyring", "passphrase", "external", "data key"])
def sealer(request: pytest.FixtureRequest, envelope: Envelope, data_key: DataKey) -> Sealer:
    sealers: dict[str, Callable[[], Sealer]] = {
        "keyring": lambda: envelope,
        "passphrase": by_passphrase,
        "external": by_external,
        "data key": lambda: data_key,
    }
    return sealers[request.param]()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens(sealer: Sealer, size: int) -> None:
    plaintext = plaintext_of(size)
    sealed = sealer.seal(plaintext, context=CONTEXT)
    assert type(sealed) is bytes
    assert sealer.open(sealed, context=CONTEXT) == plaintext
    assert sealed != sealer.seal(plaintext, context=CONTEXT)


def test_a_cell_is_96_bytes_longer_than_what_it_holds(data_key: DataKey) -> None:
    for size in (0, 1, 64, 16_383):
        assert len(data_key.seal(bytes(size), context=CONTEXT)) == size + 96


@pytest.mark.parametrize(
    "context",
    [
        (),
        CONTEXT[:3],
        (*CONTEXT, ""),
        ("tenant-8", *CONTEXT[1:]),
        (*CONTEXT[:3], "43"),
        tuple(reversed(CONTEXT)),
        ("".join(CONTEXT),),
        ("tenant-7u", "sers", "email", "42"),
    ],
)
def test_what_is_moved_does_not_open(sealer: Sealer, context: tuple[str, ...]) -> None:
    sealed = sealer.seal(b"secret", context=CONTEXT)
    with pytest.raises(DecryptFailed):
        sealer.open(sealed, context=context)


def test_parts_of_a_context_are_bytes(sealer: Sealer) -> None:
    sealed = sealer.seal(b"secret", context=["é", b"\xff\x00", ""])
    assert sealer.open(sealed, context=("é".encode(), b"\xff\x00", b"")) == b"secret"
    assert sealer.open(sealer.seal(b"x", context=()), context=[]) == b"x"


@pytest.mark.parametrize("context", ["users", b"users", None, 7, {"a": 1}, {"a"}, iter("ab")])
def test_a_context_is_a_list_or_a_tuple(envelope: Envelope, context: Any) -> None:
    with pytest.raises(TypeError, match="expected a list or tuple"):
        envelope.seal(b"x", context=context)


@pytest.mark.parametrize("part", [None, 7, True, bytearray(b"x"), ["users"]])
def test_a_part_of_a_context_is_str_or_bytes(envelope: Envelope, part: Any) -> None:
    with pytest.raises(TypeError, match="expected str or bytes"):
        envelope.seal(b"x", context=("users", part))


def test_a_context_has_to_be_given(envelope: Envelope) -> None:
    with pytest.raises(TypeError):
        envelope.seal(b"x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        envelope.open(b"x")  # type: ignore[call-arg]


def test_a_context_has_a_bound(envelope: Envelope) -> None:
    longest = ["x" * (4096 - 4)]
    assert envelope.open(envelope.seal(b"x", context=longest), context=longest) == b"x"
    for context in (["x" * 4093], ["x" * 4000, "x" * 89], [""] * 1025, ["x" * 10**7]):
        with pytest.raises(donjon.EnvelopeInputRefused) as caught:
            envelope.seal(b"x", context=context)
        assert caught.value.reason == "too_large"


def test_half_a_character_is_the_callers_mistake(envelope: Envelope) -> None:
    with pytest.raises(donjon.InvalidArgument):
        envelope.seal(b"x", context=["\ud800"])


def test_every_flipped_bit_is_noticed(data_key: DataKey) -> None:
    sealed = data_key.seal(b"secret", context=CONTEXT)
    for position in range(len(sealed) * 8):
        forged = bytearray(sealed)
        forged[position // 8] ^= 1 << position % 8
        with pytest.raises((DecryptFailed, donjon.EnvelopeKeyRefused)):
            data_key.open(forged, context=CONTEXT)


def test_every_flipped_byte_of_an_envelope_is_noticed(envelope: Envelope) -> None:
    sealed = envelope.seal(b"secret", context=CONTEXT)
    for position in range(len(sealed)):
        forged = bytearray(sealed)
        forged[position] ^= 0x80
        with pytest.raises((DecryptFailed, donjon.EnvelopeKeyRefused)):
            envelope.open(forged, context=CONTEXT)


def test_every_truncation_is_noticed(sealer: Sealer) -> None:
    sealed = sealer.seal(b"secret", context=CONTEXT)
    for length in range(len(sealed)):
        with pytest.raises(DecryptFailed):
            sealer.open(sealed[:length], context=CONTEXT)
    for forged in (sealed + b"\0", b"\0" + sealed, sealed + sealed):
        with pytest.raises(DecryptFailed):
            sealer.open(forged, context=CONTEXT)


def test_chunks_have_their_places(data_key: DataKey) -> None:
    chunk = 16_384 + 16
    sealed = data_key.seal(plaintext_of(3 * 16_384), context=CONTEXT)
    start = len(sealed) - 3 * chunk - 16
    first, second = sealed[start : start + chunk], sealed[start + chunk : start + 2 * chunk]
    for body in (
        second + first + sealed[start + 2 * chunk :],
        first + sealed[start + 2 * chunk :],
        first + first + sealed[start + chunk :],
        sealed[start:-16],
        sealed[start : start + chunk],
    ):
        with pytest.raises(DecryptFailed):
            data_key.open(sealed[:start] + body, context=CONTEXT)


@pytest.mark.parametrize("junk", [b"", b"x", b"DJN1", bytes(200), b"DJN2" + bytes(200)])
def test_junk_does_not_open(sealer: Sealer, junk: bytes) -> None:
    with pytest.raises(DecryptFailed) as caught:
        sealer.open(junk, context=CONTEXT)
    assert (caught.value.reason, caught.value.http_status) == ("decrypt_failed", 500)


def test_kinds_do_not_open_each_other(envelope: Envelope, data_key: DataKey) -> None:
    sealers = [envelope, data_key, by_passphrase(), by_external()]
    for sealer in sealers:
        sealed = sealer.seal(b"secret", context=CONTEXT)
        for other in sealers:
            if other is not sealer:
                with pytest.raises(donjon.EnvelopeError):
                    other.open(sealed, context=CONTEXT)


# ---- keys ----


def test_a_rotated_key_opens_and_re_wrapping_moves_on(stored_keys: Keyring) -> None:
    old = Envelope(stored_keys)
    rotated = stored_keys.rotate("envelope", now=NOW)
    new = Envelope(rotated)
    sealed = old.seal(plaintext_of(40_000), context=CONTEXT)
    assert new.key_id != old.key_id
    assert new.open(sealed, context=CONTEXT, now=NOW + 10**9) == plaintext_of(40_000)

    assert (old.needs_rewrap(sealed), new.needs_rewrap(sealed)) == (False, True)
    rewrapped = new.rewrap(sealed)
    assert not new.needs_rewrap(rewrapped)
    assert rewrapped.endswith(sealed[inspect_envelope(sealed).header_len :])
    assert new.open(rewrapped, context=CONTEXT) == plaintext_of(40_000)
    assert inspect_envelope(rewrapped).key_id == new.key_id

    header, old_len = new.rewrap_header(sealed[: donjon.envelope.ENVELOPE_PREFIX_MAX])
    assert new.open(header + sealed[old_len:], context=CONTEXT) == plaintext_of(40_000)


def test_another_keyring_can_take_over(envelope: Envelope) -> None:
    other = Envelope(Keyring.generate(None, purposes=["envelope"]))
    sealed = envelope.rewrap(envelope.seal(b"secret", context=CONTEXT), to=other)
    assert other.open(sealed, context=CONTEXT) == b"secret"
    with pytest.raises(donjon.EnvelopeKeyRefused):
        envelope.open(sealed, context=CONTEXT)


def test_a_passphrase_can_be_changed() -> None:
    old, new = by_passphrase("old"), by_passphrase("new")
    sealed = old.rewrap(old.seal(b"secret", context=CONTEXT), to=new)
    assert new.open(sealed, context=CONTEXT) == b"secret"
    with pytest.raises(DecryptFailed):
        old.open(sealed, context=CONTEXT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [(Keyring.disable, "key_disabled"), (Keyring.destroy, "key_destroyed")],
)
def test_a_key_that_is_taken_out_is_told_from_a_forgery(
    stored_keys: Keyring, change: Callable[[Keyring, str], Keyring], reason: str
) -> None:
    old = Envelope(stored_keys)
    sealed = old.seal(b"secret", context=CONTEXT)
    keyring = change(stored_keys.rotate("envelope"), old.key_id)
    with pytest.raises(donjon.EnvelopeKeyRefused) as caught:
        Envelope(keyring).open(sealed, context=CONTEXT)
    assert (caught.value.reason, caught.value.http_status) == (reason, 500)
    assert not isinstance(caught.value, donjon.TokenError)


def test_an_unknown_key_is_no_reason_to_try_others(envelope: Envelope) -> None:
    sealed = Envelope(Keyring.generate(None, purposes=["envelope"])).seal(b"x", context=())
    with pytest.raises(donjon.EnvelopeKeyRefused) as caught:
        envelope.open(sealed, context=())
    assert caught.value.reason == "unknown_key"


def test_a_keyring_without_a_primary_is_refused_and_says_so(keyring: Keyring) -> None:
    with pytest.raises(donjon.ConfigError) as caught:
        Envelope(keyring)
    assert caught.value.diagnosis is not None
    assert "envelope" in str(caught.value)


def test_all_hosts_of_a_master_secret_open_alike() -> None:
    keys: Any = [{"purpose": "envelope", "alg": "HS256", "epoch": 1}]
    here, there = (Envelope(Keyring.from_master(MASTER, keys=keys)) for _ in range(2))
    assert there.open(here.seal(b"secret", context=CONTEXT), context=CONTEXT) == b"secret"


def test_another_passphrase_does_not_open() -> None:
    sealed = by_passphrase("correct").seal(b"secret", context=CONTEXT)
    assert by_passphrase(b"correct").open(sealed, context=CONTEXT) == b"secret"
    assert by_passphrase().key_id == ""
    with pytest.raises(DecryptFailed):
        by_passphrase("Correct").open(sealed, context=CONTEXT)


def test_what_a_stored_passphrase_may_cost_is_bounded() -> None:
    sealed = bytearray(by_passphrase().seal(b"x", context=()))
    # After magic, kind, an empty key id and the salt: the memory, in KiB.
    assert sealed[22:26] == (64).to_bytes(4, "big")
    sealed[22:26] = (2**31).to_bytes(4, "big")
    with pytest.raises(donjon.EnvelopeInputRefused) as caught:
        by_passphrase().open(sealed, context=())
    assert caught.value.reason == "params_out_of_bounds"


def test_a_passphrase_costs_what_it_says() -> None:
    found = inspect_envelope(Envelope.from_passphrase("correct horse").seal(b"", context=()))
    assert (found.memory_kib, found.time_cost, found.parallelism) == (256 * 1024, 3, 1)
    for cost in ({"time_cost": 0}, {"parallelism": 0}, {"memory_kib": 1}, {"memory_kib": 2**31}):
        with pytest.raises(donjon.EnvelopeInputRefused):
            Envelope.from_passphrase("correct horse", **cost)


@pytest.mark.parametrize("passphrase", [b"x" * 4097, "x" * 10**6])
def test_a_passphrase_has_a_bound(passphrase: str | bytes) -> None:
    with pytest.raises(donjon.DonjonError):
        by_passphrase(passphrase)


@pytest.mark.parametrize(
    ("key", "key_id", "wrapped"),
    [
        (b"short", "k", b"x"),
        (bytes(33), "k", b"x"),
        (bytes(range(32)), "", b"x"),
        (bytes(range(32)), "k" * 129, b"x"),
        (bytes(range(32)), "a\nb", b"x"),
        (bytes(range(32)), "k", b""),
        (bytes(range(32)), "k", bytes(6145)),
    ],
)
def test_an_external_key_is_checked(key: bytes, key_id: str, wrapped: bytes) -> None:
    with pytest.raises(donjon.DonjonError):
        Envelope.from_external(key, key_id=key_id, wrapped_key=wrapped)


def test_a_host_finds_its_wrapped_key_again() -> None:
    key = donjon.generate_external_key()
    assert len(key) == 32
    assert key != donjon.generate_external_key()
    blob = bytes(range(256)) * 24
    envelope = Envelope.from_external(key, key_id="arn:kms/1", wrapped_key=blob)
    found = inspect_envelope(envelope.seal(b"secret", context=CONTEXT))
    assert (found.kind, found.key_id, found.wrapped_key) == ("external", "arn:kms/1", blob)
    again = Envelope.from_external(key, key_id=found.key_id, wrapped_key=blob)
    assert again.key_id == "arn:kms/1"


def test_an_inspection_needs_no_key(envelope: Envelope, data_key: DataKey) -> None:
    sealed = {
        "self-contained": envelope.seal(b"x", context=()),
        "data-key": envelope.new_data_key("tenant-7")[1],
        "cell": data_key.seal(b"x", context=()),
        "passphrase": by_passphrase().seal(b"x", context=()),
    }
    for kind, text in sealed.items():
        found = inspect_envelope(text)
        assert found.kind == kind
        assert found.wrapped_key is None
        assert 0 < found.header_len <= len(text)
    assert inspect_envelope(sealed["cell"]).key_id == data_key.key_id
    cost = inspect_envelope(sealed["passphrase"])
    assert (cost.memory_kib, cost.time_cost, cost.parallelism) == (64, 1, 1)
    with pytest.raises(DecryptFailed):
        inspect_envelope(b"DJN1")


# ---- data keys ----


def test_a_data_key_comes_back_for_its_scope_only(envelope: Envelope) -> None:
    key, wrapped = envelope.new_data_key("tenant-7")
    cell = key.seal(b"secret", context=CONTEXT)
    again = envelope.open_data_key(wrapped, "tenant-7")
    assert again.key_id == key.key_id
    assert again.open(cell, context=CONTEXT) == b"secret"
    for scope in ("tenant-8", "", b"tenant-7\0"):
        with pytest.raises(DecryptFailed):
            envelope.open_data_key(wrapped, scope)
    with pytest.raises(DecryptFailed):
        envelope.open(wrapped, context=())


def test_re_wrapping_a_data_key_leaves_its_cells_alone(stored_keys: Keyring) -> None:
    old, new = Envelope(stored_keys), Envelope(stored_keys.rotate("envelope"))
    key, wrapped = old.new_data_key("tenant-7")
    cell = key.seal(b"secret", context=CONTEXT)
    assert new.needs_rewrap(wrapped)
    for to in (new, by_passphrase(), by_external()):
        rewrapped = new.rewrap_data_key(wrapped, "tenant-7", to=to)
        again = to.open_data_key(rewrapped, "tenant-7")
        assert again.key_id == key.key_id
        assert again.open(cell, context=CONTEXT) == b"secret"
    assert not new.needs_rewrap(new.rewrap_data_key(wrapped, "tenant-7"))
    with pytest.raises(DecryptFailed):
        new.rewrap_data_key(wrapped, "tenant-8")


def test_a_data_key_wraps_no_data_key(envelope: Envelope, data_key: DataKey) -> None:
    _, wrapped = envelope.new_data_key("tenant-7")
    with pytest.raises(donjon.DonjonError):
        envelope.rewrap_data_key(wrapped, "tenant-7", to=data_key)


def test_a_data_key_of_another_subject_opens_nothing(envelope: Envelope) -> None:
    mine, theirs = envelope.new_data_key("ann")[0], envelope.new_data_key("eve")[0]
    with pytest.raises(DecryptFailed):
        theirs.open(mine.seal(b"secret", context=CONTEXT), context=CONTEXT)


# ---- what Python passes ----


def buffers(data: bytes) -> list[Any]:
    pages = mmap.mmap(-1, len(data))
    pages.write(data)
    spaced = bytearray(2 * len(data))
    spaced[::2] = data
    return [
        bytearray(data),
        memoryview(data),
        memoryview(bytearray(data)),
        memoryview(spaced)[::2],
        memoryview(data).cast("B", (len(data) // 4, 4)),
        array.array("I", data),
        pages,
    ]


@pytest.mark.parametrize("size", [64, 40_000])
def test_any_buffer_is_sealed_and_opened(data_key: DataKey, size: int) -> None:
    plaintext = plaintext_of(size)
    for buffer in buffers(plaintext):
        sealed = data_key.seal(buffer, context=CONTEXT)
        assert data_key.open(sealed, context=CONTEXT) == plaintext
    for buffer in buffers(data_key.seal(plaintext, context=CONTEXT)):
        assert data_key.open(buffer, context=CONTEXT) == plaintext


@pytest.mark.parametrize("plaintext", ["text", None, 7, 7.0, [1, 2], object()])
def test_what_is_no_buffer_is_a_type_error(data_key: DataKey, plaintext: Any) -> None:
    for call in (data_key.seal, data_key.open):
        with pytest.raises(TypeError, match="expected bytes or another buffer"):
            call(plaintext, context=CONTEXT)


def test_a_released_view_is_no_buffer(data_key: DataKey) -> None:
    view = memoryview(b"secret")
    view.release()
    with pytest.raises(ValueError, match="released"):
        data_key.seal(view, context=CONTEXT)


def test_a_buffer_that_changes_meanwhile_is_sealed_as_it_was(data_key: DataKey) -> None:
    """Another thread may write to it, and even take its memory away."""
    stop = threading.Event()
    buffer = bytearray(1 << 20)

    def scribble() -> None:
        while not stop.is_set():
            buffer[:] = b"\xff" * len(buffer)
            buffer.clear()
            buffer.extend(bytes(1 << 20))

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        for _ in range(50):
            opened = data_key.open(data_key.seal(buffer, context=()), context=())
            assert opened in {b"", bytes(1 << 20), b"\xff" * (1 << 20)}
    finally:
        stop.set()
        thread.join()


def test_subclasses_are_what_they_hold(data_key: DataKey) -> None:
    class Blob(bytes):
        def __bytes__(self) -> bytes:
            return b"eve"

        def __len__(self) -> int:
            return 10**12

    sealed = Blob(data_key.seal(Blob(b"secret"), context=(Blob(b"users"),)))
    assert data_key.open(sealed, context=(b"users",)) == b"secret"


@pytest.mark.parametrize("now", [-1, -(2**63)])
def test_a_clock_before_1970_is_a_mistake(envelope: Envelope, now: int) -> None:
    sealed = envelope.seal(b"x", context=())
    with pytest.raises(donjon.InvalidArgument):
        envelope.seal(b"x", context=(), now=now)
    with pytest.raises(donjon.InvalidArgument):
        envelope.open(sealed, context=(), now=now)


def test_threads_share_a_sealer(data_key: DataKey) -> None:
    def work(name: int) -> bool:
        for size in (10, 20_000):
            for _ in range(50):
                sealed = data_key.seal(bytes([name]) * size, context=(str(name),))
                assert data_key.open(sealed, context=(str(name),)) == bytes([name]) * size
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_other_threads_go_on_while_much_is_sealed(data_key: DataKey) -> None:
    plaintext, ticks, stop = bytes(64 << 20), [0], threading.Event()

    def tick() -> None:
        while not stop.wait(0.0005):
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        before = ticks[0]
        data_key.seal(plaintext, context=())
        assert ticks[0] > before
    finally:
        stop.set()
        thread.join()


def test_secrets_cannot_be_pickled_or_copied_by_accident(sealer: Sealer) -> None:
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            act(sealer)


def test_nothing_is_leaked_by_what_is_refused(data_key: DataKey) -> None:
    sealed = data_key.seal(plaintext_of(50_000), context=CONTEXT)
    forged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    before = sys.getrefcount(forged)
    for _ in range(100):
        with pytest.raises(DecryptFailed):
            data_key.open(forged, context=CONTEXT)
    assert sys.getrefcount(forged) == before


def test_a_sealer_does_not_show_its_key(envelope: Envelope, data_key: DataKey) -> None:
    assert repr(envelope) == f"<Envelope {envelope.key_id}>"
    assert repr(data_key) == f"<DataKey {data_key.key_id}>"
    assert SECRET not in repr(Envelope.from_passphrase(SECRET, **CHEAP))
