"""What a user meets first: the README, the types, the interpreter's help."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import donjon

HERE = Path(__file__).parent
SHIM = HERE.parents[2] / "tests/shims/python/shim.py"


def test_the_readme_runs_as_pasted() -> None:
    readme = (HERE.parent / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 16
    # One module, as a reader would paste it: later blocks use the names of earlier ones.
    pasted = compile("\n".join(blocks), "README.md", "exec", dont_inherit=True)
    names: dict[str, Any] = {"__name__": "readme"}
    exec(pasted, names)
    names["hasher"].close()


def test_the_stubs_say_what_the_extension_does(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    # The first is made by the extension; the second is there only where the shim is built.
    allowed.write_text("donjon._donjon.__all__\ndonjon._donjon.test_entropy\n")
    command = [sys.executable, "-m", "mypy.stubtest", "donjon._donjon"]
    command += ["--ignore-disjoint-bases", "--ignore-unused-allowlist"]
    done = subprocess.run(
        [*command, "--allowlist", allowed], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", donjon.__all__)
def test_what_is_exported_is_documented(name: str) -> None:
    exported = getattr(donjon, name)
    assert name == "__version__" or inspect.getdoc(exported)


def test_help_shows_the_defaults() -> None:
    assert (
        str(inspect.signature(donjon.Keyring.from_secret)) == "(secret, alg='HS256', *, kid=None)"
    )
    assert inspect.signature(donjon.TokenVerifier).parameters["leeway"].default == 0
    assert inspect.signature(donjon.TokenIssuer.rotate_refresh).parameters["grace"].default == 10
    assert str(inspect.signature(donjon.Policy.matrix)) == "(self, /, format='json')"
    assert str(inspect.signature(donjon.Policy.assign)) == "(self, /, roles, role, *, members)"
    assert inspect.signature(donjon.Subject.explain).parameters["mode"].default == "all"


def test_the_core_imports_nothing_that_is_optional() -> None:
    program = "import sys, donjon, donjon.compat.jwt, donjon.compat.argon2, donjon.kms\n"
    program += "import donjon.compat.fernet, donjon.limits, donjon.redis\n"
    program += "optional = {'fastapi', 'httpx', 'anyio', 'cryptography', 'jwt', 'argon2'}\n"
    program += "optional |= {'sqlalchemy', 'pkcs11', 'redis'}\n"
    program += "assert not optional & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_the_shim_answers_line_by_line() -> None:
    lines = [
        b"",
        b"\xff",
        b"[]",
        b'{"op":1}',
        b'{"id":{"a": 1},"op":"none"}',
        b'{"op":"jwks_parse","id":"\xc3\xa9","jwks":{"keys":[]}}',
        b'{"op":"jwks_parse","id":2,"jwks":{"keys":[],"keys":[]}}',
        b'{"id":3,"op":"revocation_check"}',
    ]
    done = subprocess.run(
        [sys.executable, "-W", "error", SHIM],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        check=True,
    )
    bad = '{"id":null,"ok":false,"error":"bad_request"}'
    assert done.stdout.decode().splitlines() == [
        bad,
        bad,
        bad,
        bad,
        '{"id":{"a": 1},"ok":false,"error":"unsupported_op"}',
        '{"id":"é","ok":true,"keys":[]}',
        '{"id":2,"ok":false,"error":"config_error"}',
        '{"id":3,"ok":false,"error":"bad_request"}',
    ]
