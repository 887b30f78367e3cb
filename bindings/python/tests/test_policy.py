"""Who may what: the policy's catalogue is all there is, denials win, and mistakes say where."""

from __future__ import annotations

import enum
import gc
import hashlib
import json
import pickle
import random
import string
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import donjon
from conftest import AUDIENCE, ISSUER
from donjon import Keyring, Policy, Subject, TokenIssuer, TokenVerifier, permission_implies

DOCUMENT: dict[str, Any] = {
    "name": "documents",
    "permissions": [
        "document:create",
        "document:read:{id}",
        "document:update:{id}",
        "document:delete:{id}",
        "user:list",
        "user:delete",
        "payment:enter",
        "payment:approve",
    ],
    "roles": {
        "viewer": {"description": "looks", "allow": ["document:read"]},
        "editor": {"inherits": ["viewer"], "allow": ["document:create", "document:update"]},
        "admin": {"allow": ["*"], "deny": ["document:delete"]},
        "intern": {"inherits": ["editor"], "deny": ["document:read:7"]},
        "guest": {"allow": ["document:read:1,2"]},
        "clerk": {"allow": ["payment:enter"]},
        "approver": {"allow": ["payment:approve"]},
        "auditor": {"inherits": ["viewer"], "allow": ["user:list"]},
        "owner": {"allow": ["user"]},
    },
    "constraints": {
        "static_separation": [{"roles": ["clerk", "approver"], "at_most": 1}],
        "dynamic_separation": [{"roles": ["auditor", "editor"], "at_most": 1}],
        "cardinality": [{"role": "owner", "at_most": 1}],
    },
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(DOCUMENT)


def one_role(*allow: str, permissions: list[str] | None = None, **more: Any) -> dict[str, Any]:
    catalogue = permissions or ["document:read", "document:update", "documents:list"]
    return {"permissions": catalogue, "roles": {"role": {"allow": list(allow), **more}}}


# ---- documents ----


def test_every_form_of_a_document_is_one_policy(policy: Policy) -> None:
    text = json.dumps(DOCUMENT, indent=2)
    for form in (text, text.encode(), DOCUMENT, policy.document):
        again = Policy(form)
        assert again.document == policy.document
        assert again.digest == policy.digest == hashlib.sha256(policy.document.encode()).digest()
    assert Policy(one_role("*")).digest != policy.digest
    assert repr(policy) == f"<Policy {policy.digest.hex()[:8]}>"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"allow": ["document:fly"]}, "roles.editor.allow[0]"),
        ({"allow": ["document:read", "document:"]}, "roles.editor.allow[1]"),
        ({"allow": [""]}, "roles.editor.allow[0]"),
        ({"allow": ["::"]}, "roles.editor.allow[0]"),
        ({"allow": ["doc*"]}, "roles.editor.allow[0]"),
        ({"allow": [" document:read"]}, "roles.editor.allow[0]"),
        ({"allow": ["Document:read"]}, "roles.editor.allow[0]"),
        ({"allow": ["document:re\x00ad"]}, "roles.editor.allow[0]"),
        ({"allow": ["a" * 513]}, "roles.editor.allow[0]"),
        ({"deny": ["document:fly"]}, "roles.editor.deny[0]"),
        ({"inherits": ["ghost"]}, "roles.editor.inherits[0]"),
        ({"inherits": ["editor"]}, "roles.editor.inherits"),
        ({"permits": []}, "roles.editor"),
        ({"allow": "document:read"}, "roles.editor.allow"),
    ],
)
def test_what_is_wrong_with_a_role_is_said_with_its_place(change: Any, path: str) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["roles"]["editor"] = change
    with pytest.raises(donjon.InvalidPolicy) as caught:
        Policy(document)
    assert caught.value.path.startswith(path)
    assert str(caught.value).startswith(f"{caught.value.path}: ")
    assert caught.value.reason == "config_error"
    assert isinstance(caught.value, donjon.PolicyError)
    assert isinstance(caught.value, donjon.ConfigError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.path, str(again)) == (caught.value.path, str(caught.value))


