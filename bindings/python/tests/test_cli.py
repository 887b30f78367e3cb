"""`python -m donjon`, as an operator runs it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from conftest import MASTER, plaintext_of
from donjon import Envelope, Keyring, inspect_envelope

DONJON = [sys.executable, "-W", "error", "-m", "donjon"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("DONJON_")}
CONTEXT = ["-c", "reports", "-c", "2024"]


def run(
    *arguments: str | Path,
    status: int = 0,
    piped: bytes = b"",
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    command = [*DONJON, *map(str, arguments)]
    env = ENVIRONMENT | (environment or {})
    done = subprocess.run(
        command, input=piped, capture_output=True, env=env, check=False, timeout=120
    )
    assert done.returncode == status, done.stderr.decode()
    return done


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    run("keyring", "generate", "--keyring", path, "envelope", "token")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(plaintext_of(100_000))
    return path


@pytest.fixture
def sealed(keys: Path, source: Path) -> Path:
    path = source.with_suffix(".sealed")
    run("seal", "--keyring", keys, *CONTEXT, source, "-o", path)
    return path


def envelope_of(keys: Path) -> Envelope:
    return Envelope(Keyring.from_jwks(keys.read_text()))


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


# ---- files ----


def test_files_are_sealed_and_opened(keys: Path, source: Path, sealed: Path) -> None:
    content = sealed.read_bytes()
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert envelope_of(keys).open(content, context=("reports", "2024")) == source.read_bytes()
    opened = source.with_name("opened")
    done = run("open", "--keyring", keys, *CONTEXT, sealed, "-o", opened)
    assert opened.read_bytes() == source.read_bytes()
    assert (done.stdout, done.stderr) == (b"", b"")


def test_pipes_are_sealed_and_opened(keys: Path) -> None:
    plaintext = plaintext_of(3_000_000)
    environment = {"DONJON_KEYRING": str(keys)}
    done = run("seal", "--no-context", piped=plaintext, environment=environment)
    again = run("open", "--no-context", "-", piped=done.stdout, environment=environment)
    assert again.stdout == plaintext
    assert (done.stderr, again.stderr) == (b"", b"")


def test_a_pipe_that_was_cut_says_so_at_the_end(keys: Path, sealed: Path) -> None:
    done = run("open", "--keyring", keys, *CONTEXT, piped=sealed.read_bytes()[:-1], status=1)
    assert plaintext_of(100_000).startswith(done.stdout)
    assert done.stderr == b"donjon: the data does not open under this key and context\n"


def test_a_reader_that_has_enough_is_no_traceback(keys: Path) -> None:
    sealed = run("seal", "--keyring", keys, "--no-context", piped=bytes(4 << 20)).stdout
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [*DONJON, "open", "--keyring", str(keys), "--no-context"],
        stdin=subprocess.PIPE,
        stdout=writing,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    os.close(writing)
    os.close(reading)
    _, errors = process.communicate(sealed, timeout=60)
    assert (process.returncode, errors) == (1, b"")


def test_what_does_not_open_leaves_nothing(keys: Path, source: Path, sealed: Path) -> None:
    there = set(source.parent.iterdir())
    target = source.with_name("opened")
    for context in (["-c", "reports"], ["--no-context"], ["-c", "2024", "-c", "reports"]):
        done = run("open", "--keyring", keys, *context, sealed, "-o", target, status=1)
        assert b"does not open" in done.stderr
    run("open", "--keyring", keys, *CONTEXT, source, "-o", target, status=1)
    assert set(source.parent.iterdir()) == there


def test_a_file_is_replaced_only_by_force(keys: Path, source: Path, sealed: Path) -> None:
    content = sealed.read_bytes()
    done = run("seal", "--keyring", keys, *CONTEXT, source, "-o", sealed, status=1)
    assert done.stderr == f"donjon: {sealed} is there already: --force replaces it\n".encode()
    assert sealed.read_bytes() == content
    run("seal", "--keyring", keys, *CONTEXT, source, "-o", sealed, "--force")
    assert sealed.read_bytes() != content
    done = run("seal", "--keyring", keys, *CONTEXT, source, "-o", source, "--force", status=1)
    assert b"one file" in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_is_ended_leaves_nothing(keys: Path, tmp_path: Path, ending: signal.Signals) -> None:
    reading, writing = os.pipe()
    there = set(tmp_path.iterdir())
    process = subprocess.Popen(
        [*DONJON, "seal", "--keyring", str(keys), *CONTEXT, "-o", str(tmp_path / "sealed")],
        stdin=reading,
        env=ENVIRONMENT,
        # As a test run in the background may have inherited.
        preexec_fn=lambda: signal.signal(ending, signal.SIG_DFL),
    )
    os.close(reading)
    # Two pieces, so that it reads the third when it is ended.
    for _ in range(32):
        os.write(writing, bytes(65_536))
    process.send_signal(ending)
    assert process.wait(timeout=60) == 128 + ending
    os.close(writing)
    assert set(tmp_path.iterdir()) == there


def test_what_is_missing_is_told_in_one_line(keys: Path, tmp_path: Path) -> None:
    done = run("seal", "--keyring", keys, *CONTEXT, tmp_path / "missing", status=1)
    assert done.stderr == f"donjon: {tmp_path}/missing: No such file or directory\n".encode()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["seal"],
        ["seal", "-c", "a", "--no-context"],
        ["open", "file"],
        ["rewrap"],
        ["seal", "-c", "a", "--passphrase", "hunter2", "x", "y"],
        ["seal", "-c", "a", "--keyring", "x", "--passphrase"],
        ["keyring"],
        ["keyring", "generate", "--keyring", "x", "teapot"],
        ["keyring", "rotate", "--keyring", "x", "token", "--overlap", "soon"],
        ["frobnicate"],
    ],
)
def test_what_is_no_use_is_2(arguments: list[str]) -> None:
    assert b"usage: python -m donjon" in run(*arguments, status=2).stderr


def test_there_is_help() -> None:
    commands = ["seal", "open", "rewrap", "inspect", "keyring", "keyring rotate"]
    for command in ["", *commands]:
        assert b"usage: python -m donjon" in run(*command.split(), "--help").stdout
    assert re.fullmatch(rb"donjon [0-9.]+\n", run("--version").stdout)


# ---- where keys come from ----


def test_without_keys_nothing_is_sealed(source: Path) -> None:
    done = run("seal", *CONTEXT, source, status=1)
    assert done.stdout == b""
    assert done.stderr.startswith(b"donjon: no keys: give --keyring or --passphrase")


def test_the_master_secret_is_enough() -> None:
    environment = {"DONJON_MASTER": MASTER}
    sealed = run("seal", *CONTEXT, piped=b"secret", environment=environment).stdout
    assert run("open", *CONTEXT, piped=sealed, environment=environment).stdout == b"secret"
    later = run("open", *CONTEXT, "--epoch", "2", piped=sealed, environment=environment, status=1)
    assert b"no usable key" in later.stderr
    epochs = ["--epoch", "2", "--oldest", "1"]
    done = run("open", *CONTEXT, *epochs, piped=sealed, environment=environment)
    assert done.stdout == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_secret_that_others_may_read_is_refused(keys: Path, source: Path, mode: int) -> None:
    keys.chmod(mode)
    commands: list[list[str | Path]] = [
        ["seal", *CONTEXT, source, "--keyring", keys],
        ["keyring", "show", "--keyring", keys],
        ["seal", *CONTEXT, source, "--passphrase-file", keys],
    ]
    for arguments in commands:
        done = run(*arguments, status=1)
        assert done.stdout == b""
        assert f"(mode {mode:04o}): chmod 600 {keys}" in done.stderr.decode()


@pytest.mark.parametrize("line", ["correct horse\n", "correct horse", "correct horse\r\n"])
def test_a_passphrase_comes_from_a_file_or_a_descriptor(tmp_path: Path, line: str) -> None:
    path = private(tmp_path / "passphrase", line)
    options = ["--passphrase-file", str(path), "--memory-mib", "8"]
    sealed = run("seal", *options, *CONTEXT, piped=b"secret").stdout
    assert inspect_envelope(sealed).memory_kib == 8 * 1024
    with path.open("rb") as file:
        os.set_inheritable(file.fileno(), True)
        done = subprocess.run(
            [*DONJON, "open", *CONTEXT, "--passphrase-fd", str(file.fileno())],
            input=sealed,
            capture_output=True,
            check=True,
            close_fds=False,
        )
    assert done.stdout == b"secret"


def test_a_passphrase_is_not_empty_and_not_endless(tmp_path: Path) -> None:
    for text in ("", "\n", "x" * 5000, "two\nlines"):
        path = private(tmp_path / "passphrase", text)
        run("seal", "--passphrase-file", path, *CONTEXT, piped=b"secret", status=1)


def test_stdin_is_not_the_passphrase_and_what_is_sealed() -> None:
    done = run("seal", "--passphrase-fd", "0", *CONTEXT, piped=b"hunter2\nsecret", status=1)
    assert b"not both" in done.stderr


def at_terminal(command: list[str], answers: list[bytes]) -> tuple[int, bytes]:
    """Run at a terminal of its own, and answer each prompt."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*DONJON, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=ENVIRONMENT,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    # What hangs is killed.
    timer = threading.Timer(60, process.kill)
    timer.start()
    shown = b""
    try:
        while True:
            try:
                shown += os.read(ours, 1024)
            except OSError:
                # Linux's end of file, once nobody has the other side open.
                break
            if answers and shown.endswith(b": "):
                os.write(ours, answers.pop(0) + b"\n")
        return process.wait(timeout=60), shown
    finally:
        timer.cancel()
        os.close(ours)


