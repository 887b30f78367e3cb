"""What docs/passwords.md and docs/roles.md say of limits, names and defaults is what the kernel has."""

from __future__ import annotations

import re

import pytest
from constants import constant, source
from fences import ROOT

PASSWORDS = (ROOT / "docs/passwords.md").read_text(encoding="utf-8")
ROLES = (ROOT / "docs/roles.md").read_text(encoding="utf-8")


def cells(text: str, first: str) -> list[list[str]]:
    """Return the cells of the rows whose first cell fits."""
    rows = re.findall(rf"^\| ({first}) \| (.*) \|$", text, re.MULTILINE)
    return [[row[0], *row[-1].split(" | ")] for row in rows]


def test_the_presets_are_those_of_the_kernel() -> None:
    """Memory, passes and lanes."""
    params = source("password/params.rs")
    made = {
        name: tuple(int(number.replace("_", "")) for number in numbers)
        for name, *numbers in re.findall(
            r"const (\w+): Self = Self \{ memory_kib: ([\d_]+), time_cost: (\d+), parallelism: (\d+) \};",
            params.replace(
                "MAX_MEMORY_KIB,",
                f"{constant('password/params.rs', 'MAX_MEMORY_KIB')},",
            ),
        )
    }
    named = dict(re.findall(r'"([\w-]+)" => Some\(Self::(\w+)\)', params))
    unit = {"MiB": 1024, "GiB": 1024 * 1024}
    listed = {}
    for name, memory, passes, lanes, *_ in cells(PASSWORDS, r"`(?:default|owasp|rfc9106[\w-]*)`"):
        size, _, of = memory.partition(" ")
        listed[name.strip("`")] = (int(size) * unit[of], int(passes), int(lanes))
    assert listed == {name: made[variant] for name, variant in named.items()}


def test_every_member_of_a_hashers_configuration_is_listed_and_no_other() -> None:
    """In the table of docs/passwords.md."""
    members = set(
        re.findall(
            r'^ +"(\w+)" => (?:config|memory|time|parallel)',
            source("password/config.rs"),
            re.MULTILINE,
        )
    )
    table = PASSWORDS[PASSWORDS.index("| member |") : PASSWORDS.index("Less than every one")]
    assert {row[0].strip("`") for row in cells(table, r"`\w+`")} == members


def test_every_legacy_scheme_is_listed_and_no_other() -> None:
    """By the names that a configuration spells."""
    names = re.findall(r'Self::\w+ => "(\w+)"', source("password/legacy/mod.rs"))
    table = PASSWORDS[PASSWORDS.index("| `legacy` | stored as") : PASSWORDS.index("**bcrypt looks")]
    first_cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
    listed = re.findall(r"`(\w+)`", " ".join(first_cells))
    assert names
    assert listed[1:] == names  # the first is the head of the column


def test_the_owasp_minimums_are_those_of_the_kernel() -> None:
    """In mebibytes and passes."""
    minimums = re.search(r"OWASP_MINIMUMS.*?= \[(.*)\];", source("password/params.rs"))
    assert minimums
    pairs = re.findall(r"\(([\d_]+), (\d+)\)", minimums[1])
    sentence = re.search(r"minimums is `config_error`: (.*?)\.", PASSWORDS, re.DOTALL)
    assert sentence
    listed = re.findall(r"(\d+)\s+MiB\s+and\s+(\d+)", sentence[1])
    assert [(int(mib) * 1024, int(passes)) for mib, passes in listed] == [
        (int(kib.replace("_", "")), int(passes)) for kib, passes in pairs
    ]


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("password/secret.rs", "MAX_PASSWORD_LEN", "up to {:,} of them"),
        ("password/phc.rs", "MAX_STORED_LEN", "of at most {} bytes"),
        ("password/config.rs", "DEFAULT_MEMORY_BUDGET_KIB", "| {:,} |"),
        ("password/config.rs", "DEFAULT_MAX_WAIT_MS", "| {:,} |"),
        ("password/config.rs", "MAX_WAIT_MS", "0 to {:,}"),
        ("password/params.rs", "MAX_MEMORY_KIB", "8 per lane to {:,}"),
        ("password/params.rs", "MAX_TIME_COST", "| 1 to {};"),
        ("password/params.rs", "MAX_PARALLELISM", "| 1 to {} |"),
        ("password/legacy/bcrypt.rs", "MAX_COST", "cost 4 to {}"),
        ("password/legacy/pbkdf2.rs", "MAX_ROUNDS", "1 to {:,} rounds"),
        ("password/common.rs", "MAX_USER_INPUTS", "at most {} texts"),
        ("password/common.rs", "MAX_USER_INPUT_LEN", "of {} bytes"),
        ("password/estimate.rs", "MAX_ESTIMATED_CHARS", "first {} characters"),
    ],
)
def test_a_limit_of_passwords_is_the_kernels(path: str, name: str, said: str) -> None:
    """Each as docs/passwords.md words it."""
    assert said.format(constant(path, name)) in " ".join(PASSWORDS.split())


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("rbac/permission.rs", "MAX_PERMISSION_LEN", "| permission | {} bytes"),
        ("rbac/permission.rs", "MAX_SEGMENTS", "bytes, {} segments"),
        ("rbac/catalogue.rs", "MAX_CATALOGUE", "| catalogue | {:,} permissions"),
        ("rbac/document.rs", "MAX_ROLES", "| roles | {:,};"),
        ("rbac/document.rs", "MAX_NAME_LEN", "names of 1 to {} bytes"),
        ("rbac/document.rs", "MAX_GRANTS", "together | {:,} |"),
        ("rbac/document.rs", "MAX_CONSTRAINTS", "| constraints of a kind | {:,} |"),
        (
            "rbac/hierarchy.rs",
            "MAX_INHERITANCE_DEPTH",
            "| inheritance | {} roles deep |",
        ),
        (
            "rbac/subject.rs",
            "MAX_SUBJECT_ENTRIES",
            "| a subject | {0:,} roles, {0:,} permissions",
        ),
        ("rbac/matrix.rs", "MAX_MATRIX_CELLS", "up to {:,} cells"),
        ("rbac/diff.rs", "MAX_REVIEWED_CELLS", "up to {:,} roles times permissions"),
        ("rbac/explain.rs", "MAX_EXPLAINED", "at most {} of each"),
    ],
)
def test_a_limit_of_roles_is_the_kernels(path: str, name: str, said: str) -> None:
    """Each as docs/roles.md words it."""
    assert said.format(constant(path, name)) in " ".join(ROLES.split())


def test_sizes_of_policies_are_the_kernels() -> None:
    """In mebibytes."""
    for path, name, said in [
        ("rbac/document.rs", "MAX_POLICY_LEN", "| document | {} MiB |"),
        ("rbac/policy.rs", "MAX_COMPILED_LEN", "| memory of what is compiled | {} MiB |"),
        ("rbac/matrix.rs", "MAX_MATRIX_LEN", "cells and {} MiB"),
    ]:
        assert said.format(constant(path, name) >> 20) in " ".join(ROLES.split())


def test_every_reason_and_every_lint_is_named() -> None:
    """So that what a log has can be looked up."""
    reasons = re.findall(r'Self::\w+ => "(\w+)"', source("rbac/explain.rs"))
    lints = re.findall(r'Self::\w+ => "(\w+)"', source("rbac/lint.rs"))
    assert "token_lacks" in reasons
    assert "shadowed_grant" in lints
    for name in {*reasons, *lints} - {"granted", "empty", "any", "all"}:
        assert f"`{name}`" in ROLES, name
