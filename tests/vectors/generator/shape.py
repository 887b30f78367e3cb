"""ATTACKS.md 9, 11 and 14: the bytes of a token before they mean anything."""

from __future__ import annotations

from collections.abc import Iterator

from .jose import b64u, compact, jws, parts, resigned
from .keys import EDDSA, HS256
from .suite import Suite, claims, header, token

GOOD = compact(claims())


def suites() -> Iterator[Suite]:
    yield segments()
    yield encodings()
    yield json_texts()


def segments() -> Suite:
    suite = Suite("attacks-shape", "Tokens of the wrong number of parts and of the wrong size.", "ATTACKS.md 9, RFC 7515 section 5.2, CVE-2025-30204, CVE-2025-61920")
    head, body, tag = parts(token(HS256))
    shapes = {
        "empty": "",
        "one dot": ".",
        "two dots": "..",
        "three dots": "...",
        "one part": head,
        "two parts": f"{head}.{body}",
        "four parts": f"{head}.{body}.{tag}.{tag}",
        "six parts": f"{head}.{body}.{tag}.{tag}.{tag}.{tag}",
        "a dot after it": f"{head}.{body}.{tag}.",
        "a dot before it": f".{head}.{body}.{tag}",
        "an empty header": f".{body}.{tag}",
        "100 dots": "." * 100,
        "3,000 dots": "." * 3000,
        "a good token and 3,000 dots": f"{head}.{body}.{tag}" + "." * 3000,
        "3,000 dots and a good token": "." * 3000 + f"{head}.{body}.{tag}",
        "2,000 parts": ".".join([head[:8]] * 2000),
        "the authorisation header": f"Bearer {head}.{body}.{tag}",
        "a word": "token",
        "a number": "0",
        "only white space": "   ",
        "a quoted token": f'"{head}.{body}.{tag}"',
    }
    for name, text in shapes.items():
        suite.verify(name, text, HS256, ["HS256"], error="malformed", attack=9)
    # Five parts look like a JWE (RFC 7516 section 9), whatever is in them.
    suite.verify("two tokens with a comma", f"{head}.{body}.{tag},{head}.{body}.{tag}", HS256, ["HS256"], error="malformed|unsupported", attack=9)
    suite.verify("four dots", "....", HS256, ["HS256"], error="malformed|unsupported", attack=9)
    suite.verify("an empty payload", jws(header(HS256), b"", HS256), HS256, ["HS256"], error="malformed", attack=9)
    over = {
        "a token over 32,768 bytes": jws(header(HS256), claims(pad="x" * 26000), HS256),
        "a header of 24 KB": jws(header(HS256, pad="x" * 18000), claims(), HS256),
        "a signature of 24 KB": f"{head}.{body}.{'A' * 24000}",
        "33,000 dots": "." * 33000,
    }
    for name, text in over.items():
        suite.verify(name, text, HS256, ["HS256"], error="too_large|malformed", attack=9)
    suite.verify("a payload of 12 KB is not too large", jws(header(HS256), claims(pad="x" * 12000), HS256), HS256, ["HS256"], ok=claims(pad="x" * 12000), attack=9)
    many = {f"claim{i}": i for i in range(300)}
    suite.verify("three hundred claims", jws(header(HS256), claims(**many), HS256), HS256, ["HS256"], ok=claims(**many), attack=9)
    return suite


