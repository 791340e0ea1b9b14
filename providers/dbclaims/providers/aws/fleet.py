"""One AWS account and region as one set of credentials sees it, shared by the sessions of all servers in it.

Few servers are described one by one. Many share lists of a hundred, each list young enough for its reader, so that the
account's request rate does not grow with the number of passes (clouds.md §6, behaviour 14).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any

import attrs
from botocore.exceptions import ClientError

from dbclaims.core.spi import Transient

from .errors import code_of, mapped

Record = Mapping[str, Any]

ALONE = 20
"""Servers that are described one by one; more share lists."""
FRESH = 10.0
"""Seconds that a list may be old."""
CATALOGUE_FRESH = 3600.0
"""Seconds that the vendor's catalogue may be old."""

# One attempt: whether and when there is another is the core's to decide, and a step never sleeps.
_CLIENT: Mapping[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 5,
    "retries": {"total_max_attempts": 1, "mode": "standard"},
    "max_pool_connections": 16,
}
# At DEBUG the SDK logs whole orders, with the admin's password in them.
logging.getLogger("botocore").setLevel(logging.INFO)


def _clients(region: str, profile: str | None) -> Callable[[str], Any]:
    """A function from a service's name to a client of it."""
    # Here, since the SDK is eight MiB and a quarter of a second, and the plugin loads where nobody has a server on AWS.
    import boto3
    from botocore.config import Config

    session = boto3.Session(profile_name=profile, region_name=region)
    return partial(session.client, config=Config(**_CLIENT))


class Listing:
    """Records of one kind, one by one or from a shared list."""

    def __init__(self, client: Any, operation: str, key: str, name: str, absent: str) -> None:
        self._client, self._operation, self._key, self._name, self._absent = client, operation, key, name, absent
        self._lock = threading.Lock()
        self._listed: dict[str, Record] = {}
        self._at: float | None = None
        self._changed: dict[str, float] = {}

    def get(self, name: str, *, shared: bool) -> Record | None:
        """A record; None when AWS says positively that this very name is absent. Raises `SPIError`."""
        if shared and (record := self._from_list(name)) is not None:
            return record
        with mapped(f"describing {name}"):
            try:
                answer = getattr(self._client, self._operation)(**{self._name: name})
            except ClientError as error:
                if code_of(error) == self._absent:
                    return None
                raise
        found: list[Record] = answer[self._key]
        if not found:
            # An empty page is no proof of absence; only the error above is.
            raise Transient(f"describing {name}: AWS returned an empty page")
        return found[0]

    def changed(self, name: str) -> None:
        """A list from before now says nothing of this name any more."""
        with self._lock:
            self._changed[name] = monotonic()

    def _from_list(self, name: str) -> Record | None:
        with self._lock:
            if self._at is None or monotonic() - self._at >= FRESH:
                self._refresh()
            assert self._at is not None
            return self._listed.get(name) if self._changed.get(name, -1.0) < self._at else None

    def _refresh(self) -> None:
        began = monotonic()
        with mapped("listing"):
            pages = self._client.get_paginator(self._operation).paginate()
            self._listed = {record[self._name]: record for page in pages for record in page[self._key]}
        self._at = began
        self._changed = {name: at for name, at in self._changed.items() if at >= began}


class Fleet:
    """The client and what is shared about the account.

    Attributes:
        client: boto3's, of the service `rds`.
        network: boto3's, of the service `ec2`, made for the first server that keeps rules.
    """

    def __init__(self, region: str, profile: str | None) -> None:
        with mapped(f"configuring AWS in {region}"):
            self._client = _clients(region, profile)
            self.client: Any = self._client("rds")
        self._network: Any = None
        self.servers = 0
        self._instances = Listing(
            self.client, "describe_db_instances", "DBInstances", "DBInstanceIdentifier", "DBInstanceNotFound"
        )
        self._clusters = Listing(
            self.client, "describe_db_clusters", "DBClusters", "DBClusterIdentifier", "DBClusterNotFoundFault"
        )
        self._known: dict[str, tuple[float, Any]] = {}
        self._lock = threading.RLock()

    @property
    def network(self) -> Any:
        """See the class."""
        with self._lock:
            if self._network is None:
                self._network = self._client("ec2")
            return self._network

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        if self._network is not None:
            self._network.close()

    def instance(self, name: str, *, live: bool = False) -> Record | None:
        """An instance; `live` asks for it alone, now."""
        return self._instances.get(name, shared=not live and self.servers > ALONE)

    def cluster(self, name: str, *, live: bool = False) -> Record | None:
        """A cluster; `live` asks for it alone, now."""
        return self._clusters.get(name, shared=not live and self.servers > ALONE)

    def changed(self, *names: str) -> None:
        """We have just changed these."""
        for name in names:
            self._instances.changed(name)
            self._clusters.changed(name)

    def known(self, key: str, look: Callable[[], Any], fresh: float = CATALOGUE_FRESH) -> Any:
        """What `look` returned within the last `fresh` seconds; asked for again after that."""
        with self._lock:
            at, value = self._known.get(key, (None, None))
            if at is None or monotonic() - at >= fresh:
                value = look()
                self._known[key] = (monotonic(), value)
            return value

    def forget(self, key: str) -> None:
        """Ask again next time."""
        with self._lock:
            self._known.pop(key, None)


@attrs.define
class Fleets:
    """The fleets of this process, each open while a session uses it."""

    _open: dict[tuple[str, str | None], Fleet] = attrs.field(factory=dict)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def join(self, region: str, profile: str | None) -> Fleet:
        """The fleet of a region and profile, opened for the first server in it. No network."""
        with self._lock:
            fleet = self._open.get((region, profile))
            if fleet is None:
                fleet = self._open[region, profile] = Fleet(region, profile)
            fleet.servers += 1
            return fleet

    def leave(self, fleet: Fleet) -> None:
        """One server less; the last one closes the fleet."""
        with self._lock:
            fleet.servers -= 1
            if fleet.servers == 0:
                self._open = {key: other for key, other in self._open.items() if other is not fleet}
                fleet.close()


FLEETS = Fleets()