def test_roles_that_inherit_each_other_are_refused() -> None:
    roles = {"a": {"inherits": ["b"]}, "b": {"inherits": ["c"]}, "c": {"inherits": ["a"]}}
    with pytest.raises(donjon.InvalidPolicy) as caught:
        Policy({"permissions": ["x"], "roles": roles})
    assert caught.value.path.startswith("roles.")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        (b"\xff", "malformed"),
        ('{"permissions":[],"roles":{"a":{},"a":{}}}', "config_error"),
        ('{"permissions":[],"roles":{}} x', "malformed"),
        ("[" * 100_000, "malformed"),
        ("[]", "config_error"),
        ("{}", "config_error"),
        ({}, "config_error"),
        ({"permissions": [], "roles": []}, "config_error"),
        ({"permissions": ["a", "a"], "roles": {}}, "config_error"),
        ({"permissions": ["a"], "roles": {"a@b": {}}}, "config_error"),
        ({"permissions": ["a"], "roles": {}, "rules": []}, "config_error"),
        ('{"permissions":[],"roles":{}}' + " " * (16 << 20), "too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_policy_is_refused(document: Any, reason: str) -> None:
    with pytest.raises(donjon.InvalidPolicy) as caught:
        Policy(document)
    assert (caught.value.reason, caught.value.http_status) == (reason, 500)
    assert str(caught.value)


@pytest.mark.parametrize("document", [None, 7, [], ("a",), bytearray(b"{}"), {"roles": {1: {}}}])
def test_a_document_is_json(document: Any) -> None:
    with pytest.raises(TypeError):
        Policy(document)


def test_huge_documents_end() -> None:
    endless: dict[str, Any] = {}
    endless["roles"] = endless
    with pytest.raises(donjon.InvalidArgument):
        Policy(endless)
    with pytest.raises(donjon.InvalidPolicy) as caught:
        Policy({"permissions": ["x" * 10**6] * 20, "roles": {}})
    assert caught.value.reason == "too_large"
    for document in (
        {"permissions": ["x" * 10**6], "roles": {}},
        {"permissions": ["x"], "roles": {"x" * 10**6: {}}},
    ):
        with pytest.raises(donjon.InvalidPolicy) as caught:
            Policy(document)
        assert len(str(caught.value)) < 10_000


def test_a_large_policy_loads_and_decides() -> None:
    permissions = [f"area{n}:read" for n in range(1000)]
    roles = {f"role{n}": {"allow": [permissions[n % 1000]]} for n in range(100_000)}
    policy = Policy({"permissions": permissions, "roles": roles})
    assert policy.subject(["role99999"]).has("area999:read")
    assert len(policy.who_can("area7:read")) == 100


def test_deep_inheritance_ends() -> None:
    roles: dict[str, Any] = {f"r{n}": {"inherits": [f"r{n + 1}"]} for n in range(10_000)}
    roles["r10000"] = {"allow": ["a:read"]}
    document = {"permissions": ["a:read"], "roles": roles}
    try:
        policy = Policy(document)
    except donjon.InvalidPolicy as error:
        assert error.path  # noqa: PT017  either is within what was promised
    else:
        assert policy.subject(["r0"]).has("a:read")


@pytest.mark.parametrize("name", ["deepinsight", "session-cluster"])
def test_the_policies_of_both_requirements_are_shipped(name: Any) -> None:
    policy = Policy.shipped(name)
    matrix = policy.matrix()
    assert matrix["cells"]
    assert {finding["kind"] for finding in policy.lint()} <= {"equal_roles", "unused_permission"}
    for role in matrix["roles"]:
        allowed = policy.subject([role]).permissions()
        granted = [p for p, cell in matrix["cells"].get(role, {}).items() if cell == "granted"]
        assert sorted(allowed) == sorted(granted)


def test_no_other_policy_is_shipped() -> None:
    for name in ("", "documents", "../deepinsight"):
        with pytest.raises(donjon.InvalidArgument):
            Policy.shipped(name)  # type: ignore[arg-type]


def test_the_schema_is_json() -> None:
    assert "$schema" in json.loads(Policy.schema())


def test_casbins_lines_are_a_policy_and_who_has_its_roles() -> None:
    csv = "p, admin, document, read\np, admin, document, delete, deny\ng, alice, admin\n"
    for form in (csv, csv.encode()):
        policy, assignments = Policy.from_casbin(form)
        assert assignments == {"alice": ["admin"]}
        assert policy.allows(assignments["alice"], "document:read")
        assert not policy.allows(assignments["alice"], "document:delete")
    for bad in ("p, admin", "x, y, z", "p, a, do cument, read", b"\xff"):
        with pytest.raises(donjon.InvalidPolicy):
            Policy.from_casbin(bad)


# ---- decisions ----


@pytest.mark.parametrize(
    ("roles", "permission", "allowed"),
    [
        (["viewer"], "document:read", True),
        (["viewer"], "document:update", False),
        (["editor"], "document:read", True),
        (["admin"], "user:delete", True),
        (["admin"], "document:delete", False),
        (["viewer", "admin"], "document:delete", False),
        (["admin", "viewer"], "document:delete", False),
        # Of all that it covers, one is denied.
        (["admin"], "document:*", False),
        (["admin"], "user:*", True),
        (["viewer"], "document:read_all", False),
        (["viewer"], "Document:read", False),
        (["viewer"], " document:read", False),
        (["viewer"], "document:read ", False),
        (["viewer"], "documents:read", False),
        (["viewer"], "document", False),
        (["viewer"], "", False),
        (["viewer"], "::", False),
        (["admin"], "document:read\n", False),
        (["admin"], "document:doc*", False),
        (["admin"], "never:heard", False),
        (["admin"], "x" * 10_000, False),
        (["ghost"], "document:read", False),
        (["ghost", "viewer"], "document:read", True),
        ([], "document:read", False),
        (["viewer@acme"], "document:read", False),
    ],
)
def test_a_permission_is_had_or_not(
    policy: Policy, roles: list[str], permission: str, *, allowed: bool
) -> None:
    subject = policy.subject(roles)
    assert subject.has(permission) == allowed
    assert policy.allows(roles, permission) == allowed
    assert subject.explain(permission)["allowed"] == allowed
    if allowed:
        subject.require(permission)
    else:
        with pytest.raises(donjon.PermissionDenied):
            subject.require(permission)


@pytest.mark.parametrize(
    ("roles", "instance", "allowed"),
    [
        (["viewer"], "42", True),
        (["viewer"], 42, True),
        (["guest"], "1", True),
        (["guest"], 2, True),
        (["guest"], 3, False),
        (["intern"], 8, True),
        (["intern"], 7, False),
        (["intern", "viewer"], "7", False),
    ],
)
def test_an_instance_is_one_of_them(
    policy: Policy, roles: list[str], instance: str | int, *, allowed: bool
) -> None:
    subject = policy.subject(roles)
    assert subject.has("document:read", instance) == allowed
    assert subject.has(f"document:read:{instance}") == allowed
    assert subject.has_all(["document:read"], instance) == allowed
    assert subject.has_any(["document:delete", "document:read"], instance) == allowed
    assert subject.explain("document:read", instance)["allowed"] == allowed
    assert policy.allows(roles, "document:read", instance) == allowed


@pytest.mark.parametrize(
    "instance",
    ["*", "1,2", "1:2", ":", "", " ", "1 ", "1\n", "\0", "1\x7f", "\ud800", "1\u2028", "x" * 10**6],
)
def test_what_a_path_says_is_a_name_or_denied(policy: Policy, instance: str) -> None:
    for role in ("viewer", "admin", "guest"):
        subject = policy.subject([role])
        assert not subject.has("document:read", instance)
        assert not subject.has_any(["document:read"], instance)
        assert not subject.has_all(["document:read"], instance)
        assert not policy.allows([role], "document:read", instance)
        with pytest.raises(donjon.PermissionDenied):
            subject.require("document:read", instance)


def test_an_instance_of_what_has_none_is_denied(policy: Policy) -> None:
    assert not policy.subject(["admin"]).has("user:list", "42")


def test_of_nothing_nobody_has_one_and_nobody_can_ask_for_all(policy: Policy) -> None:
    subject = policy.subject(["admin"])
    assert not subject.has_any([])
    with pytest.raises(donjon.PermissionDenied):
        subject.require_any([])
    for ask in (subject.has_all, subject.require_all):
        with pytest.raises(donjon.InvalidArgument):
            ask([])


def test_one_any_all(policy: Policy) -> None:
    subject = policy.subject(["viewer"])
    both = ("document:read", "document:update")
    assert subject.has_any(both)
    assert not subject.has_all(both)
    assert subject.has_all({"document:read"})
    subject.require_any(both)
    with pytest.raises(donjon.PermissionDenied):
        subject.require_all(both)


def test_roles_are_had_by_inheritance(policy: Policy) -> None:
    subject = policy.subject(["editor"])
    assert subject.has_role("editor")
    assert subject.has_role("viewer")
    assert not subject.has_role("admin")
    assert not subject.has_role("ghost")
    subject.require_role("viewer")
    with pytest.raises(donjon.PermissionDenied) as caught:
        subject.require_role("admin")
    assert caught.value.explanation is None


def test_a_tenants_role_is_good_in_that_tenant(policy: Policy) -> None:
    roles = ["editor@acme", "viewer"]
    assert policy.subject(roles, tenant="acme").has("document:update")
    for tenant in ("ACME", "acme2", None, ""):
        assert not policy.subject(roles, tenant=tenant).has("document:update")
        assert policy.subject(roles, tenant=tenant).has("document:read")
    for tenant in ("a@b", "a b", "a\0", "x" * 1000):
        with pytest.raises(donjon.InvalidArgument):
            policy.subject(roles, tenant=tenant)


def test_a_tokens_permissions_narrow_and_add_nothing(policy: Policy) -> None:
    subject = policy.subject(["editor"], permissions=["document:read", "user:delete"])
    assert subject.has("document:read")
    assert not subject.has("document:update")
    assert not subject.has("user:delete")
    assert subject.explain("document:update")["reason"] == "token_lacks"
    assert not policy.subject(["editor"], permissions=[]).has("document:read")
    assert policy.subject(["editor"], permissions=None).has("document:read")


def test_verified_claims_are_a_subject(policy: Policy) -> None:
    keyring = Keyring.generate()
    issuer = TokenIssuer(keyring, issuer=ISSUER, audience=AUDIENCE)
    verifier = TokenVerifier(
        keyring, issuer=ISSUER, audience=AUDIENCE, type="at+jwt", algorithms=["EdDSA"]
    )

    def subject(**claims: Any) -> Subject:
        return policy.subject_of(verifier.verify(issuer.access("ann", **claims)))

    assert subject(roles=["editor"]).has("document:update")
    assert not subject(roles=["editor"], permissions=["document:read"]).has("document:update")
    assert not subject(roles=["editor"], permissions=[]).has("document:read")
    assert not subject().has("document:read")
    assert not subject(permissions=["document:read"]).has("document:read")
    claims = verifier.verify(issuer.access("ann", roles=["editor@acme"]))
    assert policy.subject_of(claims, tenant="acme").has("document:update")
    with pytest.raises(TypeError):
        policy.subject_of({"roles": ["admin"]})  # type: ignore[arg-type]


def test_roles_that_exclude_each_other_are_not_activated_together(policy: Policy) -> None:
    with pytest.raises(donjon.SeparationOfDuty) as caught:
        policy.subject(["auditor", "editor"])
    assert caught.value.http_status == 403
    with pytest.raises(donjon.SeparationOfDuty):
        policy.allows(["auditor", "editor"], "document:read")
    assert policy.subject(["auditor"]).has("user:list")


def test_roles_are_assigned_within_the_constraints(policy: Policy) -> None:
    policy.assign([], "clerk", members=0)
    policy.assign(["viewer"], "clerk", members=10**9)
    policy.assign(["clerk@acme"], "approver@other", members=0)
    for roles, role in ((["clerk"], "approver"), (["clerk@acme"], "approver@acme")):
        with pytest.raises(donjon.SeparationOfDuty):
            policy.assign(roles, role, members=0)
    policy.assign([], "owner", members=0)
    with pytest.raises(donjon.CardinalityExceeded):
        policy.assign([], "owner", members=1)
    with pytest.raises(donjon.UnknownRole):
        policy.assign([], "ghost", members=0)
    for members in (-1, 2**63):
        with pytest.raises(donjon.InvalidArgument):
            policy.assign([], "owner", members=members)
    with pytest.raises(TypeError):
        policy.assign([], "owner", members=True)
    with pytest.raises(TypeError):
        policy.assign([], "owner")  # type: ignore[call-arg]


def test_what_a_service_asks_for_is_checked_when_it_starts(policy: Policy) -> None:
    policy.check_permission("document:read")
    policy.check_permission("document:read:{document_id}")
    policy.check_role("editor")
    for unknown in ("document:fly", "documents", "user:list:{id}"):
        with pytest.raises(donjon.UnknownPermission):
            policy.check_permission(unknown)
    with pytest.raises(donjon.PolicyInputRefused) as caught:
        policy.check_permission("document::")
    assert caught.value.reason == "malformed"
    with pytest.raises(donjon.UnknownRole):
        policy.check_role("ghost")


# ---- views ----


def test_a_denial_explains_itself_to_the_log(policy: Policy) -> None:
    with pytest.raises(donjon.PermissionDenied) as caught:
        policy.subject(["admin", "ghost"]).require("document:delete")
    error = caught.value
    assert (error.http_status, str(error)) == (403, "the roles do not allow it")
    assert error.explanation is not None
    assert (error.explanation["reason"], error.explanation["unknown_roles"]) == (
        "denied",
        ["ghost"],
    )
    (permission,) = error.explanation["permissions"]
    assert [denial["grant"] for denial in permission["denies"]] == ["document:delete"]
    assert pickle.loads(pickle.dumps(error)).explanation == error.explanation


def test_a_grant_is_explained_by_the_way_it_came(policy: Policy) -> None:
    explanation = policy.subject(["intern"]).explain("document:read", 8)
    assert (explanation["allowed"], explanation["reason"]) == (True, "granted")
    (grant,) = explanation["permissions"][0]["grants"]
    assert grant == {
        "role": "viewer",
        "via": ["intern", "editor", "viewer"],
        "grant": "document:read",
    }


@pytest.mark.parametrize(
    ("permission", "reason"),
    [("document:update", "missing"), ("a:b", "unknown_permission"), ("::", "malformed_permission")],
)
def test_a_denial_has_one_of_few_reasons(policy: Policy, permission: str, reason: str) -> None:
    assert policy.subject(["viewer"]).explain(permission)["reason"] == reason


def test_any_and_all_are_explained(policy: Policy) -> None:
    subject = policy.subject(["viewer"])
    both = ["document:read", "document:update"]
    assert subject.explain(both, mode="any")["allowed"]
    explanation = subject.explain(both)
    assert (explanation["allowed"], explanation["mode"]) == (False, "all")
    assert [entry["allowed"] for entry in explanation["permissions"]] == [True, False]
    assert subject.explain([], mode="any")["reason"] == "empty"
    with pytest.raises(ValueError, match="any or all"):
        subject.explain(both, mode="some")  # type: ignore[arg-type]


def test_who_can_and_what_can(policy: Policy) -> None:
    assert policy.who_can("user:list") == ["admin", "auditor", "owner"]
    assert policy.who_can("document:fly") == []
    assert policy.subject(["guest"]).permissions() == ["document:read:1", "document:read:2"]
    assert policy.subject(["viewer"]).permissions() == ["document:read"]
    assert policy.subject(["ghost"]).permissions() == []


def test_the_matrix_is_for_programs_and_for_people(policy: Policy) -> None:
    matrix = policy.matrix()
    assert matrix["cells"]["admin"]["document:delete:{id}"] == "denied"
    assert matrix["cells"]["guest"]["document:read:{id}"] == "some"
    assert "document:delete:{id}" not in matrix["cells"]["viewer"]
    assert policy.matrix("markdown").startswith("| Permission |")
    assert "<table" in policy.matrix("html")
    with pytest.raises(ValueError, match="json, markdown or html"):
        policy.matrix("pdf")  # type: ignore[call-overload]


def test_the_matrix_is_safe_to_show() -> None:
    role = "<script>alert(1)</script>"
    html = Policy({"permissions": ["a"], "roles": {role: {"allow": ["a"]}}}).matrix("html")
    assert role not in html


def test_a_diff_is_what_roles_gain_and_lose(policy: Policy) -> None:
    changed = json.loads(policy.document)
    changed["roles"]["viewer"]["allow"].append("user:list")
    changed["roles"]["editor"]["allow"].remove("document:create")
    del changed["roles"]["owner"]
    changed["constraints"]["cardinality"] = []
    diff = policy.diff(Policy(changed))
    assert diff["roles"]["removed"] == ["owner"]
    assert diff["roles"]["changed"]["editor"] == {
        "gained": ["user:list"],
        "lost": ["document:create"],
    }
    assert diff["roles"]["changed"]["viewer"] == {"gained": ["user:list"], "lost": []}
    assert diff["permissions"] == {"added": [], "removed": []}
    (lifted,) = diff["constraints"]["removed"]
    assert lifted.startswith("cardinality")
    same = policy.diff(policy)
    nothing: dict[str, list[str]] = {"added": [], "removed": []}
    assert same == {
        "roles": {**nothing, "changed": {}},
        "permissions": nothing,
        "constraints": nothing,
    }
    with pytest.raises(TypeError):
        policy.diff(DOCUMENT)  # type: ignore[arg-type]


def test_a_lint_finds_what_is_likely_a_mistake() -> None:
    policy = Policy(one_role("document:read", deny=["document:read"]))
    findings = policy.lint()
    assert "shadowed_grant" in {finding["kind"] for finding in findings}
    assert all(set(finding) == {"kind", "path", "message"} for finding in findings)


@pytest.mark.parametrize(
    ("granted", "required", "implied"),
    [
        ("document", "document:read:42", True),
        ("document:*", "document:read", True),
        ("document:read,update", "document:update", True),
        ("document:read", "document:read:42", True),
        ("document:read:42", "document:read", False),
        ("document:read", "document:read_all", False),
        ("document", "documents", False),
        ("document:read", "Document:read", False),
        ("document:read", "::", False),
        ("document:read", "", False),
        ("*", "a:b:c", True),
    ],
)
def test_a_permission_covers_another(granted: str, required: str, *, implied: bool) -> None:
    assert permission_implies(granted, required) == implied


@pytest.mark.parametrize("granted", ["", "::", "doc*", "a b", "x" * 513])
def test_a_grant_that_is_none_covers_nothing_and_says_so(granted: str) -> None:
    with pytest.raises(donjon.PolicyInputRefused):
        permission_implies(granted, "document:read")


# ---- careless and hostile callers ----


@pytest.mark.parametrize(
    "roles", ["viewer", b"viewer", None, 7, {"viewer": 1}, [1], [None], [b"x"], iter(["viewer"])]
)
def test_roles_are_a_list_of_str(policy: Policy, roles: Any) -> None:
    for ask in (
        lambda: policy.subject(roles),
        lambda: policy.allows(roles, "document:read"),
        lambda: policy.assign(roles, "viewer", members=0),
    ):
        with pytest.raises(TypeError, match="expected a list of str"):
            ask()


@pytest.mark.parametrize("permission", [None, 7, True, b"document:read", ["document:read"]])
def test_a_permission_is_a_str(policy: Policy, permission: Any) -> None:
    subject = policy.subject(["admin"])
    for ask in (subject.has, subject.require, policy.check_permission, policy.who_can):
        with pytest.raises(TypeError, match="expected str"):
            ask(permission)


@pytest.mark.parametrize("instance", [True, 1.5, b"42", ["42"], object()])
def test_an_instance_is_a_str_or_an_int(policy: Policy, instance: Any) -> None:
    with pytest.raises(TypeError, match="expected str or int"):
        policy.subject(["admin"]).has("document:read", instance)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**200])
