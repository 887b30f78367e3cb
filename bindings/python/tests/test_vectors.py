"""The vectors that every language reads, through this one's shim."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from donjon import _donjon

TESTS = Path(__file__).parents[3] / "tests"
# A wheel for users cannot be told which bytes to draw; the cross-language comparison covers these.
NEEDS_ENTROPY = {"purpose_mint"} if not hasattr(_donjon, "test_entropy") else set()
NOT_HERE = {"signature_verify"} | NEEDS_ENTROPY


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


@pytest.mark.parametrize(("request_text", "expected"), list(_cases()))
def test_vector(request_text: str, expected: dict[str, Any]) -> None:
    if json.loads(request_text)["op"] in NOT_HERE:
        pytest.skip("not an operation of this build")
    answer = json.loads(SHIM.answer(request_text))
    allowed = expected.pop("error_in", None)
    if allowed is not None:
        assert answer["error"] in allowed
    assert {name: answer.get(name) for name in expected} == expected


def test_there_are_vectors() -> None:
    assert len(list(_cases())) > 100
