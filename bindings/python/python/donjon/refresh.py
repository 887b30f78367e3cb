"""Families of refresh tokens: the decision by itself.

`TokenIssuer.begin_refresh` and `rotate_refresh` use it; here it is for hosts that keep their
families in some other way. The host stores the 32 bytes of `state` per family.
"""

from donjon._donjon import RefreshVerdict, begin, revoke, rotate

__all__ = ["RefreshVerdict", "begin", "revoke", "rotate"]
