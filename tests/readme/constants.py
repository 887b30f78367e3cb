"""What constants of the kernel are, as its sources say."""

from __future__ import annotations

import re

from fences import ROOT

NUMBER = r"[\d_]+(?: (?:<<|\*) [\d_]+)*"


def source(path: str) -> str:
    """Return a file of the kernel."""
    return (ROOT / "src" / path).read_text(encoding="utf-8")


def constant(path: str, name: str) -> int:
    """Return what a constant of the kernel is."""
    found = re.search(rf"const {name}: \w+ = ({NUMBER});", source(path))
    assert found, f"{path} has no {name} that this can read"
    value: int = eval(found[1], {"__builtins__": {}})  # digits and operators
    return value