def encodings() -> Suite:
    suite = Suite("attacks-base64url", "Segments in another spelling, each under a signature that holds for that spelling.", "ATTACKS.md 11, RFC 7515 section 2, RFC 4648 section 3.5")
    for key in (HS256, EDDSA):
        # Long enough that each segment has unused bits at its end, and holds both - and _.
        head_text = _with_unused_bits(compact(header(key)) + " ")
        body_text = _with_unused_bits(compact(claims(note="\u00fb\u00ff>>>???~~~")))
        assert "-" in body_text or "_" in body_text
        suite.verify(f"{key.alg}: the canonical spelling", resigned(head_text, body_text, key), key, [key.alg], ok=claims(note="\u00fb\u00ff>>>???~~~"), attack=11)
        for name, spelling in SPELLINGS.items():
            for part in ("header", "payload", "signature"):
                head, body, tag = parts(resigned(head_text, body_text, key))
                if part == "signature":
                    text = f"{head}.{body}.{spelling(tag)}"
                else:
                    text = resigned(spelling(head) if part == "header" else head, spelling(body) if part == "payload" else body, key)
                if text == resigned(head_text, body_text, key):
                    continue
                suite.verify(f"{key.alg}: {name} in the {part}", text, key, [key.alg], error="malformed", attack=11)
        good = resigned(head_text, body_text, key)
        for name, text in {"a line feed after it": good + "\n", "a space before it": " " + good, "a NUL after it": good + "\u0000", "a byte order mark before it": "\ufeff" + good}.items():
            suite.verify(f"{key.alg}: {name}", text, key, [key.alg], error="malformed", attack=11)
    plus = {"alg": "HS256", "kid": HS256.kid, "typ": "at+jwt", "x": "\u00fb\u00ef\u00be\u00ff\u00bf???>>>"}
    head_text, body_text = b64u(compact(plus).encode()), b64u(GOOD.encode())
    assert "_" in head_text or "-" in head_text
    suite.verify("plain base64's alphabet in the header", resigned(head_text.replace("-", "+").replace("_", "/"), body_text, HS256), HS256, ["HS256"], error="malformed", attack=11)
    return suite


def _with_unused_bits(text: str) -> str:
    while len(text.encode()) % 3 != 1:
        text += " "
    return b64u(text.encode())


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

SPELLINGS = {
    "padding": lambda text: text + "=" * (-len(text) % 4 or 1),
    "too much padding": lambda text: text + "====",
    "padding inside": lambda text: text[:4] + "=" + text[4:],
    "plain base64's alphabet": lambda text: text.replace("-", "+").replace("_", "/"),
    "a plus": lambda text: text[:4] + "+" + text[5:],
    "a slash": lambda text: text[:4] + "/" + text[5:],
    "a space inside": lambda text: text[:4] + " " + text[4:],
    "a line feed inside": lambda text: text[:4] + "\n" + text[4:],
    "a line feed after it": lambda text: text + "\n",
    "a tab before it": lambda text: "\t" + text,
    "unused bits that are not zero": lambda text: text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1],
    "a length that no bytes have": lambda text: text + "A" * ((1 - len(text)) % 4),
    "a percent escape": lambda text: "%" + f"{ord(text[0]):02X}" + text[1:],
    "a NUL inside": lambda text: text[:4] + "\u0000" + text[4:],
    "a letter outside ASCII": lambda text: "\u0410" + text[1:],
    "a full-width letter": lambda text: "\uff25" + text[1:],
    "a quotation mark": lambda text: text[:2] + '"' + text[2:],
    "a tilde": lambda text: text[:2] + "~" + text[3:],
}


