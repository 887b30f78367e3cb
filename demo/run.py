"""`make demo`: starts the services, walks through them over HTTP, and leaves them up to be tried.

ONESHOT=1 stops them after the walk. The exit code is 0 if no step surprised.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import httpx

from chapters import CHAPTERS
from chapters.imports import OWNER
from chapters.log_in import PASSWORD
from services import HERE, Service, ServiceFailed, Services, free_ports
from shared_store import StoreFailed, require_answer
from vault import CommandFailed
from walk import CannotGoOn, Walk, paint

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants this to end."""


def main() -> int:
    """Run the demo."""
    options = read_options()
    for signal_ in STOPPING:
        signal.signal(signal_, interrupt)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        require_answer()
        with TemporaryDirectory(prefix="donjon-demo-") as folder:
            return demonstrate(Path(folder), options)
    except Interrupted:
        return 130
    except (ServiceFailed, CommandFailed, StoreFailed) as failure:
        print(f"\ndemo: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Nobody reads on; nor is there anybody to tell at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def demonstrate(folder: Path, options: argparse.Namespace) -> int:
    """Start the services, walk, and stop them whatever happens."""
    master = secrets.token_urlsafe(32)
    services = start(folder, master, options)
    try:
        surprises = walk_through(services, master)
        if os.environ.get("ONESHOT", "0") in ("", "0"):
            stay(services)
        return 1 if surprises else 0
    finally:
        ignore_interrupts()
        services.stop()


def start(folder: Path, master: str, options: argparse.Namespace) -> Services:
    """Start the services, on other ports if somebody was faster to take a free one."""
    attempts = 3
    while True:
        free = free_ports()
        ports = (options.python_port or free[0], options.go_port or free[1])
        services = Services(folder, master, ports)
        try:
            services.start(options.go_service)
        except ServiceFailed as failure:
            attempts -= 1
            chosen = options.python_port or options.go_port
            if chosen or not failure.port_was_taken or not attempts:
                raise
        else:
            return services


def walk_through(services: Services, master: str) -> int:
    """Walk through all chapters, and return the number of surprises."""
    print(f"{paint('donjon', '1')}: a FastAPI service at {services.python.url}")
    print(f"        and a Go service at {services.go.url}")
    began = time.monotonic()
    with httpx.Client(trust_env=False, timeout=30) as client:
        walk = Walk(services, client, master)
        try:
            for title, tell in CHAPTERS:
                walk.chapter(title, tell)
        except CannotGoOn as stop:
            walk.surprises += 1
            print(paint(f"  ✗ cannot go on: {stop}", "1;31"))
    took = f"{walk.steps} steps in {time.monotonic() - began:.1f} s"
    if walk.surprises:
        print(paint(f"\n{took}, SURPRISES: {walk.surprises}", "1;31"), flush=True)
    else:
        print(paint(f"\n{took}, no surprises", "32"), flush=True)
    return walk.surprises


def stay(services: Services) -> None:
    """Show the services' logs until interrupted."""
    docs = f"{services.python.url}/docs"
    try:
        print(f"\nTry it yourself: {docs} (Ctrl-C stops both services)")
        print("with a name and a good password of your own, as")
        print(f'"ann" with "{PASSWORD}", or as the owner, "olga", with "{OWNER}"\n', flush=True)
        read = {service: service.log_size() for service in services.both()}
        while True:
            for service in services.both():
                read[service] += show_log(service, read[service])
                service.require_alive()
            time.sleep(0.2)
    except Interrupted:
        print("\nstopping", flush=True)


def show_log(service: Service, begin: int) -> int:
    """Print what was logged since then, in whole lines, and return how much that was."""
    text, newline, _ = service.read_log(begin).rpartition("\n")
    for line in text.splitlines():
        print(f"{paint(f'{service.name:>6} |', '2')} {line}", flush=True)
    return len((text + newline).encode())


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    binary = HERE.parent / "target" / "demo" / "service"
    parser.add_argument("--go-service", type=Path, default=binary, help="the program")
    parser.add_argument("--python-port", type=int, help="default: a free one")
    parser.add_argument("--go-port", type=int, help="default: a free one")
    return parser.parse_args()


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End, and clean up on the way, undisturbed."""
    ignore_interrupts()
    raise Interrupted


def ignore_interrupts() -> None:
    """Let nothing disturb what follows."""
    for signal_ in STOPPING:
        signal.signal(signal_, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
