"""An HSM, by PKCS#11: `PKCS11Provider`, for `donjon.kms`.

    import pkcs11

    token = pkcs11.lib("/usr/lib/softhsm/libsofthsm2.so").get_token(token_label="services")
    with token.open(user_pin=pin) as session:
        provider = PKCS11Provider(session, "donjon-2025", older=["donjon-2024"])
        sealed = kms.seal(provider, b"...", context=("reports", "2024"))

It wants the extra `donjon[pkcs11]`. A key is one that the token made, of 256 bits and for AES,
which may encrypt and decrypt, and that never leaves it:

    session.generate_key(pkcs11.KeyType.AES, 256, label="donjon-2025", store=True)
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from typing import Any

import pkcs11

from donjon.errors import DecryptFailed, EnvelopeKeyRefused

_NONCE_LEN = 12
_TAG_LEN = 16
_PURPOSE = b"donjon/pkcs11/v1"

# SoftHSM2 has no word of its own for a tag that does not fit.
_NOT_AUTHENTIC = (pkcs11.EncryptedDataInvalid, pkcs11.EncryptedDataLenRange, pkcs11.GeneralError)


class PKCS11Provider:
    """Wraps data keys with AES-256-GCM, inside the token.

    The key labelled `label` wraps, and `older` ones unwrap too: an envelope says which it wants,
    and gets no other. A nonce is random, so one key wraps up to 2**32 data keys. Any thread may use
    it; a PKCS#11 session does one thing at a time, so they take turns.
    """

    def __init__(self, session: pkcs11.Session, label: str, *, older: Sequence[str] = ()) -> None:
        self._label = label
        self._keys: dict[str, Any] = {name: _key(session, name) for name in (label, *older)}
        self._lock = threading.Lock()

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """Return the label of the key that wraps, and the wrapped data key."""
        nonce = secrets.token_bytes(_NONCE_LEN)
        with self._lock:
            wrapped = self._keys[self._label].encrypt(
                data_key,
                mechanism=pkcs11.Mechanism.AES_GCM,
                mechanism_param=_parameters(nonce, self._label),
            )
        return self._label, nonce + wrapped

    def unwrap(self, key_id: str, blob: bytes) -> bytes:
        """Return the data key that was wrapped by the key labelled `key_id`."""
        key = self._keys.get(key_id)
        if key is None:
            raise EnvelopeKeyRefused(f"the provider has no key `{key_id}`")
        nonce, wrapped = blob[:_NONCE_LEN], blob[_NONCE_LEN:]
        if len(wrapped) < _TAG_LEN:
            raise DecryptFailed
        try:
            with self._lock:
                return bytes(
                    key.decrypt(
                        wrapped,
                        mechanism=pkcs11.Mechanism.AES_GCM,
                        mechanism_param=_parameters(nonce, key_id),
                    )
                )
        except _NOT_AUTHENTIC as error:
            raise DecryptFailed from error


def _key(session: pkcs11.Session, label: str) -> Any:
    # What a key can do is mixed into its class when it is found, so no type says it.
    key: Any = session.get_key(
        object_class=pkcs11.ObjectClass.SECRET_KEY, key_type=pkcs11.KeyType.AES, label=label
    )
    if key.key_length != 256:
        raise ValueError(f"the key `{label}` is not of 256 bits")
    return key


def _parameters(nonce: bytes, label: str) -> pkcs11.GCMParams:
    return pkcs11.GCMParams(nonce, _PURPOSE + label.encode(), 8 * _TAG_LEN)
