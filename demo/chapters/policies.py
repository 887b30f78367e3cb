"""The policy is replaced: looked at before, refused if it is wrong, and in force at once."""

from __future__ import annotations

import json
from typing import Any

import explanations
from chapters.imports import OWNER
from chapters.log_in import log_in
from walk import Answer, Walk


def tell(walk: Walk) -> None:
    """Walk through it."""
    olga: str = log_in(walk, "olga", OWNER)["access_token"]
    cleo: str = log_in(walk, "cleo")["access_token"]
    before = walk.both(olga, "GET", "/policy")
    policy: dict[str, Any] = json.loads(walk.services.policy.read_text(encoding="utf-8"))

    editor = policy["roles"]["editor"]
    editor["allow"] = ["document:updaet"]
    misspelt = walk.ask(walk.services.python, "POST", "/policy/diff", bearer=olga, json=policy)
    walk.expect("olga has a draft compared, with a typing error", misspelt, status=422)
    walk.show(misspelt["detail"])
    said = walk.services.replace_policy(json.dumps(policy))
    refused = all(line.startswith("policy refused") for line in said)
    after = walk.both(olga, "GET", "/policy")
    note = "each goes on with the one before"
    same = refused and digests(*before) == digests(*after)
    walk.expect("put in place all the same, it is refused", *after, note=note, holds=same)

    editor["allow"] = ["document:update,delete"]
    editor["deny"] = ["document:delete:welcome"]
    draft = walk.ask(walk.services.python, "POST", "/policy/diff", bearer=olga, json=policy)
    walk.expect("olga has the next draft compared", draft)
    walk.show(changes(json.loads(draft.text)))

    denied = walk.both(cleo, "DELETE", "/documents/7")
    walk.expect("cleo deletes document 7", *denied, status=403, reason="missing")
    walk.services.replace_policy(json.dumps(policy))
    after = walk.both(olga, "GET", "/policy")
    note = f"digest {after[0]['digest'][:16]}…"
    moved = len(digests(*after)) == 1 and digests(*after).isdisjoint(digests(*before))
    walk.expect("the policy is replaced, while both serve", *after, note=note, holds=moved)
    allowed = walk.both(cleo, "DELETE", "/documents/7")
    walk.expect("cleo deletes it with the token of before", *allowed, status=204)
    welcome = walk.both(cleo, "DELETE", "/documents/welcome")
    walk.expect("and the welcome, which is to stay", *welcome, status=403, reason="denied")
    walk.show(explanations.of_denial(*welcome))

    matrix = walk.get("/policy/matrix?form=markdown", bearer=olga)
    walk.expect("olga looks at who may do what", matrix)
    walk.show(matrix.text)
    page = walk.get("/policy/matrix", bearer=olga)
    alone = page.text.lower().startswith("<!doctype html") and "http" not in page.text
    walk.expect("and once more, as a page that stands alone", page, holds=alone)
    saved = walk.services.policy.with_name("matrix.html")
    saved.write_text(page.text, encoding="utf-8")
    walk.show(f"{saved.as_uri()}, until the services stop")


def digests(*answers: Answer) -> set[str]:
    """Return the digests of the policies in force."""
    return {answer["digest"] for answer in answers}


def changes(diff: dict[str, Any]) -> str:
    """Put a difference into words."""
    return "\n".join(
        f"{role} {what} {', '.join(change[what])}"
        for role, change in diff["roles"]["changed"].items()
        for what in ("gained", "lost")
        if change[what]
    )
