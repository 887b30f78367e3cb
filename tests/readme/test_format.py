"""docs/FORMAT.md: the worked example is what its script makes, donjon reads it, and limits are the kernel's."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import donjon
import format_example as example
import pytest
from constants import constant
from donjon import settings
from fences import ROOT, blocks

FORMAT = (ROOT / "docs/FORMAT.md").read_text(encoding="utf-8")


def keyring(purpose: str, key_id: str, secret: bytes, **members: int) -> donjon.Keyring:
    """Return a keyring of one key."""
    k = urlsafe_b64encode(secret).decode().rstrip("=")
    key = {"kty": "oct", "alg": "HS256", "kid": key_id, "k": k, "status": "primary"}
    return donjon.Keyring.from_jwks(
        json.dumps({"keys": [key | {"purpose": purpose} | members]})
    )


ENVELOPE = donjon.Envelope(keyring("envelope", example.KEY_ID, example.KEY))


@pytest.mark.parametrize("part", example.sections())
def test_the_worked_example_is_what_the_script_makes(part: str) -> None:
    """`python3 tests/readme/format_example.py` prints what has to stand there."""
    assert example.rendered(example.sections()[part]) in FORMAT


def test_donjon_opens_every_envelope_of_the_example() -> None:
    """Of each kind."""
    passphrase = donjon.Envelope.from_passphrase(example.PASSPHRASE)
    external = donjon.Envelope.from_external(
        example.DATA_KEY, key_id=example.KMS_KEY_ID, wrapped_key=example.KMS_BLOB
    )
    data_key = ENVELOPE.open_data_key(example.STORED, example.SCOPE)
    for sealer, sealed in [
        (ENVELOPE, example.ENVELOPE),
        (passphrase, example.PASSPHRASE_ENVELOPE),
        (external, example.EXTERNAL_ENVELOPE),
        (data_key, example.SEALED_CELL),
    ]:
        assert sealer.open(sealed, context=example.CONTEXT) == example.PLAINTEXT
        with pytest.raises(donjon.DecryptFailed):
            sealer.open(sealed, context=("users", "email", "43"))
    assert data_key.key_id == example.DATA_KEY_ID
    for sealer, stored in [
        (passphrase, example.PASSPHRASE_STORED),
        (external, example.EXTERNAL_STORED),
    ]:
        key_id = urlsafe_b64encode(
            example.expand(example.OTHER_DATA_KEY, b"donjon/data-key-id/v1", 12)
        )
        assert sealer.open_data_key(stored, example.SCOPE).key_id == key_id.decode()
        with pytest.raises(donjon.DecryptFailed):
            sealer.open_data_key(stored, "globex")


def test_the_blind_index_and_the_setting_are_donjons() -> None:
    """The values of the example."""
    keys = keyring("blind-index", "index", example.INDEX_KEY, epoch=example.INDEX_EPOCH)
    tenant, table, column = example.INDEX_PLACE
    index = donjon.BlindIndex(
        keys, tenant=tenant, table=table, column=column, bits=example.INDEX_BITS
    )
    assert index.value(example.PLAINTEXT) == example.INDEX_VALUE
    keys = keyring("settings", example.SETTING_KEY_ID, example.SETTING_KEY)
    opened = settings.open_setting(keys, example.SETTING, example.SEALED_SETTING)
    assert opened.encode() == example.SETTING_VALUE


def published_reader() -> Callable[[dict[str, bytes], list[bytes], bytes], bytes]:
    """Return the function that docs/FORMAT.md publishes, without its example."""
    (block,) = (
        one for one in blocks(ROOT / "docs/FORMAT.md") if one.language == "python"
    )
    scope: dict[str, Any] = {}
    exec(block.code[: block.code.index("sealed = ")], scope)  # noqa: S102  of this repository
    reader: Callable[[dict[str, bytes], list[bytes], bytes], bytes] = scope[
        "open_envelope"
    ]
    return reader


def test_the_published_reader_opens_every_golden_envelope_and_no_forged_one() -> None:
    """All vectors of self-contained envelopes that open, and all that fail to decrypt."""
    vectors = json.loads(
        (ROOT / "tests/vectors/envelopes.json").read_text(encoding="utf-8")
    )
    read, opened, refused = published_reader(), 0, 0
    for case in vectors["cases"]:
        request, answer = case["request"], case["answer"]
        outcome = "opens" if answer["ok"] else answer.get("error")
        if request["op"] != "envelope_open" or outcome not in {
            "opens",
            "decrypt_failed",
        }:
            continue
        keys = {
            key["kid"]: urlsafe_b64decode(key["k"] + "==")
            for key in request["keyring"]["keys"]
            if "k" in key
        }
        context = [part.encode() for part in request["context"]]
        envelope = bytes.fromhex(request["envelope_hex"])
        if answer["ok"]:
            assert read(keys, context, envelope).hex() == answer["plaintext_hex"], case[
                "name"
            ]
            opened += 1
            continue
        with pytest.raises(Exception):  # noqa: B017  whichever: it is a sketch
            read(keys, context, envelope)
        refused += 1
    assert opened > 20
    assert refused > 400


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        (
            "envelope/context.rs",
            "MAX_CONTEXT_LEN",
            "| context, encoded; scope | {:,} bytes |",
        ),
        ("keyring/key.rs", "MAX_KEY_ID_LEN", "| key id | 1 to {} bytes"),
        (
            "envelope/header.rs",
            "MAX_WRAPPED_KEY_LEN",
            "wrapped key of a host's | 1 to {:,} bytes |",
        ),
        (
            "envelope/passphrase.rs",
            "MAX_PASSPHRASE_LEN",
            "| passphrase | 1 to {:,} bytes |",
        ),
        ("envelope/passphrase.rs", "MAX_TIME_COST", "1 to {} passes"),
        ("envelope/passphrase.rs", "MAX_PARALLELISM", "1 to {} lanes"),
        ("envelope/passphrase.rs", "MAX_MEMORY_KIB", "8 per lane to {:,} KiB"),
        ("envelope/passphrase.rs", "MAX_WORK", "at most {:,} KiB times passes"),
        ("envelope/blind_index.rs", "MIN_INDEX_BITS", "blind index value | {} to"),
        ("envelope/blind_index.rs", "MAX_INDEX_BITS", "to {} bits |"),
        ("settings.rs", "MAX_VALUE_LEN", "a setting's value | {:,} bytes"),
        ("settings.rs", "MAX_TEXT_LEN", "its text {:,} characters |"),
        ("envelope/chunked.rs", "CHUNK_LEN", "{:,} bytes of plaintext"),
    ],
)
def test_a_limit_is_the_kernels(path: str, name: str, said: str) -> None:
    """Each as docs/FORMAT.md words it."""
    assert said.format(constant(path, name)) in " ".join(FORMAT.split())


def test_the_prefix_that_tells_all_is_the_headers() -> None:
    """Of the C header, which every binding takes it from."""
    header = (ROOT / "include/donjon.h").read_text(encoding="utf-8")
    for name in ("ENVELOPE_PREFIX_MAX", "READER_TAIL_MAX"):
        found = re.search(rf"#define DONJON_{name} (\d+)", header)
        assert found
        assert f"{int(found[1]):,} bytes" in " ".join(FORMAT.split())
