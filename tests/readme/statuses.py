"""The table of statuses in docs/abi.md, as the sources have it. Run it to print the table."""

from __future__ import annotations

import re

from fences import ROOT

_VARIANT = re.compile(r"^    (\w+) = (\d+),$", re.MULTILINE)
_ROW = re.compile(r'row\(\s*Status::(\w+),\s*c"(\w+)",\s*(\d+),\s*c"([^"]+)",?\s*\)')
_PYTHON = re.compile(r'^class (\w+)\(.*reason="(\w+)"\)', re.MULTILINE)
_GO_CODE = re.compile(r"^\t(Code\w+)\s+Code = (\d+)$", re.MULTILINE)
_GO_ERROR = re.compile(r"^\t(Err\w+)\s+error = &Error\{(Code\w+)\}", re.MULTILINE)

HEAD = ["| | name | HTTP | Python | Go | means |", "|---|---|---|---|---|---|"]


def table() -> list[str]:
    """Return the lines of the table."""
    numbers = dict(_VARIANT.findall(_read("src/error.rs")))
    python = {
        reason: name
        for name, reason in _PYTHON.findall(_read("bindings/python/python/donjon/errors.py"))
    }
    codes = dict(_GO_CODE.findall(_read("bindings/go/code.go")))
    go = {codes[code]: name for name, code in _GO_ERROR.findall(_read("bindings/go/error.go"))}
    rows = _ROW.findall(_read("src/error.rs"))
    assert len(rows) == len(numbers), (
        "a row of src/error.rs is written in a way that this does not read"
    )
    lines = []
    for variant, name, http, message in rows:
        number = numbers[variant]
        cells = [number, f"`{name}`", http, _code(python.get(name)), _code(go.get(number)), message]
        lines.append(f"| {' | '.join(cells)} |")
    return [*HEAD, *lines]


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _code(name: str | None) -> str:
    return f"`{name}`" if name else "–"


if __name__ == "__main__":
    print("\n".join(table()))
