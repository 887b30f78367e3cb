"""A redis-server of the tests' own: on a free port of the loopback, in a folder of its own, and gone with its parent."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING

import redis

if TYPE_CHECKING:
    from typing import Self

HOST = "127.0.0.1"
START_S = 10.0
STOP_S = 10.0


class ServerFailed(Exception):
    """The server did not start, or did not stop."""


class Server:
    """`with Server() as server:` has one that answers. `cluster` makes it a cluster of one node."""

    def __init__(self, *, cluster: bool = False) -> None:
        self._folder = TemporaryDirectory(prefix="donjon-redis-")
        self._log = Path(self._folder.name) / "redis.log"
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        for _ in range(5):
            # Somebody else may be faster to take a free port.
            self.port = free_port()
            try:
                self.start()
            except ServerFailed as failure:
                last = failure
            else:
                return self
        self._folder.cleanup()
        raise last

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it on its port, with what it had saved: nothing."""
        options = {"port": self.port, "bind": HOST, "dir": self._folder.name, "logfile": self._log, "loglevel": "warning", "save": "", "appendonly": "no"}
        if self._cluster:
            options |= {"cluster-enabled": "yes", "cluster-port": free_port()}
        command = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        # It has to end with the process that started it, however that ends.
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "redis-server", *command], stdout=subprocess.DEVNULL)
        client, until = self.client(), time.monotonic() + START_S
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                if self._process.poll() is not None or time.monotonic() > until:
                    words = self._log.read_text()[-2000:] if self._log.exists() else ""
                    self.kill()
                    raise ServerFailed(f"redis-server did not start: {words}") from None
                time.sleep(0.01)
        # Another server on a port that was free a moment ago would answer too.
        if client.info("server")["process_id"] != self._process.pid:
            self.kill()
            raise ServerFailed("another server answers on this port")
        if self._cluster:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                time.sleep(0.01)
        client.close()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it answer nobody, while its port still takes connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def pause_writes(self) -> None:
        """Let writes wait for ever, so that a replica can have all there were."""
        with self.client() as client:
            client.execute_command("CLIENT", "PAUSE", 10**9, "WRITE")

    def offset(self) -> int:
        """How far its replicas have to be to have everything."""
        with self.client() as client:
            return int(client.info("replication")["master_repl_offset"])

    def client(self) -> redis.Redis:
        """A connection to it, which speaks bytes."""
        return redis.Redis(HOST, self.port, socket_timeout=30)

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"


def free_port() -> int:
    """A port that was free a moment ago, and whose bus of a cluster may be too."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def within(seconds: int) -> None:
    """End this process, and with it its servers, should it take longer."""

    def too_long(*_: object) -> None:
        print(f"{Path(sys.argv[0]).name}: not done within {seconds} s", file=sys.stderr, flush=True)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGALRM)

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
