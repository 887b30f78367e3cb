"""Requests about limits, lock-out and the client's address: states of every kind, times that step back, headers of many spellings."""

from __future__ import annotations

from typing import Any

from texts import NUMBERS, STRINGS, Members, Texts, dump

NOW_MS = 1_700_000_000_000
MAX_NOW_MS = 2**47 - 1
ALGORITHMS = ["gcra", "token_bucket", "fixed_window", "sliding_window", "sliding_log"]
KINDS = {"gcra": 0x11, "token_bucket": 0x12, "fixed_window": 0x13, "sliding_window": 0x14, "sliding_log": 0x15, "lockout": 0x16}
UNITS = ["second", "minute", "hour", "day", "month", "year", "seconds", "Hours", "MINUTE"]
PROFILES = ["deepinsight/login", "session-cluster/session_create", "session-cluster/default", "deepinsight/nothing", "", "/"]
ADDRESSES = ["192.0.2.1", "192.0.2.1:80", "10.0.0.7", "10.0.0.7:1", "::1", "[::1]:80", "[2001:db8::7]", "2001:db8:1:2:3:4:5:6", "2001:DB8::", "::ffff:192.0.2.9", "fe80::1%eth0", "203.0.113.9", "2001:db8:0:0:1::", "1:2:3:4:5:6:192.0.2.1"]
JUNK = ["", "unknown", "_hidden", "x", "192.0.2", "192.0.2.256", "010.0.0.1", "1.2.3.4.5", ":::", "[::1", "::1]", "192.0.2.1:99999", "192.0.2.1:", "\u0661.2.3.4", "1.2.3.4 5.6.7.8", '"1.2.3.4"', "\x00", "0x7f.1", "[192.0.2.1]:80"]
NETWORKS = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1", "::1", "0.0.0.0/0", "::/0", "203.0.113.0/24", "fe80::/10"]
BAD_NETWORKS = ["10.0.0.5/8", "10.0.0.0/33", "::ffff:10.0.0.0/104", "fe80::%eth0/10", "010.0.0.0/8", "10.0.0.0/08", "", "x", "10.0.0.0/"]