def test_a_passphrase_is_asked_for_twice_and_not_shown(source: Path) -> None:
    sealed, opened = source.with_name("sealed"), source.with_name("opened")
    cheap = ["--memory-mib", "8", "--passphrase", *CONTEXT]
    seal = ["seal", *cheap, str(source), "-o", str(sealed)]
    status, shown = at_terminal(seal, [b"hunter2", b"hunter3"])
    assert (status, b"differ" in shown, sealed.exists()) == (1, True, False)
    status, shown = at_terminal(seal, [b"hunter2", b"hunter2"])
    assert (status, b"hunter2" in shown) == (0, False), shown
    opening = ["open", "--passphrase", *CONTEXT, str(sealed), "-o", str(opened)]
    status, shown = at_terminal(opening, [b"hunter2"])
    assert (status, shown.count(b"Passphrase")) == (0, 1), shown
    assert opened.read_bytes() == source.read_bytes()


def test_without_a_terminal_nobody_is_asked(source: Path) -> None:
    done = subprocess.run(
        [*DONJON, "seal", "--passphrase", *CONTEXT, str(source)],
        input=b"hunter2\nhunter2\n",
        capture_output=True,
        env=ENVIRONMENT,
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no terminal to ask at" in done.stderr


def test_sealed_bytes_are_not_for_a_terminal(keys: Path, source: Path) -> None:
    status, shown = at_terminal(["seal", "--keyring", str(keys), *CONTEXT, str(source)], [])
    assert status == 1
    assert b"give --output" in shown


def test_progress_is_shown_at_a_terminal_only(keys: Path, tmp_path: Path) -> None:
    source, sealed = tmp_path / "large", tmp_path / "sealed"
    with source.open("wb") as file:
        file.truncate(512 << 20)
    command = ["seal", "--keyring", str(keys), *CONTEXT, str(source), "-o", str(sealed), "-f"]
    status, shown = at_terminal(command, [])
    assert status == 0
    assert re.search(rb"\[#+ *\] +[0-9]+% of 512\.0 MiB, [0-9.]+ [MG]iB/s", shown), shown
    status, shown = at_terminal([*command, "--quiet"], [])
    assert (status, shown) == (0, b"")


# ---- re-wrapping ----


def test_files_are_re_wrapped_where_they_are_due(keys: Path, source: Path, sealed: Path) -> None:
    other = source.with_name("other")
    run("keyring", "rotate", "--keyring", keys, "envelope")
    run("seal", "--keyring", keys, *CONTEXT, source, "-o", other)
    before = sealed.read_bytes(), other.read_bytes()
    done = run("rewrap", "--keyring", keys, "--dry-run", sealed, other)
    assert done.stdout.decode() == f"{sealed}: is due\n{other}: is current\n"
    assert (sealed.read_bytes(), other.read_bytes()) == before
    done = run("rewrap", "--keyring", keys, sealed, other)
    assert done.stdout.decode() == f"{sealed}: re-wrapped\n{other}: is current\n"
    assert not envelope_of(keys).needs_rewrap(sealed.read_bytes())
    assert other.read_bytes() == before[1]
    done = run("rewrap", "--keyring", keys, sealed)
    assert done.stdout.decode() == f"{sealed}: is current\n"


def test_one_bad_file_does_not_stop_the_others(keys: Path, source: Path, sealed: Path) -> None:
    run("keyring", "rotate", "--keyring", keys, "envelope")
    missing = source.with_name("missing")
    done = run("rewrap", "--keyring", keys, source, missing, sealed, status=1)
    assert done.stdout.decode() == f"{sealed}: re-wrapped\n"
    first, second, third = done.stderr.decode().splitlines()
    assert first.startswith(f"donjon: {source}: the data does not open")
    assert second == f"donjon: {missing}: No such file or directory"
    assert third == "donjon: 2 of 3 files could not be re-wrapped"


def test_files_move_to_another_keyring_or_passphrase(
    keys: Path, sealed: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    run("keyring", "generate", "--keyring", other, "envelope")
    run("rewrap", "--keyring", keys, "--new-keyring", other, sealed)
    assert run("open", "--keyring", other, *CONTEXT, sealed).stdout == plaintext_of(100_000)
    run("open", "--keyring", keys, *CONTEXT, sealed, status=1)

    old, new = private(tmp_path / "old", "old"), private(tmp_path / "new", "new")
    piped = run("seal", "--passphrase-file", old, "--memory-mib", "8", *CONTEXT, piped=b"x").stdout
    sealed.write_bytes(piped)
    run("rewrap", "--passphrase-file", old, "--new-passphrase-file", new, sealed)
    assert run("open", "--passphrase-file", new, *CONTEXT, sealed).stdout == b"x"


def test_a_name_may_be_no_text(keys: Path, source: Path) -> None:
    odd = source.with_name(os.fsdecode(b"\xff.sealed"))
    context = ["-c", os.fsdecode(b"\xff")]
    run("seal", "--keyring", keys, *context, source, "-o", odd)
    assert envelope_of(keys).open(odd.read_bytes(), context=[b"\xff"]) == source.read_bytes()
    assert b"self-contained" in run("inspect", odd).stdout
    assert b"is current" in run("rewrap", "--keyring", keys, odd).stdout


def test_files_say_what_they_are(sealed: Path, keys: Path) -> None:
    done = run("inspect", sealed)
    assert done.stdout.decode() == f"{sealed}: self-contained, key {envelope_of(keys).key_id}\n"
    run("inspect", keys, status=1)


# ---- keyrings ----


def keys_of(path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(
        run("keyring", "show", "--keyring", path, "--json").stdout
    )
    return found


def test_a_keyring_is_private_and_not_overwritten(keys: Path) -> None:
    content = keys.read_bytes()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert {key["purpose"] for key in keys_of(keys)} == {"envelope", "token", "state-binding"}
    done = run("keyring", "generate", "--keyring", keys, "envelope", status=1)
    assert b"is there already" in done.stderr
    assert keys.read_bytes() == content


def test_a_keyring_is_shown_without_its_secrets(keys: Path) -> None:
    done = run("keyring", "show", "--keyring", keys)
    lines = done.stdout.decode().splitlines()
    assert lines[0].split() == ["KEY", "PURPOSE", "ALGORITHM", "STATUS", "CREATED", "UNTIL"]
    assert len(lines) == 1 + 6
    secrets = [
        key[name] for key in json.loads(keys.read_text())["keys"] for name in "kd" if name in key
    ]
    assert secrets
    for secret in secrets:
        assert secret not in done.stdout.decode()


def test_keys_are_rotated_and_taken_out(keys: Path, sealed: Path) -> None:
    old = envelope_of(keys).key_id
    keys.chmod(0o400)
    run("keyring", "rotate", "envelope", environment={"DONJON_KEYRING": str(keys)})
    assert stat.S_IMODE(keys.stat().st_mode) == 0o400
    assert envelope_of(keys).key_id != old
    run("open", "--keyring", keys, *CONTEXT, sealed)

    run("keyring", "disable", "--keyring", keys, old)
    assert b"disabled" in run("open", "--keyring", keys, *CONTEXT, sealed, status=1).stderr
    run("keyring", "enable", "--keyring", keys, old)
    run("open", "--keyring", keys, *CONTEXT, sealed)

    done = run("keyring", "destroy", "--keyring", keys, old, status=1)
    assert b"--yes" in done.stderr
    run("open", "--keyring", keys, *CONTEXT, sealed)
    run("keyring", "destroy", "--keyring", keys, old, "--yes")
    assert b"destroyed" in run("open", "--keyring", keys, *CONTEXT, sealed, status=1).stderr
    run("keyring", "disable", "--keyring", keys, "nobody", status=1)


def test_destroying_wants_the_id_again(keys: Path) -> None:
    old = envelope_of(keys).key_id
    run("keyring", "rotate", "--keyring", keys, "envelope")
    command = ["keyring", "destroy", "--keyring", str(keys), old]
    status, shown = at_terminal(command, [b"yes"])
    assert (status, b"nothing was destroyed" in shown) == (1, True)
    status, _ = at_terminal(command, [old.encode()])
    assert status == 0
    (destroyed,) = [key["kid"] for key in keys_of(keys) if key["status"] == "destroyed"]
    assert destroyed == old


def test_a_token_key_rotates_with_an_overlap(keys: Path) -> None:
    done = run("keyring", "rotate", "--keyring", keys, "token", status=1)
    assert b"--overlap" in done.stderr
    run("keyring", "rotate", "--keyring", keys, "token", "--overlap", "12h")
    (old,) = [key for key in keys_of(keys) if key["status"] == "verify-only"]
    assert old["not_after_s"]


def test_a_purpose_can_be_added(keys: Path) -> None:
    run("keyring", "rotate", "--keyring", keys, "blind-index")
    assert "blind-index" in {key["purpose"] for key in keys_of(keys)}


def test_public_keys_are_printed(keys: Path) -> None:
    published = json.loads(run("keyring", "public", "--keyring", keys).stdout)["keys"]
    assert {key["kty"] for key in published} == {"OKP"}
    assert not any({"d", "k"} & set(key) for key in published)


def test_operators_at_the_same_time_lose_no_key(keys: Path) -> None:
    command = [*DONJON, "keyring", "rotate", "--keyring", str(keys), "envelope"]
    before = len(keys_of(keys))
    processes = [subprocess.Popen(command, env=ENVIRONMENT) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    assert len(keys_of(keys)) == before + 4


def test_what_has_not_come_yet_is_not_the_end(keys: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"the beginning")
    out = tmp_path / "late.sealed"
    command = [*DONJON, "seal", "--keyring", str(keys), *CONTEXT, "-o", str(out)]
    done = subprocess.run(
        command, stdin=reading, capture_output=True, env=ENVIRONMENT, check=False, timeout=60
    )
    os.close(reading)
    os.close(writing)
    assert done.returncode == 1
    assert b"non-blocking" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_cannot_be_written_whole_is_no_success(
    keys: Path, source: Path, unbuffered: str
) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    command = [*DONJON, "seal", "--keyring", str(keys), *CONTEXT, str(source)]
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}
    # Nobody reads: a pipe takes 64 KiB, and there is more.
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False, timeout=60
    )
    os.close(writing)
    os.close(reading)
    assert done.returncode == 1, done.stderr.decode()
