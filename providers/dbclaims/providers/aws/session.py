"""What the hooks share about one server: its configuration, how to read a Secret, and its account's fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from dbclaims.core.spi import TLS, Endpoint, SecretReader, ServerRef, Terminal, certificates

from . import names
from .config import Config
from .errors import code_of, mapped
from .fleet import FLEETS, Fleet
from .observed import Record, check_ours, our_tags


@attrs.frozen
class Session:
    """See the module."""

    config: Config
    secrets: SecretReader = attrs.field(repr=False)
    fleet: Fleet = attrs.field(repr=False)

    def call(self, what: str, operation: str, /, *, known: str = "", **arguments: Any) -> Mapping[str, Any] | None:
        """One request that changes something. Raises `SPIError`; None where AWS answered with the code `known`."""
        with mapped(what):
            try:
                answer: Mapping[str, Any] = getattr(self.fleet.client, operation)(**arguments)
            except Exception as error:
                if known and code_of(error) == known:
                    return None
                raise
            return answer

    def endpoint(self, ref: ServerRef, host: str, port: int) -> Endpoint:
        """An endpoint with verify-full by AWS's authorities; raises `SPIError` for a bundle that cannot be read."""
        reference = self.config.ca_secret_ref
        if reference is None:
            return Endpoint(host, port, TLS())
        where = f"Secret {ref.namespace}/{reference.name}"
        text = self.secrets(reference.name).get(reference.key)
        if not text:
            message = f"{where} has no value under the key {reference.key!r}; put AWS's bundle of authorities there"
            raise Terminal(message, reason="SecretKeyMissing", retry_after=30.0)
        return Endpoint(host, port, TLS(ca=certificates(text, f"{where}, key {reference.key}")))

    def changed(self, ref: ServerRef) -> None:
        """We may just have changed this server: lists from before say nothing of it."""
        name = names.identifier(ref)
        self.fleet.changed(name, names.member(name, 1), names.member(name, 2))


def open_session(config: Config, secrets: SecretReader) -> Session:
    """A session; no network."""
    return Session(config, secrets, FLEETS.join(config.region, config.profile))


def close_session(session: Session) -> None:
    """Give back the account's client."""
    FLEETS.leave(session.fleet)


def order_tags(ref: ServerRef, wished: Mapping[str, str], **ours: str) -> list[dict[str, str]]:
    """Tags for an order: people's, and ours over them."""
    return tag_list({**wished, **our_tags(ref), **ours})


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def checked(record: Record | None, ref: ServerRef) -> Record | None:
    """The record, if it is ours; raises `NotOwned`."""
    if record is not None:
        check_ours(record, ref)
    return record


def chunks(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """The items in pieces of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]
