"""What docs/ state in tables is what the sources have, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from fences import DOCUMENTS, ROOT, prose
from statuses import table

ABI = (ROOT / "docs/abi.md").read_text(encoding="utf-8")
HEADER = (ROOT / "include/donjon.h").read_text(encoding="utf-8")


def test_the_statuses_are_those_of_the_kernel_and_the_bindings() -> None:
    """`python3 tests/readme/statuses.py` prints what has to stand there."""
    assert "\n".join(table()) in ABI


def test_every_function_of_the_header_is_listed_and_no_other() -> None:
    """Also `donjon_test_entropy`, which only the shim's header has."""
    declared = set(
        re.findall(r"\b(donjon_\w+)\(", re.sub(r"^\s*//.*$", "", HEADER, flags=re.MULTILINE))
    )
    listed = set(
        re.findall(r"`(donjon_\w+)`", ABI[ABI.index("## Functions") : ABI.index("## Statuses")])
    )
    assert listed == declared


def test_every_handle_of_the_header_is_named_among_the_rules() -> None:
    """So that who may share one, and who frees it, is said of all."""
    opaque = set(re.findall(r"^typedef struct (donjon_\w+) \1;$", HEADER, re.MULTILINE))
    rule = ABI[ABI.index("**Handles.**") : ABI.index("**Ownership.**")]
    assert set(re.findall(r"`(donjon_\w+)`", rule)) == opaque


def test_the_structures_have_the_sizes_that_are_pinned(tmp_path: Path) -> None:
    """A C compiler says so."""
    sizes = re.findall(r"^\| `(donjon_\w+)` \| (\d+) \|$", ABI, re.MULTILINE)
    assert len(sizes) == len(re.findall(r"^} donjon_\w+;$", HEADER, re.MULTILINE))
    checks = [f'_Static_assert(sizeof({name}) == {size}, "{name}");' for name, size in sizes]
    source = tmp_path / "sizes.c"
    source.write_text("\n".join(["#include <donjon.h>", *checks, ""]), encoding="utf-8")
    command = [
        os.environ.get("CC", "cc"),
        "-std=c11",
        "-fsyntax-only",
        f"-I{ROOT / 'include'}",
        source,
    ]
    subprocess.run(command, check=True, timeout=60)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_repository_leads_to_a_file(document: Path) -> None:
    """Links to the web are not followed."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose(document)):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_heading_leads_to_one(document: Path) -> None:
    """As GitHub spells the anchors of headings."""
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", prose(document)):
        headings = re.findall(
            r"^#+ (.+)$", prose((document.parent / target) if target else document), re.MULTILINE
        )
        anchors = {
            re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings
        }
        assert anchor in anchors, f"{target}#{anchor}"


def test_the_threat_model_says_of_every_dependency_why_it_is_trusted() -> None:
    """Of those that are linked in."""
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    linked = manifest[manifest.index("[dependencies]") : manifest.index("[build-dependencies]")]
    crates = set(re.findall(r"^([\w-]+) = ", linked, re.MULTILINE))
    model = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", model[model.index("## Dependencies") :], re.MULTILINE)
    assert set(re.findall(r"`([\w-]+)`", " ".join(rows))) == crates