def json_texts() -> Suite:
    suite = Suite("attacks-json", "Headers and claims that two JSON readers might understand differently, all under signatures that hold.", "ATTACKS.md 14, RFC 8259, RFC 7493, RFC 8725 section 2.4")
    inner = GOOD[1:-1]

    def payload(name: str, text: str | bytes, error: str = "malformed") -> None:
        whole = jws(header(HS256), text, HS256)
        suite.verify(f"payload: {name}", whole, HS256, ["HS256"], error=error, attack=14)

    for name, text in _texts(inner).items():
        payload(name, text)
    for name, extra in {
        "a duplicate subject": ',"sub":"eve"',
        "a duplicate subject of the same value": ',"sub":"ann"',
        "a duplicate expiry": ',"exp":9999999999',
        "a duplicate in escapes": ',"\\u0073ub":"eve"',
        "a duplicate of a claim of the caller's": ',"x":1,"x":2',
        "a duplicate one level down": ',"x":{"a":1,"a":2}',
        "a duplicate in a list": ',"x":[{"a":1,"a":2}]',
        "a duplicate six levels down": ',"x":[[[[[{"a":1,"a":2}]]]]]',
        "a duplicate empty name": ',"":1,"":2',
        "a duplicate of a surrogate pair in escapes": ',"\U0001f600":1,"\\ud83d\\ude00":2',
        "a duplicate slash in an escape": ',"a/b":1,"a\\/b":2',
        "a duplicate far apart": "," + ",".join(f'"m{i}":{i}' for i in range(40)) + ',"m0":1',
    }.items():
        payload(name, "{" + inner + extra + "}")
    deep = {40: "40 levels", 100: "100 levels", 1000: "1,000 levels", 5000: "5,000 levels"}
    for depth, name in deep.items():
        payload(f"lists in lists, {name}", "{" + inner + ',"x":' + "[" * depth + "]" * depth + "}")
        payload(f"lists in lists and never closed, {name}", "{" + inner + ',"x":' + "[" * depth)
    for depth in (40, 100, 1000):
        payload(f"objects in objects, {depth} levels", "{" + inner + ',"x":' + '{"a":' * depth + "1" + "}" * depth + "}")
    for name, text in {"a list": "[" + GOOD + "]", "a string": '"ann"', "null": "null", "true": "true", "a number": "1", "an empty list": "[]"}.items():
        payload(f"{name} instead of an object", text)

    alike = {
        "white space": (GOOD.replace(",", " ,\r\n\t").replace(":", " : ", 1), claims()),
        "white space around it": (" \n" + GOOD + "\t ", claims()),
        "escapes": (GOOD.replace('"ann"', '"\\u0061nn"'), claims()),
        "an escaped claim name": (GOOD.replace('"sub"', '"\\u0073ub"'), claims()),
        "an escaped slash": (GOOD.replace("https://", "https:\\/\\/"), claims()),
        "a surrogate pair": ("{" + inner + ',"x":"\\ud83d\\ude00"}', claims(x="\U0001f600")),
        "an escaped NUL in a claim of the caller's": ("{" + inner + ',"x":"a\\u0000b"}', claims(x="a\u0000b")),
        "an empty name": ("{" + inner + ',"":0}', claims(**{"": 0})),
        "the same name in two objects": ("{" + inner + ',"x":{"a":1},"y":{"a":1}}', claims(x={"a": 1}, y={"a": 1})),
        "names that differ in case": ("{" + inner + ',"Sub":"eve","SUB":"eve"}', claims(Sub="eve", SUB="eve")),
        "composed and decomposed names": ("{" + inner + ',"\u00e9":1,"e\u0301":2}', claims() | {"\u00e9": 1, "e\u0301": 2}),
        "ten levels": ("{" + inner + ',"x":' + "[" * 10 + "]" * 10 + "}", claims(x=[[[[[[[[[[]]]]]]]]]])),
        "numbers of every form": ("{" + inner + ',"x":[0,-1,2.5,-0.5,25e-1,1E2]}', claims(x=[0, -1, 2.5, -0.5, 2.5, 100])),
    }
    for name, (text, expected) in alike.items():
        suite.verify(f"payload: {name} is strict JSON", jws(header(HS256), text, HS256), HS256, ["HS256"], ok=expected, attack=14)

    good_head = compact(header(HS256))
    head_inner = good_head[1:-1]
    heads = _texts(head_inner) | {
        "a duplicate algorithm": "{" + head_inner + ',"alg":"HS256"}',
        "a duplicate algorithm, none": "{" + head_inner + ',"alg":"none"}',
        "a duplicate algorithm, none first": '{"alg":"none",' + head_inner + "}",
        "a duplicate algorithm in escapes": "{" + head_inner + ',"\\u0061lg":"none"}',
        "a duplicate key id": "{" + head_inner + ',"kid":"other"}',
        "a duplicate type": "{" + head_inner + ',"typ":"rt+jwt"}',
        "a duplicate of a member that nobody reads": "{" + head_inner + ',"x":1,"x":1}',
        "a duplicate one level down": "{" + head_inner + ',"x":{"a":1,"a":1}}',
        "a list": "[" + good_head + "]",
        "a string": '"HS256"',
        "null": "null",
        "a number": "0",
        "lists in lists, 100 levels": "{" + head_inner + ',"x":' + "[" * 100 + "]" * 100 + "}",
        "lists in lists, 1,000 levels, never closed": "{" + head_inner + ',"x":' + "[" * 1000,
    }
    for name, text in heads.items():
        suite.verify(f"header: {name}", jws(text, claims(), HS256), HS256, ["HS256"], error="malformed", attack=14)
    for name, text in {"white space": good_head.replace(",", " ,\n"), "escapes": good_head.replace("HS256", "\\u0048S256"), "an escaped name": good_head.replace('"alg"', '"\\u0061lg"')}.items():
        suite.verify(f"header: {name} is strict JSON", jws(text, claims(), HS256), HS256, ["HS256"], attack=14)

    other = EDDSA
    for name, text in {"a duplicate": "{" + inner + ',"sub":"eve"}', "no JSON": "hello", "invalid UTF-8": b"\xff"}.items():
        forged = jws(header(HS256), text, None, sig=bytes(32))
        suite.verify(f"payload: {name} under a forged signature is forged", forged, [HS256, other], ["HS256"], error="bad_signature", attack=14)
    forged = jws(header(HS256), "[" * 5000, None, sig=bytes(32))
    suite.verify("payload: a depth bomb under a forged signature is forged", forged, HS256, ["HS256"], error="bad_signature", attack=14)
    return suite


