"""Certificate authorities as people hand them over: a text that may hold anything."""

from __future__ import annotations

import re
import ssl

from .errors import InvalidSpec

_LOOK_AGAIN = 30.0
"""Seconds until a Secret that held no certificate is read again: it may be mended without an event (DESIGN.md §5)."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def certificates(pem: str, where: str) -> str:
    """The certificates in a text, parsed and written again; nothing else of it is copied (PROTOCOL.md §5).

    Raises `InvalidSpec` (`InvalidCA`) that names `where` the text stands.
    """
    try:
        parsed = [_parsed(block) for block in _CERTIFICATE.findall(pem)]
    except (ssl.SSLError, ValueError):
        parsed = []
    if not parsed:
        message = f"{where}: this is no readable PEM certificate"
        way_out = "put the authority's certificate there, or remove spec.config.tls.caSecretRef"
        raise InvalidSpec(f"{message}; {way_out}", reason="InvalidCA", retry_after=_LOOK_AGAIN)
    return "".join(parsed)


def _parsed(block: str) -> str:
    der = ssl.PEM_cert_to_DER_cert(block)
    # PEM_cert_to_DER_cert only undoes base64; loading is what parses.
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
    return ssl.DER_cert_to_PEM_cert(der)
