"""A PostgreSQL server of the tests' own, from Debian's packages: a temporary folder and a socket.

It does not run as root, so where the tests do, it runs as the user `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

START_S = 30


def binaries() -> Path | None:
    """Return the folder of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found else None


class PostgreSQL:
    """A server that lives as long as its `with`."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # Not pytest's own folder: its user could not enter it. A socket's path is short, too.
        self._folder = Path(tempfile.mkdtemp(prefix="donjon-pg-"))
        self._owner = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self._owner is not None:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)

    @property
    def folder(self) -> Path:
        """Where it keeps its data and its socket."""
        return self._folder

    def url(self, driver: str) -> str:
        return f"postgresql+{driver}://donjon@/postgres?host={self._folder}"

    def execute(self, statement: str) -> None:
        self._run(["psql", "-qX", "-h", self._folder, "-U", "donjon", "-c", statement, "postgres"])

    def __enter__(self) -> PostgreSQL:
        data = self._folder / "data"
        try:
            initdb: list[str | Path] = ["initdb", "-D", data, "-U", "donjon", "-A", "trust"]
            self._run([*initdb, "--no-sync", "-E", "UTF8", "--locale=C"])
            options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self._folder}"]
            options += ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=40"]
            with (self._folder / "log").open("wb") as log:
                self._server = subprocess.Popen(
                    [self._binaries / "postgres", "-D", data, *options],
                    cwd=self._folder,
                    stdout=log,
                    stderr=log,
                    **self._as_owner(),
                )
            self._await_start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        server: subprocess.Popen[bytes] | None = getattr(self, "_server", None)
        if server is not None:
            server.send_signal(2)  # SIGINT: rolls back, and ends
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(self._folder)

    def _await_start(self) -> None:
        end = time.monotonic() + START_S
        while True:
            try:
                return self.execute("SELECT 1")
            except subprocess.CalledProcessError as error:
                if time.monotonic() > end or self._server.poll() is not None:
                    log = (self._folder / "log").read_text()
                    raise RuntimeError(
                        f"PostgreSQL does not start: {error.stderr!r} {log}"
                    ) from error
                time.sleep(0.05)

    def _run(self, command: list[str | Path]) -> None:
        program, *arguments = command
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            capture_output=True,
            cwd=self._folder,
            timeout=START_S,
            **self._as_owner(),
        )

    def _as_owner(self) -> dict[str, Any]:
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