def test_an_int_of_any_size_is_an_instance(policy: Policy, number: int) -> None:
    document = json.loads(policy.document)
    document["roles"]["narrow"] = {"allow": [f"document:read:{number}"]}
    narrow = Policy(document).subject(["narrow"])
    assert narrow.has("document:read", number)
    assert not narrow.has("document:read", number + 1)
    assert policy.subject(["viewer"]).has("document:read", number)


@pytest.mark.parametrize("digits", [500, 10_000])
def test_an_int_that_is_too_long_is_no_instance(policy: Policy, digits: int) -> None:
    admin = policy.subject(["admin"])
    assert not admin.has("document:read", 10**digits)
    with pytest.raises(donjon.PermissionDenied):
        admin.require("document:read", 10**digits)


def test_an_enum_of_ints_is_its_number(policy: Policy) -> None:
    class Page(enum.IntEnum):
        FIRST = 1
        LAST = 2**64

    assert policy.subject(["guest"]).has("document:read", Page.FIRST)
    explanation = policy.subject(["viewer"]).explain("document:read", Page.LAST)
    assert explanation["permissions"][0]["permission"] == f"document:read:{2**64}"


def test_a_lone_permission_is_no_list(policy: Policy) -> None:
    subject = policy.subject(["admin"])
    for ask in (subject.has_any, subject.has_all, subject.require_any, subject.require_all):
        with pytest.raises(TypeError, match="expected a list of str"):
            ask("user:list")  # type: ignore[arg-type]


