"""One AWS account in one region, as RDS sees it: tables of resources, a clock that a test moves, and what is due."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from ..farm import EmptyFarm, Farm
from ..wire import Refusal

Record = dict[str, Any]
Arguments = Mapping[str, Any]

ACCOUNT, REGION = "123456789012", "eu-central-1"
_START = datetime(2026, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")

TABLES = (
    "instances",
    "clusters",
    "snapshots",
    "cluster_snapshots",
    "parameter_groups",
    "cluster_parameter_groups",
    "subnet_groups",
)


@attrs.frozen
class Pace:
    """How long things take, in seconds of the double's clock. Real ones vary; the order is what counts."""

    creating: float = 300
    backing_up: float = 60
    modifying: float = 60
    rebooting: float = 30
    deleting: float = 120
    snapshot: float = 60
    password: float = 10


@attrs.define
class Quotas:
    """The vendor's defaults (clouds.md, table 6.1)."""

    instances: int = 40
    clusters: int = 40
    snapshots: int = 100
    parameter_groups: int = 50


class Account:
    """State shared by the parts of the double. Not thread-safe: `RdsDouble` holds the lock.

    Attributes:
        tables: kind of resource to name to record, shaped as the service's model says.
        secrets: master passwords by name, apart from the records, which are shown.
        outages: (name, why) of every interruption that clients would have felt.
    """

    def __init__(self, farm: Farm | None = None, pace: Pace | None = None, quotas: Quotas | None = None) -> None:
        self.farm, self.pace, self.quotas = farm or EmptyFarm(), pace or Pace(), quotas or Quotas()
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in TABLES}
        self.parameters: dict[str, dict[str, Record]] = {}
        self.secrets: dict[str, str] = {}
        self.outages: list[tuple[str, str]] = []
        self.seconds = 0.0
        self._serial = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    # --- time --------------------------------------------------------------------------------------------------

    @property
    def date(self) -> datetime:
        """The double's date."""
        return _START + timedelta(seconds=self.seconds)

    def after(self, seconds: float, step: Callable[[], None]) -> None:
        """Do something when the double's time has passed."""
        self._due.append((self.seconds + seconds, self.serial(), step))

    def tick(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due, in order."""
        until = self.seconds + seconds
        while self._due and min(self._due)[0] <= until:
            first = min(self._due, key=lambda due: due[:2])
            self._due.remove(first)
            self.seconds = first[0]
            first[2]()
        self.seconds = until

    def serial(self) -> int:
        """A number that was never given before."""
        self._serial += 1
        return self._serial

    # --- resources ---------------------------------------------------------------------------------------------

    def find(self, table: str, name: str, code: str) -> Record:
        """A record, or `Refusal` with the code that says that it is absent."""
        record = self.tables[table].get(name.lower())
        if record is None:
            raise Refusal(code, f"{table.removesuffix('s')} {name} not found.")
        return record

    def check_free(self, table: str, name: str, code: str) -> None:
        """Refuse a name that is taken, with the code that says so."""
        if name.lower() in self.tables[table]:
            raise Refusal(code, f"{table.removesuffix('s')} {name} already exists")

    def listed(self, table: str, name: str | None, code: str) -> list[Record]:
        """One record by its name, which must be there, or all of them."""
        return [self.find(table, name, code)] if name else [each for _, each in sorted(self.tables[table].items())]

    def arn(self, kind: str, name: str) -> str:
        """The name that tags are given by."""
        return f"arn:aws:rds:{REGION}:{ACCOUNT}:{kind}:{name}"

    def by_arn(self, arn: str) -> Record:
        """The record with this ARN."""
        for table in self.tables.values():
            for record in table.values():
                if arn in record.values():
                    return record
        raise Refusal("DBInstanceNotFound", f"{arn} not found")

    def state(self) -> object:
        """A copy of all that the account holds; equal to another when nothing was changed between."""
        return self.snapshot_of_tables(), copy.deepcopy(self.parameters), dict(self.secrets)

    def snapshot_of_tables(self) -> dict[str, dict[str, Record]]:
        """A copy of everything that a stale read may still see."""
        return copy.deepcopy(self.tables)


def identifier(name: str, what: str, longest: int = 63) -> str:
    """The name as it is stored, in lower case; `Refusal` for one that breaks the grammar."""
    stored = name.lower()
    if not _NAME.fullmatch(stored) or "--" in stored or len(stored) > longest:
        raise Refusal("InvalidParameterValue", f"The parameter {what} is not a valid identifier.")
    return stored


def tags(given: Sequence[Mapping[str, str]] | None, old: Sequence[Mapping[str, str]] = ()) -> list[dict[str, str]]:
    """Tags after an addition; `Refusal` for reserved keys, alphabets and numbers that the vendor refuses."""
    merged = {tag["Key"]: tag.get("Value", "") for tag in (*old, *(given or ()))}
    for key, value in merged.items():
        words_fit = re.fullmatch(r"[\w\s.:/=+\-@]{1,128}", key) and re.fullmatch(r"[\w\s.:/=+\-@]{0,256}", value)
        if key.lower().startswith(("aws:", "rds:")) or not words_fit:
            raise Refusal("InvalidParameterValue", f"Invalid tag {key!r}")
    if len(merged) > 50:
        raise Refusal("InvalidParameterValue", "more than 50 tags")
    return [{"Key": key, "Value": value} for key, value in sorted(merged.items())]


def page(key: str, records: Sequence[Record], a: Arguments) -> Record:
    """One page of a list, as every Describe answers."""
    size, start = int(a.get("MaxRecords", 100)), int(a.get("Marker") or 0)
    if not 20 <= size <= 100:
        raise Refusal("InvalidParameterValue", "MaxRecords must be between 20 and 100")
    more = {"Marker": str(start + size)} if start + size < len(records) else {}
    return {key: list(records[start : start + size]), **more}
