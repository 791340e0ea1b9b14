"""What a server stores for a password, computed here, so that a password never travels and never stands in a log.

MySQL and MariaDB store different things, and a verifier is made before anybody knows which of them will get it; so
ours holds both, and a statement takes the one that fits (`Dialect.identified`).
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import string

from dbclaims.core.spi import InvalidSpec

ROUNDS = 5000
"""As the server itself takes."""

_SALT_LETTERS = string.ascii_letters + string.digits
_SALT_LENGTH = 20
_ALPHABET = "./" + string.digits + string.ascii_uppercase + string.ascii_lowercase
# In which order SHA-crypt writes the 32 bytes of its digest, three at a time.
_ORDER = tuple((i * 21 % 30, (i * 21 + 10) % 30, (i * 21 + 20) % 30) for i in range(10))


def verifier(password: str, salt: str | None = None) -> str:
    """Both forms, with a blank between: `caching_sha2_password`'s in hexadecimal, then `mysql_native_password`'s.

    Raises `InvalidSpec` for a password outside printable ASCII: clients do not agree on the encoding of any other.
    """
    if not password or not all(" " <= letter <= "~" for letter in password):
        raise InvalidSpec("a password must be printable ASCII and not empty: choose another")
    salt = "".join(secrets.choice(_SALT_LETTERS) for _ in range(_SALT_LENGTH)) if salt is None else salt
    stored = f"$A$005${salt}{_sha_crypt(password.encode(), salt.encode())}"
    return f"{stored.encode().hex()} {_native(password.encode())}"


def new_password() -> str:
    """A password that nobody else ever had."""
    return secrets.token_urlsafe(32)


@functools.cache
def nobodys() -> str:
    """The verifier of a password that nobody knows, made once: it is no less nobody's on many accounts."""
    return verifier(new_password())


def _native(password: bytes) -> str:
    # The protocol's own scheme, not a choice: MariaDB knows nothing better without a plugin.
    once = hashlib.sha1(password, usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def _sha_crypt(password: bytes, salt: bytes) -> str:
    """SHA-256 crypt, as U. Drepper specified it, with 5,000 rounds; libc's own cuts the salt to 16 bytes."""
    digest = _first(password, salt)
    word = _repeated(hashlib.sha256(password * len(password)).digest(), len(password))
    grain = _repeated(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))
    for round_ in range(ROUNDS):
        parts = (
            word if round_ % 2 else digest,
            grain if round_ % 3 else b"",
            word if round_ % 7 else b"",
            digest if round_ % 2 else word,
        )
        digest = hashlib.sha256(b"".join(parts)).digest()
    triples = [bytes(digest[i] for i in triple) for triple in _ORDER]
    return "".join(_letters(triple, 4) for triple in triples) + _letters(bytes((0, digest[31], digest[30])), 3)


def _first(password: bytes, salt: bytes) -> bytes:
    other = hashlib.sha256(password + salt + password).digest()
    mixed = hashlib.sha256(password + salt + _repeated(other, len(password)))
    bits = len(password)
    while bits:
        mixed.update(other if bits % 2 else password)
        bits >>= 1
    return mixed.digest()


def _repeated(digest: bytes, length: int) -> bytes:
    return (digest * (length // len(digest) + 1))[:length]


def _letters(triple: bytes, count: int) -> str:
    value = int.from_bytes(triple, "big")
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(count))
