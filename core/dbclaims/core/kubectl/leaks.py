"""Passwords in a text: those that we know, and what looks like one that we cannot know. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from ..secrets import PASSWORD_LENGTH

_SHORTEST = 6
"""Characters: shorter words stand in any text."""

_SECRET_NAMES = re.compile(r"PASS|TOKEN|SECRET|_PWD|CREDENTIAL|API_?KEY", re.IGNORECASE)
_SHAPES = {
    "a password of ours": re.compile(
        r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]*[a-z])(?=[A-Za-z0-9_-]*[A-Z])"
        rf"[A-Za-z0-9_-]{{{PASSWORD_LENGTH}}}(?![A-Za-z0-9_-])"
    ),
    "a URI with a password": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@\"]+:[^/\s@\"*]+@"),
    "a DSN with a password": re.compile(r"\bpassword\s*=\s*'?[^\s'\"*]", re.IGNORECASE),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a bearer token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "a SCRAM verifier": re.compile(r"SCRAM-SHA-256\$\d+:"),
}


class Known:
    """Secrets to look for, each also in the forms in which texts carry it; never shown."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = {each for each in secrets if len(each) >= _SHORTEST}

    def __len__(self) -> int:
        return len(self._secrets)

    def stands_in(self, text: str) -> int:
        """How many of them a text holds."""
        return sum(any(form in text for form in _forms(secret)) for secret in self._secrets)


def resemblances(text: str) -> list[str]:
    """What stands in a text that looks like a secret: names of sorts, never the thing itself."""
    return [sort for sort, shape in _SHAPES.items() if shape.search(text)]


def of_environment(environ: Mapping[str, str]) -> list[str]:
    """Values of variables whose names speak of secrets."""
    return [value for name, value in environ.items() if _SECRET_NAMES.search(name)]


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), encoded, encoded.rstrip("=")}
