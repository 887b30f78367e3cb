"""Why a command is not carried out."""

from __future__ import annotations


class Refused(Exception):
    """Said to the operator in one line, without a traceback."""


def told(error: Exception) -> str:
    """Return what the operator is told."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
