"""What the chapters of the walk-through speak in: ask a service, and expect an answer.

The walk-through stands before the services as a proxy does: it writes `X-Forwarded-For`, and each
chapter's clients have an address of their own. What a client says in that header itself, the proxy
appends to.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from threading import Barrier
from typing import Any

import httpx

from services import Service, Services
from shared_store import URL

# How both services' logs name the reason of a refusal; the client never reads it.
REASON = re.compile(
    r"(?:refused: |denied: |reason\.code=|explanation\.reason=)([a-z_]+)(?=\s|$)", re.MULTILINE
)

FORBIDDEN = 403
TOO_MANY = 429


class CannotGoOn(Exception):
    """An answer lacks what the next steps need."""


class Answer:
    """What a service answered, and why, if its log tells."""

    def __init__(self, service: Service, response: httpx.Response) -> None:
        self.service = service.name
        self.status = response.status_code
        self.headers = response.headers
        self.reason: str | None = None
        self.log = ""
        self.took_ms = response.elapsed.total_seconds() * 1000
        self._response = response

    def __getitem__(self, member: str) -> Any:
        try:
            return self._response.json()[member]
        except (ValueError, KeyError, TypeError):
            raise CannotGoOn(f"{self.service} answered {self.status} without {member}") from None

    @property
    def text(self) -> str:
        """The body."""
        return self._response.text

    @property
    def told(self) -> tuple[object, ...]:
        """All that the client is told."""
        challenge = self._response.headers.get("WWW-Authenticate")
        return self.status, challenge, self._response.content

    @property
    def told_reason(self) -> str | None:
        """What a client is told of a limit: that it is one."""
        return self["error"]["code"] if self.status == TOO_MANY else None

    @property
    def is_bland(self) -> bool:
        """Whether a refusal challenges the client and tells it nothing."""
        challenge = self._response.headers.get("WWW-Authenticate", "")
        challenged = challenge.startswith(("Bearer", "APIKey"))
        # Who may not send a request is not to authenticate.
        challenged |= self.status == FORBIDDEN and not challenge
        return challenged and not (self.reason and self.reason in self.text)


class Walk:
    """Asks the services, compares with what is expected, and prints a line for each step."""

    def __init__(self, services: Services, client: httpx.Client, master: str) -> None:
        self.services = services
        self.master = master
        self.steps = 0
        self.surprises = 0
        self._client = client
        self._chapters = 0

    @property
    def address(self) -> str:
        """Where this chapter's clients are."""
        return f"192.0.2.{self._chapters}"

    def ask(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        bearer: str | None = None,
        json: object = None,
        address: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask one service, with a bearer token and a JSON body if there are any.

        The client is at `address`, unless said otherwise the chapter's.
        """
        begin = service.log_size()
        answer = self._request(service, method, path, bearer, json, address, headers)
        answer.log = service.read_log(begin)
        reasons = REASON.findall(answer.log)
        answer.reason = answer.told_reason or (reasons[-1] if reasons else None)
        return answer

    def get(self, path: str, *, bearer: str | None = None) -> Answer:
        """Ask the Python service to show something."""
        return self.ask(self.services.python, "GET", path, bearer=bearer)

    def put(self, path: str, *, bearer: str) -> Answer:
        """Ask the Python service to have something so."""
        return self.ask(self.services.python, "PUT", path, bearer=bearer)

    def post(self, path: str, *, bearer: str | None = None, **json: object) -> Answer:
        """Ask the Python service to do something."""
        return self.ask(self.services.python, "POST", path, bearer=bearer, json=json)

    def both(
        self,
        token: str | None,
        method: str = "GET",
        path: str = "/me",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Answer, Answer]:
        """Ask both services the same: who the bearer of the token is, if nothing else."""
        python, go = (
            self.ask(s, method, path, bearer=token, headers=headers) for s in self.services.both()
        )
        return python, go

    def post_at_once(
        self, path: str, *bodies: dict[str, str], addresses: Iterable[str] = ()
    ) -> list[Answer]:
        """Send several requests to the Python service at the same moment."""
        python = self.services.python
        begin = python.log_size()
        barrier = Barrier(len(bodies))

        def send(body: dict[str, str], address: str | None) -> Answer:
            barrier.wait()
            return self._request(python, "POST", path, None, body, address)

        with ThreadPoolExecutor(len(bodies)) as pool:
            answers = list(pool.map(send, bodies, chain(addresses, repeat(None))))
        logged = REASON.findall(python.read_log(begin))
        told = {answer.told_reason for answer in answers}
        reasons = (reason for reason in logged if reason not in told)
        for refused in (answer for answer in answers if answer.status >= 400):
            refused.reason = refused.told_reason or next(reasons, None)
        return answers

    def expect(
        self,
        what: str,
        *answers: Answer,
        status: int = 200,
        reason: str | None = None,
        note: str = "",
        holds: bool = True,
    ) -> None:
        """Print the verdict on a step: as expected if every answer is, and `holds` does too."""
        as_expected = holds and all(
            (answer.status, answer.reason) == (status, reason)
            and (answer.is_bland or status not in (401, 403))
            for answer in answers
        )
        got = [f"{answer.status} {answer.reason or ''}".strip() for answer in answers]
        who = " ".join(dict.fromkeys(answer.service for answer in answers))
        same = got[0] if len(set(got)) == 1 else " / ".join(got)
        self.steps += 1
        self.surprises += not as_expected
        mark = paint("✓", "32") if as_expected else paint("✗", "1;31")
        print(f"  {mark} {what:<47} {who:<9} {same:<20} {paint(note, '2')}".rstrip(), flush=True)
        if not as_expected:
            wanted = f"{status} {reason or ''}".strip()
            also = "" if holds else ", and more that did not hold"
            print(paint(f"    SURPRISE: wanted {wanted}{also}", "1;31"), flush=True)

    def show(self, text: str) -> None:
        """Print what belongs to the last step."""
        for line in text.splitlines():
            print(paint(f"      {line}", "2"), flush=True)

    def wait(self, seconds: float, why: str) -> None:
        """Let time pass, and say so."""
        print(paint(f"  … {why}", "2"), flush=True)
        time.sleep(seconds)

    def fetch_revocations(self, seconds: float) -> None:
        """Let the Go service have what was revoked, where it does not look it up itself."""
        if not URL:
            self.wait(seconds, "the Go service fetches what was revoked, signed")

    def chapter(self, title: str, tell: Callable[[Walk], None]) -> None:
        """Walk through one chapter."""
        print(f"\n{paint(title, '1')}", flush=True)
        self._chapters += 1
        tell(self)

    def _request(
        self,
        service: Service,
        method: str,
        path: str,
        bearer: str | None,
        json: object,
        address: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        via = [sent.get("x-forwarded-for"), address or self.address]
        sent["x-forwarded-for"] = ", ".join(hop for hop in via if hop)
        if bearer is not None:
            sent["authorization"] = f"Bearer {bearer}"
        try:
            response = self._client.request(method, service.url + path, json=json, headers=sent)
        except httpx.TransportError as error:
            service.require_alive(patience_s=1)
            raise CannotGoOn(f"the {service.name} service did not answer: {error!r}") from None
        return Answer(service, response)


def paint(text: str, colour: str) -> str:
    """Colour a text, on a terminal."""
    plain = not text or not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{colour}m{text}\x1b[0m"
