"""Provider `aws`: the RDS double, with nothing behind its endpoints; instances and clusters of every engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import attrs

from dbclaims.conformance.doubles.control import Fault, Strike
from dbclaims.conformance.doubles.rds import RdsDouble
from dbclaims.conformance.harness import ProviderHarness
from dbclaims.core.spi import Feature
from tests.servers.authority import Authority

STEP = 60.0
"""Seconds of the double's clock in one tick."""

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDCONFORMANCE",
    "AWS_SECRET_ACCESS_KEY": "conformance-key-of-nobody",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class Backend:
    """One empty account."""

    secrets: Mapping[str, Mapping[str, str]] = {"rds-ca": {"ca.crt": Authority().certificate.decode()}}

    def __init__(self, double: RdsDouble, config: Mapping[str, Any]) -> None:
        self._double = double
        self.config = {"region": "eu-central-1", "caSecretRef": {"name": "rds-ca"}, **config}

    def state(self) -> object:
        """Every resource, parameter and password."""
        return self._double.account.state()

    def tick(self) -> None:
        """A minute goes by."""
        self._double.tick(STEP)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """AWS answers with 503."""
        self._double.control.inject(Fault(Strike.UNAVAILABLE, times=10**9))
        yield
        self._double.control.calm()


@contextmanager
def backend(**config: Any) -> Iterator[Backend]:
    """A new account, to which the ordinary chain of credentials leads."""
    before = dict(os.environ)
    with RdsDouble() as double:
        os.environ.update({**_ENVIRONMENT, "AWS_ENDPOINT_URL_RDS": double.url})
        try:
            yield Backend(double, config)
        finally:
            os.environ.clear()
            os.environ.update(before)


_VALUES: Mapping[str, Any] = {
    "size": ("db.t4g.medium", "db.r7g.large"),
    "storage_gib": (20, 100),
    "high_availability": (False, True),
    "maintenance_window": ("Sun:03:00-Sun:04:00", "Mon:03:00-Mon:04:00"),
    "backup": (
        {"retention": timedelta(days=1), "window": "01:00-01:30"},
        {"retention": timedelta(days=7), "window": "02:00-02:30"},
    ),
    "tags": ({"team": "shop"}, {"team": "platform"}),
}
_POSTGRES = ({"work_mem": "8192"}, {"work_mem": "4096", "max_connections": "300"})
_MYSQL = ({"max_connections": "200"}, {"max_connections": "300", "performance_schema": "1"})


def _harness(engine: str, versions: tuple[str, str], lacks: frozenset[Feature], **config: Any) -> ProviderHarness:
    make: Callable[[], AbstractContextManager[Backend]] = partial(backend, **config)
    parameters = _POSTGRES if engine == "postgres" else _MYSQL
    return ProviderHarness(make, engine, {**_VALUES, "version": versions, "parameters": parameters}, 60, lacks)


_NOTHING = frozenset[Feature]()
_STORAGE = frozenset({Feature.STORAGE})
_AURORA_MYSQL = ("8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.10.0")

HARNESS = attrs.evolve(
    _harness("postgres", ("17.10", "18.4"), _NOTHING),
    further={
        "mysql": _harness("mysql", ("8.0.43", "8.4.6"), _NOTHING),
        "mariadb": _harness("mysql", ("10.11.13", "11.8.3"), _NOTHING, mariadb=True),
        "aurora-postgresql": _harness("postgres", ("16.9", "17.5"), _STORAGE, aurora={}),
        "aurora-mysql": _harness("mysql", _AURORA_MYSQL, _STORAGE, aurora={}),
    },
)
