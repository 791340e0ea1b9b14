"""SCRAM-SHA-256 verifiers, so that a password never travels to the server (RFC 5802 §3, RFC 7677)."""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64encode

from dbclaims.core.spi import InvalidSpec

ITERATIONS = 4096
"""As the server itself takes. JDBC's SCRAM library refuses fewer."""

_SALT_BYTES = 16


def verifier(password: str, salt: bytes | None = None) -> str:
    """What the server stores for this password.

    Raises `InvalidSpec` for a password outside printable ASCII: SASLprep would change it on the way.
    """
    if not password or not all(" " <= letter <= "~" for letter in password):
        raise InvalidSpec("a password must be printable ASCII and not empty: choose another")
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
