"""Somebody is signed in on several devices, and ends that: one, a stolen one, all."""

from __future__ import annotations

from itertools import count

from chapters.log_in import PASSWORD, register
from chapters.log_out import FETCHED_S
from chapters.refresh import GRACE_S
from shared_store import URL
from walk import Answer, CannotGoOn, Walk

CSRF = "X-CSRF-Token"

# One network, and more addresses than one may log in from at a time.
ADDRESSES = (f"198.51.100.{host}" for host in count(1))


def sign_in(walk: Walk) -> Answer:
    """Ask for the tokens of another device."""
    body = {"username": "eve", "password": PASSWORD}
    python = walk.services.python
    return walk.ask(python, "POST", "/login", json=body, address=next(ADDRESSES))


class Browser:
    """A browser, as far as sessions need one: it keeps cookies and sends them."""

    def __init__(self, walk: Walk, name: str) -> None:
        self._walk = walk
        self._name = name
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, *, go: bool = False, **headers: str) -> Answer:
        """Ask one of the services. The page's script hands the CSRF token on."""
        service = self._walk.services.go if go else self._walk.services.python
        sent = self._headers(headers)
        return self._keep(
            self._walk.ask(service, method, path, headers=sent, address=next(ADDRESSES))
        )

    def log_in(self, name: str) -> Answer:
        """Log in, by a form."""
        body = {"username": name, "password": PASSWORD}
        python = self._walk.services.python
        sent, address = self._headers({}), next(ADDRESSES)
        return self._keep(
            self._walk.ask(python, "POST", "/web/login", json=body, headers=sent, address=address)
        )

    def stolen(self) -> Browser:
        """Return another one with the same cookies."""
        other = Browser(self._walk, self._name)
        other._cookies = dict(self._cookies)
        return other

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        sent = {"User-Agent": self._name, "Sec-Fetch-Site": "same-origin"}
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent[CSRF] = self._cookies.get("__Host-session-csrf", "")
        sent |= {name.replace("_", "-"): value for name, value in more.items()}
        return {name: value for name, value in sent.items() if value}

    def _keep(self, answer: Answer) -> Answer:
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer


def tell(walk: Walk) -> None:
    """Walk through it."""
    walk.expect("register eve", register(walk, "eve"), status=201)
    phone, tablet, laptop = sign_in(walk), sign_in(walk), Browser(walk, "Firefox/150.0")
    begun = laptop.log_in("eve")
    cookie = begun.headers.get_list("set-cookie")[0]
    note = cookie.partition("; ")[2]
    as_wanted = cookie.startswith("__Host-session=") and "HttpOnly" in cookie
    walk.expect(
        "phone, tablet, and a browser: a cookie", begun, status=204, note=note, holds=as_wanted
    )
    listed = laptop.ask("GET", "/web/sessions")
    kinds = [one["kind"] for one in listed["sessions"]]
    note = "of both kinds, in the order in which they began"
    walk.expect("list them", listed, note=note, holds=kinds == ["tokens", "tokens", "cookie"])

    from_elsewhere(laptop, walk)
    one_of_three(laptop, walk, tablet, handle=listed["sessions"][1]["handle"])
    replay(walk, phone)
    at_most_five(laptop, walk)
    everywhere(laptop, walk)


def from_elsewhere(laptop: Browser, walk: Walk) -> None:
    """Have requests sent that the browser's user did not mean."""
    answer = laptop.ask("POST", "/web/logout", Sec_Fetch_Site="cross-site")
    walk.expect("a form of another site logs out", answer, status=403, reason="cross_site")
    answer = laptop.ask("POST", "/web/logout", X_CSRF_Token="A" * 64)
    walk.expect("with a token of one's own making", answer, status=403, reason="csrf_failed")
    planted = Browser(walk, "Firefox/150.0")
    planted.log_in("eve")
    before = planted.stolen()
    planted.log_in("eve")
    answer = before.ask("GET", "/web/me")
    note = "nobody logs in to an id that is known"
    walk.expect("the id before a log-in", answer, status=401, reason="invalid_session", note=note)
    planted.ask("POST", "/web/logout")


def one_of_three(laptop: Browser, walk: Walk, tablet: Answer, handle: str) -> None:
    """End the sign-in of one device."""
    walk.expect("end the tablet's", laptop.ask("DELETE", f"/web/sessions/{handle}"), status=204)
    answer = walk.post("/refresh", refresh_token=tablet["refresh_token"])
    walk.expect("its refresh token is dead", answer, status=401, reason="revoked")
    walk.fetch_revocations(FETCHED_S)
    dead = walk.both(tablet["access_token"])
    walk.expect("and its access token, at once", *dead, status=401, reason="revoked")


def replay(walk: Walk, phone: Answer) -> None:
    """Use the phone's refresh token twice."""
    successor = walk.post("/refresh", refresh_token=phone["refresh_token"])
    walk.wait(GRACE_S + 0.5, f"the grace of {GRACE_S} s for late refreshes passes")
    answer = walk.post("/refresh", refresh_token=phone["refresh_token"])
    walk.expect("the phone's old refresh token", answer, status=401, reason="reuse_detected")
    walk.fetch_revocations(FETCHED_S)
    dead = walk.both(successor["access_token"])
    note = "thief and owner both, in both services"
    walk.expect("the family's access tokens", *dead, status=401, reason="revoked", note=note)


def at_most_five(laptop: Browser, walk: Walk) -> None:
    """Sign in once more than may be."""
    handles = [one["handle"] for one in laptop.ask("GET", "/web/sessions")["sessions"]]
    others = [sign_in(walk) for _ in range(5 - len(handles))]
    last = Browser(walk, "Chrome/160.0")
    last.log_in("eve")
    listed = last.ask("GET", "/web/sessions")
    after = [one["handle"] for one in listed["sessions"]]
    holds = len(after) == 5 and handles[0] not in after and bool(others)
    walk.expect("the sixth sign-in of five", listed, note="the oldest goes", holds=holds)
    answer = laptop.ask("GET", "/web/me")
    walk.expect("which was the laptop's", answer, status=401, reason="invalid_session")
    laptop.log_in("eve")


def everywhere(laptop: Browser, walk: Walk) -> None:
    """End all of it."""
    phone = sign_in(walk)
    walk.expect("the laptop, logged in again", laptop.ask("GET", "/web/me"), note="by its cookie")
    if URL:
        answer = laptop.ask("GET", "/web/me", go=True)
        walk.expect("and in the Go service", answer, note="the same record in Redis")
    stolen = laptop.stolen()
    out = laptop.ask("POST", "/web/logout/everywhere")
    walk.expect("log out everywhere", out, status=204)
    again = sign_in(walk)
    walk.expect("the cookie", stolen.ask("GET", "/web/me"), status=401, reason="invalid_session")
    if URL:
        answer = stolen.ask("GET", "/web/me", go=True)
        walk.expect("in the Go service", answer, status=401, reason="invalid_session")
    walk.fetch_revocations(FETCHED_S)
    walk.expect("the tokens", *walk.both(phone["access_token"]), status=401, reason="revoked")
    alive = walk.both(again["access_token"])
    walk.expect("but those of the log-in right after", *alive, note="of the same second")
    if alive[0].status != 200:
        raise CannotGoOn("whoever logs in again is to be let in")
