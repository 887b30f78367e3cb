"""What an encrypted column holds, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import DontWrapMixin

import donjon


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A cell as it is stored: what a statement that loads no entity gets, and may write.

    It does not know its row. `open_values` opens it, `seal_values` makes it.
    """

    data: bytes

    def __bytes__(self) -> bytes:
        return self.data

    def __repr__(self) -> str:
        # Statements show their parameters in errors and logs.
        return f"<Sealed of {len(self.data)} bytes>"


class CellError(donjon.InvalidArgument, DontWrapMixin):
    """An encrypted column is declared, written or asked as it cannot be.

    Never wrapped by SQLAlchemy, whose errors would show the plaintext among the parameters.
    """


class DataKeyMissing(donjon.DecryptFailed, DontWrapMixin):
    """There is no data key for the scope of the cell: it was shredded, or never made."""
