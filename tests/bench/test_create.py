"""From many claims at once to all Ready: ours, the same SQL and writes in a bare loop, the minimum, and kopf."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
from attrs import frozen

from .bare import Plan
from .contender import Contender, Usage, ours
from .recording import SETTINGS, Recording, in_namespace, record
from .report import Report
from .yard import Place, Timing, Yard

pytestmark = pytest.mark.bench

OURS, REPLAY, MINIMAL, KOPF = "dbclaims", "bare8, same SQL and writes", "bare8, minimal", "kopf"
_HANDLER = Path(__file__).with_name("kopf_handler.py")


@frozen
class Run:
    """What one contender needed for one batch; CPU in ms per claim, memory in MiB."""

    timing: Timing
    cpu: float
    rss: float


@pytest.fixture(scope="session")
def recording(yard: Yard) -> Recording:
    """What ours does for one claim."""
    with yard.place(SETTINGS) as place, ours(yard):
        return in_namespace(record(yard, place), place.name, "{namespace}")


@contextmanager
def started(name: str, yard: Yard, place: Place, recording: Recording) -> Iterator[Contender]:
    """A contender that runs."""
    dsn = place.server.dsn(place.admin)
    with tempfile.TemporaryDirectory() as folder:
        if name == OURS:
            contender = ours(yard)
        elif name == KOPF:
            arguments = ["run", "--namespace", place.name, str(_HANDLER)]
            contender = Contender("kopf", arguments, {"KUBECONFIG": yard.kubeconfig, "BENCH_DSN": dsn})
        else:
            replayed = in_namespace(recording, "{namespace}", place.name) if name == REPLAY else None
            plan = Plan(yard.kubeconfig, place.name, dsn, replayed).write(Path(folder) / "plan")
            contender = Contender("tests.bench.bare", [str(plan)])
        with contender:
            yield contender


def run(name: str, number: int, yard: Yard, recording: Recording) -> Run:
    """One batch, on a fresh server; the first claim, which warms everything up, is not counted."""
    with yard.place() as place:
        if name == REPLAY:
            place.server.execute(f'CREATE ROLE "{recording.holder}" NOLOGIN')
            place.server.execute(f'GRANT "{recording.holder}" TO "{recording.admin}" WITH INHERIT TRUE, SET TRUE')
        with started(name, yard, place, recording) as contender:
            yard.canary(place)
            before: Usage = contender.usage()
            names = [f"c{index:08d}" for index in range(number)]
            timing = yard.claims_to_ready(place, names)
            after = contender.usage()
            return Run(timing, (after.cpu - before.cpu) / number * 1000, after.rss)


def test_claims_to_ready_beside_the_yardsticks(
    yard: Yard, recording: Recording, report: Report, sizes: Mapping[int, int]
) -> None:
    report.console.print(
        f"\none create: {recording.statements} statements, {len(recording.sessions)} changes of session"
    )
    for number, rounds in sizes.items():
        runs = defaultdict[str, list[Run]](list)
        for _ in range(rounds):
            for name in (OURS, REPLAY, MINIMAL, KOPF):
                runs[name].append(run(name, number, yard, recording))
                report.console.print(f"  {number} claims, {name}: {runs[name][-1].timing.wall:.1f} s")
        _print(report, number, runs)
        assert all(len(each.timing.waits) == number for several in runs.values() for each in several)


def _print(report: Report, number: int, runs: Mapping[str, list[Run]]) -> None:
    floor = runs[REPLAY]
    rows = [(name, *_figures(several, floor)) for name, several in runs.items()]
    columns = ("", "wall s", "claims/s", "x bare8", "p50 s", "p99 s", "own CPU ms/claim", "RSS MiB")
    report.table(f"{number} claims at once, medians of {len(floor)} rounds (min-max)", columns, rows)
    report.aim(f"{number} claims: wall, x the bare loop's in the same round", _ratio(runs[OURS], floor), 1.15)
    report.aim(f"{number} claims: wall, x kopf's in the same round", _ratio(runs[OURS], runs[KOPF]), 1.0)
    report.aim(f"{number} claims: own CPU per claim", median(each.cpu for each in runs[OURS]), 8, " ms")
    report.aim(f"{number} claims: RSS", max(each.rss for each in runs[OURS]), 90, " MiB")


def _figures(runs: list[Run], floor: list[Run]) -> list[str]:
    walls = [each.timing.wall for each in runs]
    return [
        f"{median(walls):.1f} ({min(walls):.1f}-{max(walls):.1f})",
        f"{len(runs[0].timing.waits) / median(walls):.1f}",
        f"{_ratio(runs, floor):.2f}",
        *(f"{median(each.timing.percentile(percent) for each in runs):.1f}" for percent in (50, 99)),
        f"{median(each.cpu for each in runs):.1f}",
        f"{max(each.rss for each in runs):.0f}",
    ]


def _ratio(runs: list[Run], others: list[Run]) -> float:
    """Of the walls, round by round: what disturbs one round disturbs both."""
    return median(mine.timing.wall / theirs.timing.wall for mine, theirs in zip(runs, others, strict=True))
