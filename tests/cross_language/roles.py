"""Requests about roles and permissions, over policies that are made on the spot."""

from __future__ import annotations

import json
from typing import Any

from texts import STRINGS, Members, Texts, dump

RESOURCES = ["doc", "doc", "job", "log", "\u00e9t\u00e9"]
ACTIONS = ["read", "edit", "drop"]
PERMISSIONS = ["", ":", "doc:", ":read", "doc::read", "doc*", " doc", "doc:read ", "doc:r\u0000", "a" * 513, "doc:{id}", "*", "**", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "doc,", "doc,job:read,edit"]
INSTANCES = ["1", "2", "42", "*", "1,2", "a b", "{id}", "\u4e2d", "", "..", "a:b"]

Policy = dict[str, Any]


class Roles(Texts):
    """The operations of roles and permissions."""

    def entries(self) -> list[str]:
        entries = {f"{resource}:{action}": self.pick(["", "", ":{id}"]) for resource in RESOURCES for action in ACTIONS if self.chance(0.6)}
        listed = [name + suffix for name, suffix in entries.items()] or ["doc:read"]
        self.random.shuffle(listed)
        return listed

    def pattern(self) -> str:
        parts = [self.pick([*RESOURCES, "*", "doc,job"]), self.pick([*ACTIONS, "*", "read,edit"]), self.pick(["1", "2", "*", "1,2"])]
        return ":".join(parts[: self.pick([1, 2, 2, 2, 2, 3])])

    def grants(self, entries: list[str], most: int) -> list[str]:
        """What the catalogue has, for the most part."""
        grants = []
        for _ in range(self.random.randrange(most + 1)):
            entry = str(self.pick(entries))
            choices = [entry.replace("{id}", str(self.pick(["1", "2", "*"]))), entry.removesuffix(":{id}"), entry.split(":")[0], entry.split(":")[0] + ":*", "*"]
            grants.append(str(self.pick(choices)))
        return grants

    def policy(self) -> Policy:
        entries = self.entries()
        names = [f"r{i}" for i in range(self.random.randrange(1, 5))] + (["\u00e9ditrice"] if self.chance(0.3) else [])
        roles: dict[str, Any] = {}
        for at, name in enumerate(names):
            role: dict[str, Any] = {}
            if self.chance(0.2):
                role["description"] = json.loads(str(self.pick(STRINGS)))
            if at and self.chance(0.5):
                role["inherits"] = self.random.sample(names[:at], 1 + self.random.randrange(min(at, 2)))
            if self.chance(0.9):
                role["allow"] = self.grants(entries, 6)
            if self.chance(0.2):
                role["deny"] = self.grants(entries, 2)
            if self.chance(0.01):
                role.setdefault("allow", []).append(self.pick([*PERMISSIONS, self.pattern()]))
            roles[name] = role
        policy: Policy = {"permissions": entries, "roles": roles}
        if self.chance(0.2):
            policy["name"] = json.loads(str(self.pick(STRINGS)))
        if self.chance(0.2) and len(names) > 1:
            kind = self.pick(["static_separation", "dynamic_separation"])
            policy["constraints"] = {kind: [{"roles": self.random.sample(names, 2), "at_most": 1}], "cardinality": [{"role": names[0], "at_most": 2}]}
        return policy

    def policy_text(self, policy: Policy | None = None) -> str:
        text = dump(policy or self.policy())
        if self.chance(0.15):
            text = self.respaced(text)
        return self.mutated_json(text) if self.chance(0.03) else text

    def permission(self, policy: Policy) -> str:
        entry = str(self.pick(policy["permissions"]))
        kind = self.random.random()
        if kind < 0.65:
            return entry.replace("{id}", str(self.pick(["1", "2", "3"])))
        if kind < 0.8:
            return entry.removesuffix(":{id}")
        return self.pattern() if kind < 0.93 else str(self.pick(PERMISSIONS))

    def subject(self, op: str) -> tuple[Policy, Members]:
        policy = self.policy()
        held = [str(self.pick([*policy["roles"], *policy["roles"], "ghost", "R0", ""])) + str(self.pick(["", "", "", "@acme", "@beta", "@"])) for _ in range(self.random.randrange(1, 4))]
        members = [("op", dump(op)), ("policy", self.policy_text(policy)), ("roles", dump(held)), ("tenant", str(self.pick(["null", "null", '"acme"', '"acme"', '""'] + ['"a b"'] * self.chance(0.2))))]
        if self.chance(0.2):
            members.append(("token_permissions", dump([self.permission(policy) for _ in range(self.random.randrange(4))])))
        return policy, members

    def question(self, op: str) -> Members:
        policy, members = self.subject(op)
        mode = self.pick(["one", "any", "all"])
        count = self.pick([1, 1, 1, 1, 2]) if mode == "one" else self.random.randrange(4)
        members += [("mode", dump(mode)), ("permissions", dump([self.permission(policy) for _ in range(count)]))]
        if self.chance(0.2):
            members.append(("instance", dump(self.pick(INSTANCES))))
        return members

    def permission_implies(self) -> Members:
        granted, required = (self.pattern() if self.chance(0.85) else str(self.pick(PERMISSIONS)) for _ in range(2))
        return [("op", '"permission_implies"'), ("granted", dump(granted)), ("required", dump(required))]

    def rbac_check(self) -> Members:
        return self.question("rbac_check")

    def rbac_explain(self) -> Members:
        return self.question("rbac_explain")

    def what_can(self) -> Members:
        return self.subject("what_can")[1]

    def has_role(self) -> Members:
        policy, members = self.subject("has_role")
        return [*members, ("role", dump(self.pick([*policy["roles"], "ghost", ""])))]

    def of_policy(self, op: str, *more: tuple[str, str]) -> Members:
        return [("op", dump(op)), ("policy", self.policy_text()), *more]

    def who_can(self) -> Members:
        policy = self.policy()
        return [("op", '"who_can"'), ("policy", self.policy_text(policy)), ("permission", dump(self.permission(policy)))]

    def check_permission(self) -> Members:
        policy = self.policy()
        asked = self.permission(policy) if self.chance(0.7) else str(self.pick(policy["permissions"]))
        return [("op", '"check_permission"'), ("policy", self.policy_text(policy)), ("permission", dump(asked))]

    def check_role(self) -> Members:
        return self.of_policy("check_role", ("role", dump(self.pick(["r0", "r0", "r0", "r0", "r0", "r1", "R0", "ghost", "r0@acme", ""]))))

    def policy_assign(self) -> Members:
        policy = self.policy()
        names = [*policy["roles"], "ghost"]
        held = [str(self.pick(names)) + str(self.pick(["", "", "@acme"])) for _ in range(self.random.randrange(3))]
        role = str(self.pick([*policy["roles"]] * 3 + ["ghost"])) + str(self.pick(["", "", "@acme"]))
        return [("op", '"policy_assign"'), ("policy", self.policy_text(policy)), ("roles", dump(held)), ("role", dump(role)), ("members", str(self.pick([0, 0, 1, 2, 2**63 - 1])))]

    def policy_document(self) -> Members:
        return self.of_policy("policy_document")

    def policy_shipped(self) -> Members:
        return [("op", '"policy_shipped"'), ("name", str(self.pick(['"deepinsight"', '"session-cluster"', '"nothing"'])))]

    def policy_diagnose(self) -> Members:
        text = self.policy_text()
        if self.chance(0.6):
            text = self.mutated_json(text)
        return [("op", '"policy_diagnose"'), ("document", dump(text))]

    def policy_diff(self) -> Members:
        before = self.policy()
        after = before | {"roles": before["roles"] | {"r0": {"allow": self.grants(before["permissions"], 4)}}} if self.chance(0.5) else self.policy()
        return [("op", '"policy_diff"'), ("before", self.policy_text(before)), ("after", self.policy_text(after))]

    def policy_lint(self) -> Members:
        return self.of_policy("policy_lint")

    def policy_matrix(self) -> Members:
        return self.of_policy("policy_matrix", ("format", str(self.pick(['"json"', '"json"', '"markdown"', '"html"'] + ['"csv"'] * self.chance(0.1)))))

    def casbin_import(self) -> Members:
        lines = []
        for _ in range(self.random.randrange(6)):
            fields = ["p", str(self.pick(["r", "s", "\u00e9"])), str(self.pick(["doc", "job", "log"])), str(self.pick(ACTIONS)), *self.random.sample(["deny", "allow"], self.chance(0.2))]
            if self.chance(0.4):
                fields = ["g", str(self.pick(["ann", "bob", "s"])), str(self.pick(["r", "r", "t"]))]
            lines.append(str(self.pick([", ", ",", " ,\t"])).join(fields))
        if self.chance(0.1):
            lines.append(str(self.pick(["p, a", "x, y, z", "p, a, b, *", "g, r, r", "p, a@b, c, d", '"p", a, b, c', "# p, a", "p, a, b, c, DENY"])))
        return [("op", '"casbin_import"'), ("csv", dump(str(self.pick(["\n", "\r\n"])).join(lines)))]
