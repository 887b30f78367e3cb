"""Data that is there already: Fernet tokens, and columns of sqlalchemy-utils' `AesEngine`.

    fernet = Fernet([newest, older])  # the first makes tokens, all of them open them
    text = fernet.decrypt(token)

    fernet = Fernet([derive_key(password, salt, iterations=100_000)])

`derive_key` is PBKDF2-HMAC-SHA256, as services derive Fernet keys from a password. It wants the
salt that was used: where that was random and never stored, no key opens the data any more.

Move such data into an `Envelope` where you can. A Fernet token says nothing about where it belongs,
and `AesEngine` cannot tell what it wrote from anything else.
"""

from donjon._donjon import Fernet, derive_key, generate_key, open_aes_engine

__all__ = ["Fernet", "derive_key", "generate_key", "open_aes_engine"]
