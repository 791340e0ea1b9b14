"""Where MySQL and MariaDB part: how an account is read, how it carries a mark, which verifier it takes.

An account of ours carries its mark where its owner cannot write it: in MySQL as ATTRIBUTE, in MariaDB, which has no
such thing, as REQUIRE SUBJECT. The latter would be demanded of whoever logs in, so in MariaDB only a locked account has
a mark, and one that is in use is known by its grants.
"""

from __future__ import annotations

import json

import attrs

from dbclaims.core.spi import InvalidSpec

from .quoting import text

SUBJECT_LIMIT = 1024
"""Characters of a mark in MariaDB: more is answered OK and cut."""

_MYSQL_ACCOUNTS = """
SELECT User AS name, Host AS host, account_locked = 'Y' AS locked, max_user_connections AS max,
  JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.metadata.dbclaims')) AS comment,
  ssl_type NOT IN ('', 'ANY') AS demanding, password_expired = 'Y' AS expired,
  COALESCE(JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password'), 0) AS retained
FROM mysql.user WHERE User IN %s OR User_attributes LIKE %s
"""

_MARIADB_ACCOUNTS = """
SELECT User AS name, Host AS host, COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) IN ('1', 'true') AS locked,
  CAST(COALESCE(JSON_VALUE(Priv, '$.max_user_connections'), 0) AS SIGNED) AS max,
  JSON_VALUE(Priv, '$.x509_subject') AS comment,
  COALESCE(JSON_VALUE(Priv, '$.ssl_type'), 0) IN ('2', '3') AS demanding,
  COALESCE(JSON_VALUE(Priv, '$.password_last_changed'), '1') = '0' AS expired, 0 AS retained
FROM mysql.global_priv
WHERE COALESCE(JSON_VALUE(Priv, '$.is_role'), 0) NOT IN ('1', 'true') AND (User IN %s OR Priv LIKE %s)
"""


@attrs.frozen
class Dialect:
    """One of the two."""

    is_mariadb: bool

    @property
    def accounts(self) -> str:
        """The statement that reads accounts: those with one of these names, and those whose mark is like this."""
        return _MARIADB_ACCOUNTS if self.is_mariadb else _MYSQL_ACCOUNTS

    def identified(self, verifier: str) -> str:
        """The clause that sets a verifier."""
        sha2, native = verifier.split()
        if self.is_mariadb:
            return f"IDENTIFIED VIA mysql_native_password USING {text(native)}"
        return f"IDENTIFIED WITH caching_sha2_password AS 0x{sha2}"

    def locked(self, mark: str, *, verifier: str | None = None, limit: int | None = None) -> str:
        """The clauses that lock an account and mark it, in the one order that both servers read.

        Raises `InvalidSpec` for a mark that would be cut.
        """
        if self.is_mariadb and len(mark) > SUBJECT_LIMIT:
            raise InvalidSpec(f"a mark has more than {SUBJECT_LIMIT} characters: shorten the object's name")
        clauses = (
            self.identified(verifier) if verifier is not None else "",
            f"REQUIRE SUBJECT {text(mark)}" if self.is_mariadb else "",
            f"WITH MAX_USER_CONNECTIONS {limit}" if limit is not None else "",
            "PASSWORD EXPIRE NEVER" if verifier is not None else "",
            "ACCOUNT LOCK",
            "" if self.is_mariadb else f"ATTRIBUTE {text(json.dumps({'dbclaims': mark}, ensure_ascii=False))}",
        )
        return " ".join(clause for clause in clauses if clause)