def _texts(inner: str) -> dict[str, str | bytes]:
    """Texts that are not strict JSON, around the members `inner`."""
    member = inner.encode()
    texts: dict[str, str | bytes] = {
        "a comma after the last member": "{" + inner + ",}",
        "a comma before the first member": "{," + inner + "}",
        "two commas": "{" + inner + ',,"x":1}',
        "no brace at the end": "{" + inner,
        "two braces at the end": "{" + inner + "}}",
        "another object behind it": "{" + inner + "}{}",
        "a word behind it": "{" + inner + "}x",
        "a NUL behind it": "{" + inner + "}\u0000",
        "a no-break space behind it": "{" + inner + "}\u00a0",
        "a byte order mark": "\ufeff{" + inner + "}",
        "UTF-16": ("{" + inner + "}").encode("utf-16-le"),
        "a comment": "{/**/" + inner + "}",
        "a line comment": "{" + inner + "}//",
        "single quotes": "{" + inner + ",'x':1}",
        "a name without quotes": "{" + inner + ",x:1}",
        "a name that is a number": "{" + inner + ",1:1}",
        "a member without a value": "{" + inner + ',"x"}',
        "a member with an empty value": "{" + inner + ',"x":}',
        "a semicolon": "{" + inner + ';"x":1}',
        "nothing at all but white space": "  ",
        "a form feed": "{" + inner + "\u000c}",
        "a vertical tab": "{" + inner + "\u000b}",
    }
    for name, value in {
        "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "nan": "nan", "a number with a leading zero": "01",
        "a number with a plus": "+1", "a number that ends in a point": "1.", "a number that begins with a point": ".5",
        "a number in hexadecimal": "0x10", "a number with an empty exponent": "1e", "a number with only a sign": "-",
        "a number with two signs": "--1", "a number with an underscore": "1_000", "True": "True", "undefined": "undefined", "None": "None", "nul": "nul",
        "a list with a comma at its end": "[1,]", "a list that is not closed": "[1", "a list closed by a brace": "[1}",
        "a string that is not closed": '"a', "a lone high surrogate": '"\\ud800"', "a lone low surrogate": '"\\udc00"',
        "surrogates in the wrong order": '"\\ude00\\ud83d"', "a high surrogate and a letter": '"\\ud83da"', "two high surrogates": '"\\ud83d\\ud83d"',
        "an escape of two hexadecimal digits": '"\\x41"', "an escape that is cut short": '"\\u00"', "an escape that is no hexadecimal": '"\\u00zz"',
        "an unknown escape": '"\\a"', "an escape at the end": '"\\',
        "a raw line feed in a string": '"a\nb"', "a raw tab in a string": '"a\tb"', "a raw NUL in a string": '"a\u0000b"',
    }.items():
        texts[name] = "{" + inner + ',"x":' + value + "}"
    texts["a lone surrogate in a name"] = "{" + inner + ',"\\ud800":1}'
    for name, raw in {
        "a byte 0xff": b"\xff", "a lone continuation byte": b"\x80", "an overlong slash": b"\xc0\xaf", "an overlong NUL": b"\xc0\x80",
        "a surrogate in UTF-8": b"\xed\xa0\x80", "a code point over U+10FFFF": b"\xf4\x90\x80\x80", "a cut sequence": b"\xe4\xb8", "Latin-1": b"caf\xe9",
    }.items():
        texts[f"invalid UTF-8: {name}"] = b"{" + member + b',"x":"' + raw + b'"}'
    texts["invalid UTF-8 in a name"] = b"{" + member + b',"\xff":1}'
    return texts
