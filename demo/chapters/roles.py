"""Who may do what: denied, explained, granted, allowed; by both services alike."""

from __future__ import annotations

import json
from urllib.parse import quote

import explanations
from chapters.imports import OWNER
from chapters.log_in import log_in, register
from walk import Walk


def tell(walk: Walk) -> None:
    """Walk through it."""
    olga: str = log_in(walk, "olga", OWNER)["access_token"]
    same_policy(walk, olga)

    register(walk, "cleo")
    pair = log_in(walk, "cleo")
    guest: str = pair["access_token"]
    welcome = walk.both(guest, "GET", "/documents/welcome")
    walk.expect("cleo, a guest, reads the welcome", *welcome)
    denied = walk.both(guest, "PUT", "/documents/7")
    walk.expect("changes document 7", *denied, status=403, reason="missing")
    walk.show(f"she is told:  {denied[0].text}\n{explanations.of_denial(*denied)}")
    literal_instances(walk, guest)

    become_editor(walk, olga, guest)
    refreshed = walk.post("/refresh", refresh_token=pair["refresh_token"])
    editor: str = refreshed["access_token"]
    walk.expect("cleo refreshes", refreshed, note="a token with her new role")
    walk.expect("reads document 7", *walk.both(editor, "GET", "/documents/7"))
    walk.expect("changes it", *walk.both(editor, "PUT", "/documents/7"))
    denied = walk.both(editor, "DELETE", "/documents/7")
    walk.expect("deletes it", *denied, status=403, reason="missing")

    why = walk.get("/policy/explain?name=cleo&permission=document:read:7", bearer=olga)
    walk.expect("olga asks why cleo may read it", why)
    walk.show(explanations.in_words(json.loads(why.text)))

    separation(walk, olga)
    narrowed(walk, editor)
    documented(walk)


def same_policy(walk: Walk, olga: str) -> None:
    """Two services that decide alike can prove it in 32 bytes."""
    python, go = walk.both(olga, "GET", "/policy")
    note = f"digest {python['digest'][:16]}…"
    same = python["digest"] == go["digest"]
    walk.expect("olga asks both for their policy", python, go, note=note, holds=same)


def literal_instances(walk: Walk, guest: str) -> None:
    """What stands in a path is the client's text: one name, and never a pattern."""
    for instance in ("*", "welcome,7", "welcome:7"):
        answers = walk.both(guest, "GET", f"/documents/{quote(instance)}")
        what = f"reads the document named {instance}"
        walk.expect(what, *answers, status=403, reason="malformed_permission")


def become_editor(walk: Walk, olga: str, guest: str) -> None:
    """A role is granted by who may grant it, and only one that there is."""
    by_herself = walk.put("/accounts/cleo/roles/editor", bearer=guest)
    walk.expect("cleo makes herself an editor", by_herself, status=403, reason="missing")
    misspelt = walk.put("/accounts/cleo/roles/edtior", bearer=olga)
    walk.expect("olga makes her an edtior", misspelt, status=404, note="there is no such role")
    granted = walk.put("/accounts/cleo/roles/editor", bearer=olga)
    walk.expect("olga makes her an editor", granted, status=204)


def separation(walk: Walk, olga: str) -> None:
    """Two roles that nobody has together, and one that only one has."""
    payer = walk.put("/accounts/dan/roles/payer", bearer=olga)
    walk.expect("dan is to pay invoices", payer, status=204)
    both = walk.put("/accounts/dan/roles/approver", bearer=olga)
    note = "who pays does not approve"
    reason = "separation_of_duty"
    walk.expect("and to approve them", both, status=409, reason=reason, note=note)
    second = walk.put("/accounts/dan/roles/owner", bearer=olga)
    reason = "cardinality_exceeded"
    walk.expect("and to be a second owner", second, status=409, reason=reason)


def narrowed(walk: Walk, editor: str) -> None:
    """A token for a script can do less than its owner, and never more."""
    script = walk.post("/tokens", bearer=editor, permissions=["document:read"])
    token: str = script["access_token"]
    walk.expect("cleo gives a script a token that only reads", script)
    walk.expect("it reads document 7", *walk.both(token, "GET", "/documents/7"))
    denied = walk.both(token, "PUT", "/documents/7")
    walk.expect("it changes it", *denied, status=403, reason="token_lacks")
    wider = walk.post("/tokens", bearer=token, permissions=["document:update"])
    walk.expect("it asks for a token that does", wider, status=403, reason="token_lacks")


def documented(walk: Walk) -> None:
    """What a route requires is known before anybody asks."""
    document = walk.get("/openapi.json")
    update = document["paths"]["/documents/{document_id}"]["put"]
    needs = ", ".join(update.get("x-permissions", ()))
    holds = needs == "document:update:{document_id}"
    walk.expect("OpenAPI says what each route requires", document, holds=holds)
    walk.show(f"PUT /documents/{{document_id}}: {needs}")