class Limits(Texts):
    """The operations of limits, lock-out and the client's address."""

    good: dict[str, list[dict[str, Any]]]

    # ---- limits ----

    def item(self) -> str:
        amount = self.pick([1, 2, 3, 5, 7, 10, 64, 100, 4294967295] + [0, 65, 4294967296] * self.chance(0.1))
        multiple = self.pick(["", "", "", "2 ", "10", "100 "] + ["0 ", "4294967296 "] * self.chance(0.1))
        between = self.pick(["/", "/", " per ", " / ", "per", " PER "])
        return f"{amount}{between}{multiple}{self.pick(UNITS)}"

    def spec(self) -> str:
        text = str(self.pick([";", ", ", " | "])).join(self.item() for _ in range(self.pick([1, 1, 1, 1, 2, 3])))
        if self.chance(0.08):
            at = self.random.randrange(len(text) + 1)
            text = text[:at] + str(self.pick([" ", "", "x", "/", ";", "9", "-", "\u00e9", "\t"])) + text[at + self.random.randrange(2) :]
        return text

    def config(self) -> str:
        kind = self.random.random()
        if kind < 0.15:
            members = [("attempts", str(self.pick([1, 3, 5, 5, 255]))), ("lock_s", str(self.pick([1, 60, 900]))), ("growth", str(self.pick([1, 2, 10]))), ("max_lock_s", str(self.pick([900, 3600, 86400])))]
            lockout = [member for member in members if self.chance(0.7)]
            return '{"lockout":{' + ",".join(f'"{name}":{value}' for name, value in lockout) + "}}"
        if kind < 0.2:
            return dump({"profile": self.pick(PROFILES[: self.pick([3, 3, 6])])})
        members = [("limits", dump(self.spec()))]
        if self.chance(0.8):
            members.append(("algorithm", dump(self.pick(ALGORITHMS))))
        if self.chance(0.1):
            members.append(("burst", str(self.pick([1, 5, 20, 0, 2**32]))))
        text = "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"
        return self.mutated_json(text) if self.chance(0.02) else text

    def state(self) -> str:
        """The state of some limit, or of several, with whatever in it a state can say."""
        kind = self.random.random()
        if kind < 0.25:
            return "null"
        states = b"".join(self.one_state() for _ in range(self.pick([1, 1, 1, 2])))
        if kind < 0.35:
            at = self.random.randrange(len(states))
            states = self.pick([states[:at], states + b"\x00", states[:at] + self.random.randbytes(1) + states[at + 1 :], self.random.randbytes(at)])
        return dump(states.hex())

    def one_state(self) -> bytes:
        algorithm, amount, period_s = self.pick([*ALGORITHMS, "lockout"]), self.pick([1, 3, 5, 7, 10, 64]), self.pick([1, 60, 900, 3600, 86400])
        tag = bytes([KINDS[algorithm]]) + amount.to_bytes(4, "big") + period_s.to_bytes(4, "big")

        def time() -> bytes:
            near = NOW_MS + self.random.randrange(-2000 * period_s, 1000 * period_s)
            return int(self.pick([near, near, near, NOW_MS, 0, MAX_NOW_MS, 2**48 - 1])).to_bytes(6, "big")

        def count(most: int, size: int) -> bytes:
            return self.random.randint(0, most).to_bytes(size, "big")

        if algorithm in {"gcra", "token_bucket"}:
            return tag + int(self.pick([amount, amount, amount + 5])).to_bytes(4, "big") + time() + count(amount - 1, 4)
        if algorithm == "fixed_window":
            return tag + time() + count(amount, 4)
        if algorithm == "sliding_window":
            return tag + time() + count(amount, 4) + count(amount, 4)
        if algorithm == "sliding_log":
            times = sorted(time() for _ in range(self.random.randint(0, min(amount, 10))))
            return tag + bytes([len(times)]) + b"".join(times)
        return tag + count(amount, 1) + count(3, 1) + time() + time()

    def now_ms(self) -> str:
        return str(self.pick([NOW_MS] * 6 + [NOW_MS + self.random.randrange(4_000_000), NOW_MS - 1, 0, MAX_NOW_MS, 2**63 - 1] + [-1] * self.chance(0.1)))

    def cost(self) -> str:
        return str(self.pick([1, 1, 1, 1, 0, 2, 3, 5, 4294967295]))

    def spending(self, op: str) -> Members:
        if self.chance(0.25) and self.good.get(op):
            members = self.members(self.pick(self.good[op]))
            changes = {"now_ms": self.now_ms(), "cost": self.cost(), "state_hex": self.state()}
            return [(name, changes.get(name, text) if self.chance(0.2) else text) for name, text in members]
        return [("op", dump(op)), ("config", self.config()), ("state_hex", self.state()), ("now_ms", self.now_ms()), ("cost", self.cost())]

    def limit_parse(self) -> Members:
        return [("op", '"limit_parse"'), ("spec", dump(self.spec()))]

    def limit_apply(self) -> Members:
        members = self.spending("limit_apply")
        names = {name for name, _ in members}
        if "config" not in names:
            return members
        algorithm = self.pick(ALGORITHMS)
        fields = [("algorithm", dump(algorithm)), ("amount", str(self.pick([1, 5, 7, 64, 64]))), ("period_s", str(self.pick([1, 60, 3600, 3110400000])))]
        if self.chance(0.1):
            fields.append(("burst", str(self.pick([1, 5, 100, "null", 0]))))
        if self.chance(0.05):
            fields = [(name, str(self.pick(NUMBERS)) if name != "algorithm" else str(self.pick(STRINGS))) for name, _ in fields]
        return [member for member in members if member[0] != "config"] + fields

    def limits_describe(self) -> Members:
        return [("op", '"limits_describe"'), ("config", self.config())]

    def limits_diagnose(self) -> Members:
        text = self.config()
        return [("op", '"limits_diagnose"'), ("config", dump(self.mutated_json(text) if self.chance(0.4) else text))]

    def limits_spend(self) -> Members:
        return self.spending("limits_spend")

    def limits_give_back(self) -> Members:
        members = self.spending("limits_give_back")
        if "spent_at_ms" in {name for name, _ in members}:
            return members
        return [*members, ("spent_at_ms", self.now_ms())]

    def limits_headers(self) -> Members:
        members = self.spending("limits_headers")
        return [*(member for member in members if member[0] != "ietf"), ("ietf", str(self.pick(["true", "false"])))]

    def limits_refusal(self) -> Members:
        members = self.spending("limits_refusal")
        return [*members, ("code", str(self.pick([*STRINGS, "null"])))] if self.chance(0.4) else members

    def limits_script(self) -> Members:
        return [("op", '"limits_script"'), ("config", self.config())]

    def limits_script_args(self) -> Members:
        return [("op", '"limits_script_args"'), ("config", self.config()), ("cost", self.cost()), ("now_ms", self.now_ms() if self.chance(0.6) else "null")]

    def compare_and_set_script(self) -> Members:
        return [("op", '"compare_and_set_script"')]

    def limit_profiles(self) -> Members:
        return [("op", '"limit_profiles"')]

    # ---- lock-out ----

    def lockout_counters(self) -> Members:
        members = self.members(self.pick(self.good["lockout_counters"]))
        changes = {"account": str(self.pick(STRINGS)), "address": str(self.pick(STRINGS)), "subject": str(self.pick(STRINGS)), "state": str(self.pick(STRINGS)), "device": str(self.pick(STRINGS)), "now_s": str(NOW_MS // 1000 + self.random.randrange(5000))}
        return [(name, changes.get(name, text) if self.chance(0.2) else text) for name, text in members]

    def lockout_device_token(self) -> Members:
        members = self.members(self.pick(self.good["lockout_device_token"]))
        changes = {"subject": str(self.pick(STRINGS)), "state": str(self.pick(STRINGS)), "ttl_s": str(self.pick([1, 60, 3600, 0, -1, 2**63 - 1])), "entropy_hex": dump(self.random.randbytes(self.pick([16, 16, 16, 16, 32, 15])).hex())}
        return [(name, changes.get(name, text) if self.chance(0.5) else text) for name, text in members]

    # ---- the client's address ----

    def address(self) -> str:
        return str(self.pick(ADDRESSES if self.chance(0.85) else JUNK))

    def client_ip(self) -> Members:
        if self.chance(0.25):
            return self.members(self.pick(self.good["client_ip"]))
        header = self.pick(["x-forwarded-for", "x-forwarded-for", "forwarded", "x-real-ip", None])
        entries = [self.address() for _ in range(self.pick([0, 1, 1, 2, 3, 5]))]
        if header == "forwarded":
            entries = [self.element(entry) for entry in entries]
        text = str(self.pick([", ", ",", " ,\t"])).join(entries)
        lines = text.split(self.pick([",", "no such thing"])) if self.chance(0.3) else [text]
        members = [("op", '"client_ip"'), ("peer", dump(self.pick(ADDRESSES[:8]) if self.chance(0.9) else self.pick(JUNK))), ("header", dump(header)), ("lines", dump(lines if entries else []))]
        if self.chance(0.5):
            members.append(("trusted", dump([str(self.pick(NETWORKS if self.chance(0.97) else BAD_NETWORKS)) for _ in range(self.random.randrange(4))])))
        elif self.chance(0.6):
            members.append(("hops", str(self.pick([0, 1, 1, 2, 3, 255] + [256, -1] * self.chance(0.1)))))
        if self.chance(0.3):
            members.append(("ipv6_prefix", str(self.pick([32, 48, 56, 64, 64, 128] + [31, 129] * self.chance(0.2)))))
        return members

    def element(self, node: str) -> str:
        quoted = ":" in node or self.chance(0.2)
        text = f'{self.pick(["for", "For", "FOR"])}="{node}"' if quoted else f"for={node}"
        if self.chance(0.3):
            text += str(self.pick([";proto=https", "; by=x", ';host="a,b"', ";;", ";for=1.2.3.4", ';x="\\""', ";x="]))
        return text
