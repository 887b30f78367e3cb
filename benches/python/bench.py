"""donjon beside its peers, as a web service uses them: JSON lines on standard output."""

from __future__ import annotations

import os

import envelopes
import passwords
import roles
import tokens

if __name__ == "__main__":
    for capability in (tokens, passwords, roles, envelopes):
        if os.environ.get("ONLY", "") in ("", capability.__name__):
            capability.measure()
