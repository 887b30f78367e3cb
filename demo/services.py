"""The two services as processes: started, awaited, read, and stopped by their own process ids."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from vault import Vault

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
PATIENCE_S = 60.0
STOP_S = 10.0


class ServiceFailed(Exception):
    """A service did not start, or died."""

    def __init__(self, service: Service, what: str) -> None:
        last = service.read_log()[-2000:].rstrip()
        said = f"; its last words:\n\n{last}\n" if last else ""
        super().__init__(f"the {service.name} service {what}{said}")
        self.port_was_taken = "address already in use" in last


class Service:
    """One service, and its log."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self.url = f"http://{HOST}:{port}"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], env: dict[str, str]) -> None:
        """Start the process, out of reach of the terminal's signals: `stop` is what stops it."""
        with self._log.open("wb") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603  a command of ours
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=env,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServiceFailed(self, f"cannot be started ({error})") from None

    def wait_until_ready(self, client: httpx.Client) -> None:
        """Return once the service answers."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers(client):
            self.require_alive()
            if time.monotonic() > deadline:
                raise ServiceFailed(self, f"was not ready within {PATIENCE_S:.0f} s")
            time.sleep(0.05)
        self.require_alive()  # or it was somebody else who answered

    def require_alive(self, patience_s: float = 0.0) -> None:
        """Raise if the process has ended, or does before long."""
        deadline = time.monotonic() + patience_s
        while (code := self._exit_code()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if code is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ServiceFailed(self, how)

    def log_size(self) -> int:
        """Return where the next line of the log will begin."""
        return self._log.stat().st_size

    def read_log(self, since: int = 0) -> str:
        """Return what was logged since then."""
        with self._log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def rotate_keys(self) -> None:
        """Do what an operator does, and wait until it is done."""
        self._signal(signal.SIGHUP, r"keys rotated")

    def replace_keyring(self) -> str:
        """Have the keyring read again, and return what the log says of it."""
        return self._signal(signal.SIGUSR2, r"keyring read\b.*")

    def replace_policy(self) -> str:
        """Have the policy read again, and return what the log says of it."""
        return self._signal(signal.SIGUSR1, r"policy digest=\S+|policy refused\b.*")

    def _signal(self, signal_: signal.Signals, answer: str) -> str:
        """Send a signal, and wait for a line of the log that answers it."""
        begin = self.log_size()
        self._send(signal_)
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(rf"({answer}).*\n", self.read_log(begin))):
            self.require_alive()
            if time.monotonic() > deadline:
                raise ServiceFailed(self, f"did not answer {signal_.name} in {PATIENCE_S:.0f} s")
            time.sleep(0.02)
        return found[1]

    def stop(self) -> None:
        """Stop the process, by force if it does not listen."""
        self._send(signal.SIGTERM)
        if self._process is None:
            return
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, signal_: signal.Signals) -> None:
        # Popen looks first whether the process has ended, so that no other gets its signal.
        if self._process is not None:
            self._process.send_signal(signal_)

    def _exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def _answers(self, client: httpx.Client) -> bool:
        try:
            return client.get(f"{self.url}/healthz").status_code == httpx.codes.NO_CONTENT
        except httpx.TransportError:
            return False


class Services:
    """Both services, on loopback, with a master secret, a keyring and a policy in common."""

    def __init__(self, folder: Path, master: str, ports: tuple[int, int]) -> None:
        self.python = Service("python", ports[0], folder / "python.log")
        self.go = Service("go", ports[1], folder / "go.log")
        self.policy = folder / "policy.json"
        self.vault = Vault(folder)
        # Of the keys in Redis, if REDIS_URL names one: a run finds nothing that another has spent.
        self.prefix = f"donjon:demo:{secrets.token_hex(4)}:"
        self._ports = ports
        self._env = {
            **os.environ,
            **self.vault.environment,
            "DONJON_MASTER": master,
            "DEMO_POLICY": f"{self.policy}",
            "DEMO_PREFIX": self.prefix,
        }

    def start(self, go_binary: Path) -> None:
        """Start both and wait until they answer; if one fails, stop the other."""
        python, go = self._ports
        shutil.copyfile(HERE / "policy.json", self.policy)
        with ExitStack() as on_failure:
            on_failure.callback(self.stop)
            uvicorn = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", f"{HERE}/python"]
            # The service has its own idea of whom to believe about addresses.
            options = ["--no-access-log", "--no-proxy-headers"]
            at = ["--host", HOST, "--port", f"{python}"]
            self.python.start([*uvicorn, *at, *options], self._env)
            where = ["-listen", f"{HOST}:{go}", "-policy", f"{self.policy}"]
            keys = ["-keyring", f"{self.vault.keyring_file}"]
            revoked = ["-revocations", f"{self.python.url}/.well-known/revocation-set"]
            self.go.start([f"{go_binary}", *where, *keys, *revoked], self._env)
            with httpx.Client(trust_env=False, timeout=5) as client:
                self.python.wait_until_ready(client)
                self.go.wait_until_ready(client)
            on_failure.pop_all()

    def both(self) -> tuple[Service, Service]:
        """Return the two."""
        return self.python, self.go

    def replace_policy(self, document: str) -> tuple[str, str]:
        """Put another policy in its place, for both, and return what each says to it."""
        new = self.policy.with_suffix(".new")
        new.write_text(document, encoding="utf-8")
        new.replace(self.policy)  # at once: nobody reads half of it
        return self.python.replace_policy(), self.go.replace_policy()

    def replace_keyring(self) -> tuple[str, str]:
        """Have both read the keyring again, and return what each says of it."""
        return self.python.replace_keyring(), self.go.replace_keyring()

    def stop(self) -> None:
        """Stop both, whatever becomes of stopping the first."""
        with ExitStack() as stack:
            for service in self.both():
                stack.callback(service.stop)


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens on at the moment."""
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return one.getsockname()[1], other.getsockname()[1]