def test_a_crowd_of_roles_or_permissions_is_refused(policy: Policy) -> None:
    for many in (["viewer"] * 10**6, ["x" * 10**7]):
        with pytest.raises(donjon.PolicyError) as caught:
            policy.subject(many)
        assert caught.value.reason == "too_large"
        with pytest.raises(donjon.PolicyError):
            policy.subject(["viewer"], permissions=many)
        with pytest.raises(donjon.PolicyError):
            policy.subject(["viewer"]).has_any(many)


def test_a_subject_is_made_by_a_policy_alone() -> None:
    with pytest.raises(TypeError):
        Subject()
    for closed in (Policy, Subject):
        with pytest.raises(TypeError):
            type("Mine", (closed,), {})


def test_a_subject_keeps_its_policy() -> None:
    policy = Policy(one_role("document:read"))
    subject = policy.subject(["role"])
    del policy
    gc.collect()
    assert subject.has("document:read")


def test_threads_share_a_policy_and_a_subject(policy: Policy) -> None:
    subject = policy.subject(["editor"])

    def work(_: int) -> bool:
        for _ in range(500):
            assert subject.has("document:read", 42)
            assert not policy.subject(["viewer"]).has("document:update")
            assert not subject.explain("user:delete")["allowed"]
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_random_text_never_lets_anybody_in() -> None:
    chosen = random.Random(7)
    policy = Policy(one_role("document:read"))
    subject = policy.subject(["role"])
    letters = 'documentra:*, {}@\0\n"\\é' + string.ascii_letters
    for _ in range(20_000):
        text = "".join(chosen.choices(letters, k=chosen.randrange(1, 16)))
        if text != "document:read":
            assert not subject.has(text)


def test_a_check_costs_less_than_a_microsecond(policy: Policy) -> None:
    subject = policy.subject(["editor"])
    best = min(_seconds_of_1000_checks(subject) for _ in range(20)) / 1000
    assert best < 1e-6


def _seconds_of_1000_checks(subject: Subject) -> float:
    started = time.perf_counter()
    for _ in range(1000):
        subject.has("document:read")
    return time.perf_counter() - started
