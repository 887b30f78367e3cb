"""How often: log-ins of an address, guesses at an account, and sessions of a user."""

from __future__ import annotations

from collections.abc import Iterable

import shared_store
from chapters.log_in import PASSWORD, log_in, register
from walk import TOO_MANY, Answer, Walk

WRONG = "Quiet-Basalt-Otter-42"
SHOWN = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")


def tell(walk: Walk) -> None:
    """Walk through it."""
    register(walk, "dora")
    token = log_ins_of_an_address(walk)
    spoofed(walk, token)
    guesses_at_once(walk)
    laptop = known_device(walk)
    locked_out(walk, laptop)
    sessions(walk, token)


def log_ins_of_an_address(walk: Walk) -> str:
    """The endpoint's limit counts whatever is sent, right passwords too."""
    five = [log_in(walk, "dora") for _ in range(5)]
    left = [answer.headers["X-RateLimit-Remaining"] for answer in five]
    note = f"left: {' '.join(left)}"
    walk.expect("dora logs in five times", *five, note=note, holds=left == list("43210"))
    sixth = log_in(walk, "dora")
    walk.expect("and a sixth, within a minute", sixth, status=TOO_MANY, reason="rate_limited")
    walk.show(f"{headers_of(sixth)}\n{sixth.text}")
    elsewhere = guess(walk, "dora", "198.51.100.1", PASSWORD)
    walk.expect("from another address she gets in", elsewhere)
    token: str = elsewhere["access_token"]
    return token


def spoofed(walk: Walk, token: str) -> None:
    """What a client says about its own address changes nothing."""
    lies = [
        {"X-Forwarded-For": "203.0.113.77"},
        {"X-Real-IP": "203.0.113.77"},
        {"Forwarded": "for=203.0.113.77"},
    ]
    body = {"username": "dora", "password": PASSWORD}
    python = walk.services.python
    sent = [walk.ask(python, "POST", "/login", json=body, headers=lie) for lie in lies]
    what = "from the spent one, with a header of her own"
    note = ", ".join(map(first, lies))
    walk.expect(what, *sent, status=TOO_MANY, reason="rate_limited", note=note)
    seen = walk.both(token, headers=lies[0])
    same = all(answer["address"] == walk.address for answer in seen)
    note = f"both take her to be at {walk.address}"
    walk.expect("call both with such a header", *seen, note=note, holds=same)


def guesses_at_once(walk: Walk) -> None:
    """An attempt is counted before its password is hashed."""
    register(walk, "emil")
    body = {"username": "emil", "password": WRONG}
    botnet = [f"203.0.113.{number}" for number in range(1, 17)]
    answers = walk.post_at_once("/login", *[body] * len(botnet), addresses=botnet)
    hashed = [answer for answer in answers if answer.status != TOO_MANY]
    others = [answer for answer in answers if answer.status == TOO_MANY]
    what, note = "16 guess emil's at once: five are tried", "each from its own address"
    mismatch = "password_mismatch"
    walk.expect(what, *hashed, status=401, reason=mismatch, note=note, holds=len(hashed) == 5)
    what, note = "the others are not even hashed", f"{fastest(others)} ms"
    holds = len(others) == 11
    walk.expect(what, *others, status=TOO_MANY, reason="rate_limited", note=note, holds=holds)


def known_device(walk: Walk) -> str:
    """Who logs in gets a token for the device, in a cookie that is sent to log-in alone."""
    from_laptop = guess(walk, "dora", "198.51.100.2", PASSWORD)
    cookie: str = from_laptop.headers["Set-Cookie"]
    device, *rules = cookie.split("; ")
    holds = device.startswith("device=ey") and {"HttpOnly", "Secure"} <= set(rules)
    walk.expect("dora logs in from her laptop", from_laptop, note="it is known now", holds=holds)
    as_bearer = walk.both(device.removeprefix("device="))
    reason = "wrong_token_type"
    walk.expect("the device's token for an access token", *as_bearer, status=401, reason=reason)
    return device


def locked_out(walk: Walk, laptop: str) -> None:
    """An account is locked for strangers, whether it exists or not, and not for its owner."""
    guesses = {
        name: [guess(walk, name, f"203.0.113.{100 + number}") for number in range(6)]
        for name in ("dora", "zoe")
    }
    tried = [answer for answers in guesses.values() for answer in answers[:5]]
    what = "five guess dora's password, and five zoe's"
    walk.expect(what, *tried, status=401, reason="password_mismatch", note="there is no zoe")
    refused = [answers[5] for answers in guesses.values()]
    shapes = {shape(answer) for answer in refused}
    what, note = "the sixth guess at each is refused", "in the same words"
    holds = len(shapes) == 1
    walk.expect(what, *refused, status=TOO_MANY, reason="rate_limited", note=note, holds=holds)
    walk.show(f"{headers_of(refused[0])}\n{refused[0].text}")

    right = guess(walk, "dora", "203.0.113.200", PASSWORD)
    what, note = "the right password, from a stranger", "it is not looked at"
    walk.expect(what, right, status=TOO_MANY, reason="rate_limited", note=note)
    home = guess(walk, "dora", "198.51.100.3", PASSWORD, cookie=laptop)
    walk.expect("dora, from her laptop, gets in", home, note="wherever that is today")
    still = guess(walk, "dora", "203.0.113.201")
    what, note = "and for the others it stays locked", f"for {still.headers['Retry-After']} s"
    walk.expect(what, still, status=TOO_MANY, reason="rate_limited", note=note)


def sessions(walk: Walk, token: str) -> None:
    """An endpoint at the limit that its document gives it."""
    python, go = walk.services.both()
    ten = [walk.ask(python, "POST", "/sessions", bearer=token) for _ in range(10)]
    walk.expect("dora begins ten sessions", *ten, status=201, note="10/minute, as documented")
    spent = walk.ask(python, "POST", "/sessions", bearer=token)
    walk.expect("and an eleventh", spent, status=TOO_MANY, reason="rate_limited")
    walk.show(headers_of(spent))

    there = walk.ask(go, "POST", "/sessions", bearer=token)
    what = "she begins one at the Go service"
    if shared_store.URL:
        note = "one counter for both"
        walk.expect(what, there, status=TOO_MANY, reason="rate_limited", note=note)
        key = f"{walk.services.prefix}{{session_create:dora}}"
        walk.show(shared_store.read(key))
    else:
        walk.expect(what, there, status=201, note="which counts by itself")
        walk.show("REDIS_URL=redis://localhost:6379/0 make demo has both count as one")


def guess(
    walk: Walk, name: str, address: str, password: str = WRONG, cookie: str | None = None
) -> Answer:
    """Log in from somewhere else."""
    body = {"username": name, "password": password}
    headers = {"Cookie": cookie} if cookie else None
    python = walk.services.python
    return walk.ask(python, "POST", "/login", json=body, address=address, headers=headers)


def headers_of(answer: Answer) -> str:
    """Show what the client's program is told."""
    return "  ".join(f"{name}: {answer.headers[name]}" for name in SHOWN)


def shape(answer: Answer) -> tuple[object, ...]:
    """Return what is told, but for the time."""
    error = answer["error"]
    details = {name: error["details"][name] for name in ("limit", "remaining")}
    return answer.status, tuple(answer.headers), error["code"], error["message"], f"{details}"


def fastest(answers: Iterable[Answer]) -> str:
    """Return how long the fastest took, in milliseconds."""
    return f"{min((answer.took_ms for answer in answers), default=0):.0f}"


def first(headers: dict[str, str]) -> str:
    """Return the first name."""
    return next(iter(headers))
