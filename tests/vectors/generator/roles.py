"""A reference evaluator of policies: slow, and obviously what FORMATS.md says. It compiles nothing and looks up nothing."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import product
from typing import Any

from .jose import compact

Segments = list[frozenset[str]]
ANY = "*"


def parse(text: str) -> Segments | None:
    """A permission's segments, each the set of its names; `None` if it is no permission."""
    if len(text.encode()) > 512:
        return None
    segments = [frozenset(segment.split(",")) for segment in text.split(":")]
    if len(segments) > 8 or not all(name == ANY or is_name(name) for segment in segments for name in segment):
        return None
    return segments


def is_name(name: str) -> bool:
    """One literal name: of a segment, or of an instance."""
    return 0 < len(name.encode()) <= 512 and not name.startswith("!") and not any(is_invisible(c) or c in ":,*{}\ufffd" for c in name)


def is_invisible(c: str) -> bool:
    """White space, control, and what only formats text: two names that look alike are two names."""
    formats = ((0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F))
    return c.isspace() or unicodedata.category(c) == "Cc" or any(first <= ord(c) <= last for first, last in formats)


def implies(granted: Segments, required: Segments) -> bool:
    """Shiro's WildcardPermission.implies: a missing tail of the grant grants, one of the requirement asks for everything."""
    for own, other in zip(granted, required):
        if ANY not in own and not other <= own:
            return False
    return all(ANY in own for own in granted[len(required) :])


def intersects(a: Segments, b: Segments) -> bool:
    """Whether some permission is implied by both."""
    return all(ANY in own or ANY in other or own & other for own, other in zip(a, b))


def covers(choice: tuple[str, ...], entry: list[str]) -> bool:
    """Whether a permission of one name a segment stands for something of this catalogue entry."""
    for name, declared in zip(choice, entry):
        if declared != "{id}" and name not in {ANY, declared}:
            return False
    return all(name == ANY for name in choice[len(entry) :])


def known(catalogue: list[str], permission: Segments) -> bool:
    """Whether every choice among the permission's names stands for something that the catalogue has."""
    choices = product(*([ANY] if ANY in segment else sorted(segment) for segment in permission))
    return all(any(covers(choice, entry.split(":")) for entry in catalogue) for choice in choices)


@dataclass(frozen=True)
class Subject:
    """Who asks: his roles, the tenant of the check, and what his token carries (`None`: no such list)."""

    roles: tuple[str, ...]
    tenant: str | None = None
    token: tuple[str, ...] | None = None


def active(policy: dict[str, Any], subject: Subject) -> list[str]:
    """The subject's roles that count, in the order of the document."""
    own = {role.partition("@")[0] for role in subject.roles if "@" not in role or (subject.tenant and role.endswith("@" + subject.tenant) and role.count("@") == 1)}
    return [role for role in policy["roles"] if role in own]


def closure(policy: dict[str, Any], roles: list[str]) -> set[str]:
    """These roles and all that they inherit."""
    held: set[str] = set()
    rest = list(roles)
    while rest:
        role = rest.pop()
        if role not in held:
            held.add(role)
            rest.extend(policy["roles"][role].get("inherits", []))
    return held


def excluded(policy: dict[str, Any], held: set[str], *kinds: str) -> bool:
    """Whether separation of duty forbids to have these roles together."""
    constraints = policy.get("constraints", {})
    return any(len(held & set(one["roles"])) > one.get("at_most", 1) for kind in kinds for one in constraints.get(kind, []))


def reason(policy: dict[str, Any], subject: Subject, permission: str, instance: str | None = None) -> str:
    """What comes of one permission, or of one instance of an open entry."""
    if instance is not None:
        if not is_name(instance):
            return "malformed_permission"
        if f"{permission}:{{id}}" not in policy["permissions"]:
            return "unknown_permission"
        permission = f"{permission}:{instance}"
    required = parse(permission)
    if required is None:
        return "malformed_permission"
    if not known(policy["permissions"], required):
        return "unknown_permission"
    held = closure(policy, active(policy, subject))
    texts = {kind: [text for role in held for text in policy["roles"][role].get(kind, [])] for kind in ("allow", "deny")}
    grants = {kind: [parsed for parsed in map(parse, each) if parsed] for kind, each in texts.items()}
    if any(intersects(denied, required) for denied in grants["deny"]):
        return "denied"
    if not any(implies(allowed, required) for allowed in grants["allow"]):
        return "missing"
    if subject.token is not None and not any(implies(carried, required) for carried in map(parse, subject.token) if carried):
        return "token_lacks"
    return "granted"


def check(policy: dict[str, Any], subject: Subject, mode: str, permissions: list[str], instance: str | None = None) -> dict[str, Any] | str:
    """The decision, or the name of the status that the question comes to."""
    if excluded(policy, closure(policy, active(policy, subject)), "static_separation", "dynamic_separation"):
        return "separation_of_duty"
    if (mode == "one" and len(permissions) != 1) or (mode == "all" and not permissions):
        return "invalid_argument"
    reasons = [reason(policy, subject, permission, instance) for permission in permissions]
    granted = [each == "granted" for each in reasons]
    if mode == "any":
        first = "empty" if not reasons else "granted" if any(granted) else reasons[0]
    else:
        first = next((each for each in reasons if each != "granted"), "granted")
    return {"allowed": first == "granted", "reason": first}


def may_assign(policy: dict[str, Any], roles: list[str], role: str, members: int) -> str:
    """The status that assigning a role comes to."""
    name, at, tenant = role.partition("@")
    if name not in policy["roles"]:
        return "unknown_role"
    # A role without a tenant counts in each tenant that the user has a role in.
    tenants = {tenant} if at else {None} | {held.partition("@")[2] for held in roles if "@" in held}
    for each in tenants:
        held = active(policy, Subject((*roles, name), each or None))
        if excluded(policy, closure(policy, held), "static_separation"):
            return "separation_of_duty"
    for limit in policy.get("constraints", {}).get("cardinality", []):
        if limit["role"] == name and members >= limit["at_most"] and role not in roles:
            return "cardinality_exceeded"
    return "ok"


def who_can(policy: dict[str, Any], permission: str) -> list[str]:
    return sorted(role for role in policy["roles"] if reason(policy, Subject((role,)), permission) == "granted")


def canonical(policy: dict[str, Any]) -> str:
    """The one text that a policy has: members in a fixed order, lists and names sorted, nothing empty, no white space."""
    roles = {}
    for name in sorted(policy["roles"], key=str.encode):
        role = policy["roles"][name]
        lists = {kind: ordered(role.get(kind, [])) for kind in ("inherits", "allow", "deny")}
        roles[name] = ({"description": role["description"]} if "description" in role else {}) | {kind: texts for kind, texts in lists.items() if texts}
    constraints: dict[str, Any] = {}
    for kind, written in policy.get("constraints", {}).items():
        one = [{"roles": ordered(each["roles"]), "at_most": each.get("at_most", 1)} if "roles" in each else {"role": each["role"], "at_most": each["at_most"]} for each in written]
        constraints[kind] = [each for _, each in sorted({compact(each).encode(): each for each in one}.items())]
    kinds = [kind for kind in ("static_separation", "dynamic_separation", "cardinality") if constraints.get(kind)]
    whole: dict[str, Any] = ({"name": policy["name"]} if "name" in policy else {}) | {"permissions": ordered(policy["permissions"]), "roles": roles}
    return compact(whole | ({"constraints": {kind: constraints[kind] for kind in kinds}} if kinds else {}))


def ordered(texts: list[str]) -> list[str]:
    return sorted(set(texts), key=str.encode)
