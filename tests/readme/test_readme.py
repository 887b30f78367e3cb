"""Every example of README.md and docs/ runs as pasted, and prints what its comments say.

Run with the Python of `target/venv` (`make python`), after `make lib`:

    target/venv/bin/python -m pytest tests/readme

Nothing is skipped: a missing tool or build is a failure. Examples of the libraries that donjon replaces
are marked `before`: those in Python run too, those in Go are parsed, for they would have to be fetched.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from fences import DOCUMENTS, ROOT, RUN, SHOWN, Block, blocks, of_language

sys.path.insert(0, str(ROOT / "tests/redis"))
from server import Server

MODULE = "github.com/donjon-security/donjon/bindings/go"
MASTER = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


@pytest.fixture(autouse=True, scope="session")
def redis() -> Iterator[None]:
    """What the examples of a store find in their environment."""
    with Server() as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", server.url)
        yield


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    """Run a command to its end and return what it printed; a failure shows what it said."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "DONJON_MASTER": MASTER, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def pkg_config(*arguments: str) -> list[str]:
    """Ask pkg-config about the library in `target/donjon`, and nowhere else."""
    folder = ROOT / "target/donjon/lib/pkgconfig"
    assert (folder / "donjon.pc").is_file(), "there is no library: run `make lib`"
    command = ("pkg-config", *arguments, "donjon")
    return run(*command, cwd=ROOT, PKG_CONFIG_PATH=str(folder)).split()


def examples(language: str, note: str = "") -> pytest.MarkDecorator:
    """Parametrise over the blocks in one language."""
    return pytest.mark.parametrize("block", of_language(language, note), ids=str)


@examples("python")
def test_python(block: Block, tmp_path: Path) -> None:
    """With the warnings of a test run being errors."""
    assert_prints(block, run_python(block, tmp_path))


@examples("python", "before")
def test_python_before(block: Block, tmp_path: Path) -> None:
    """The other library's half of a comparison is true to that library."""
    assert_prints(block, run_python(block, tmp_path, "-W", "default"))


def run_python(block: Block, folder: Path, *options: str) -> str:
    """Run a script, by the interpreter that runs the tests."""
    assert Path(sys.prefix).resolve() == (ROOT / "target/venv").resolve(), (
        "run this with target/venv/bin/python"
    )
    script = folder / "example.py"
    script.write_text(block.code, encoding="utf-8")
    return run(sys.executable, *(options or ("-W", "error")), script, cwd=folder)


@examples("go")
def test_go(block: Block, tmp_path: Path) -> None:
    """In a module of its own, as `gofmt` writes it."""
    (tmp_path / "main.go").write_text(block.code, encoding="utf-8")
    assert run("gofmt", "-l", ".", cwd=tmp_path) == ""
    write_module(tmp_path, block)
    run("go", "vet", ".", cwd=tmp_path)
    assert_prints(block, run("go", "run", ".", cwd=tmp_path))


def write_module(folder: Path, block: Block) -> None:
    """Of the package, and of the store's where the example has that."""
    modules = {MODULE: "bindings/go", f"{MODULE}/redisstore": "bindings/go/redisstore"}
    used = {name: where for name, where in modules.items() if f'"{name}"' in block.code}
    module = ["module example", "go 1.26", *(f"require {name} v0.0.0" for name in used)]
    module += [f"replace {name} => {ROOT / where}" for name, where in used.items()]
    if store := used.get(f"{MODULE}/redisstore"):
        required = (ROOT / store / "go.mod").read_text(encoding="utf-8")
        others = re.findall(r"^\t(?!github\.com/donjon-security)(\S+ v\S+)", required, re.MULTILINE)
        module += [f"require {other}" for other in others]
        shutil.copyfile(ROOT / store / "go.sum", folder / "go.sum")
    (folder / "go.mod").write_text("\n".join([*module, ""]), encoding="utf-8")


@examples("go", "before")
def test_go_before(block: Block, tmp_path: Path) -> None:
    """It is Go, as `gofmt` writes it."""
    (tmp_path / "main.go").write_text(block.code, encoding="utf-8")
    assert run("gofmt", "-l", ".", cwd=tmp_path) == ""


@examples("c")
def test_c(block: Block, tmp_path: Path) -> None:
    """With no warning, against the shared library."""
    source = tmp_path / "main.c"
    source.write_text(block.code, encoding="utf-8")
    strict = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic")
    flags = pkg_config("--cflags", "--libs")
    run(os.environ.get("CC", "cc"), *strict, "-o", "main", source, *flags, cwd=tmp_path)
    (library,) = pkg_config("--variable=libdir")
    assert_prints(block, run("./main", cwd=tmp_path, LD_LIBRARY_PATH=library))


def assert_prints(block: Block, printed: str) -> None:
    """An example says in comments what it prints, line by line."""
    assert [line.rstrip() for line in printed.splitlines()] == block.promised


def test_the_readme_has_an_example_in_every_language() -> None:
    """So that a fence that stopped matching is noticed."""
    assert {block.language for block in blocks(ROOT / "README.md")} == RUN | {"sh"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_fence_names_a_language(document: Path) -> None:
    """And every fence that opens closes."""
    assert document.read_text(encoding="utf-8").count("\n```") % 2 == 0
    for block in blocks(document):
        assert block.language in RUN | SHOWN, f"{block}: {block.language!r}"
        assert block.note in {"", "before"}, f"{block}: {block.note!r}"
