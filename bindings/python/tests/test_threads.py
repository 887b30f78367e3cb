"""Objects are shared between threads, survive a fork, and never draw the same entropy twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import SECRET
from donjon import Keyring, TokenIssuer, TokenVerifier


def test_threads_share_an_issuer_and_a_verifier(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    def work(name: int) -> set[str]:
        ids = set()
        for _ in range(200):
            claims = verifier.verify(issuer.access(f"user-{name}", roles=["a", "b"]))
            assert claims.subject == f"user-{name}"
            ids.add(str(claims.token_id))
        return ids

    with ThreadPoolExecutor(8) as pool:
        ids = set().union(*pool.map(work, range(8)))
    assert len(ids) == 8 * 200


def test_threads_share_the_making_and_dropping_of_keys() -> None:
    def work(_: int) -> bool:
        for _ in range(50):
            keyring = Keyring.from_secret(SECRET).rotate(overlap=60)
            issuer = TokenIssuer(keyring, issuer=None, audience=None)
            del keyring
            assert issuer.access("ann")
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_other_threads_go_on_while_tokens_are_verified(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    """No call keeps the interpreter for long, and none leaves it locked."""
    token, done = issuer.access("ann"), threading.Event()

    def verify() -> None:
        while not done.is_set():
            verifier.verify(token)

    thread = threading.Thread(target=verify)
    thread.start()
    try:
        started = time.monotonic()
        for _ in range(20):
            time.sleep(0.001)
        assert time.monotonic() - started < 5
    finally:
        done.set()
        thread.join(timeout=5)
    assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_goes_on_with_entropy_of_its_own() -> None:
    # In a process of its own: pytest's may have threads, and forking those is deprecated.
    program = f"""
import os, sys
from donjon import Keyring, TokenIssuer, TokenVerifier
keyring = Keyring.from_secret({SECRET!r})
issuer = TokenIssuer(keyring, issuer=None, audience=None)
verifier = TokenVerifier(keyring, issuer=None, audience=None, type="at+jwt", algorithms=["HS256"])
issuer.access("before")
read, write = os.pipe()
child = os.fork()
token = issuer.access("ann", now=1)
if child == 0:
    os.write(write, token.encode())
    os._exit(0)
os.close(write)
theirs = os.read(read, 4096).decode()
assert os.waitpid(child, 0)[1] == 0
ids = {{verifier.verify(t, now=2).token_id for t in (token, theirs)}}
assert len(ids) == 2, ids
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
