"""The vectors that every language reads, through this one's shim."""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from donjon import _donjon

TESTS = Path(__file__).parents[3] / "tests"
# What only the shim's own build of the package can do: a wheel for users draws its own entropy.
SHIM_BUILD = TESTS.parent / "target/venv-shim/bin/python"
NEEDS_ENTROPY = frozenset(
    {
        "password_hash",
        "purpose_mint",
        "chunked_seal",
        "envelope_seal",
        "envelope_rewrap",
        "passphrase_seal",
        "external_seal",
        "data_key_new",
        "data_key_rewrap",
        "cell_seal",
        "stream_seal",
        "setting_seal",
        "lockout_device_token",
        "fernet_encrypt",
        "fernet_rotate",
        "session_create",
        "session_check",
        "session_rotate",
        "session_begin_family",
        "session_refresh",
        "session_revoke",
        "session_csrf_token",
        "revocation_set_sign",
    }
)


def _shim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shim", TESTS / "shims/python/shim.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHIM = _shim()


def _cases() -> Iterator[Any]:
    for path in sorted((TESTS / "vectors").glob("*.json")):
        # Each request as the text that it is in the file: duplicate members are part of some.
        for name, request, answer in _parsed(path.read_text()):
            yield pytest.param(request, answer, id=f"{path.stem}: {name}")


def _parsed(text: str) -> Iterator[tuple[str, str, Any]]:
    for case in _elements(dict(SHIM._members(text))["cases"]):
        members = dict(SHIM._members(case))
        yield json.loads(members["name"]), members["request"], json.loads(members["answer"])


def _elements(array: str) -> Iterator[str]:
    at = SHIM._skip(array, 1)
    while array[at] != "]":
        _, end = SHIM._value(array, at)
        yield array[at:end]
        at = SHIM._skip(array, end)
        at = SHIM._skip(array, at + 1) if array[at] == "," else at


def _answer(request_text: str) -> str:
    operation = json.loads(request_text)["op"]
    if operation == "signature_verify":
        pytest.skip("an operation of the Rust shim")
    if operation not in NEEDS_ENTROPY or hasattr(_donjon, "test_entropy"):
        return str(SHIM.answer(request_text))
    if not SHIM_BUILD.exists():
        pytest.skip("wants `tests/shim build python`")
    return _answers_of_the_shims_build()[request_text]


@functools.cache
def _answers_of_the_shims_build() -> dict[str, str]:
    requests = [case.values[0] for case in _cases() if _needs_entropy(case.values[0])]
    # Not `splitlines`: a label may have a U+2028 in it, which ends no line of JSON.
    lines = "".join(" ".join(request.split("\n")) + "\n" for request in requests)
    command = [str(SHIM_BUILD), "-E", str(TESTS / "shims/python/shim.py")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return dict(zip(requests, done.stdout.removesuffix("\n").split("\n"), strict=True))


def _needs_entropy(request_text: str) -> bool:
    return json.loads(request_text)["op"] in NEEDS_ENTROPY


@pytest.mark.parametrize(("request_text", "expected"), list(_cases()))
def test_vector(request_text: str, expected: dict[str, Any]) -> None:
    answer = json.loads(_answer(request_text))
    allowed = expected.pop("error_in", None)
    if allowed is not None:
        assert answer["error"] in allowed
    assert {name: answer.get(name) for name in expected} == expected


def test_there_are_vectors() -> None:
    assert len(list(_cases())) > 100
