"""The list-and-watch loop against a wire that breaks in every way: no key is lost, and nobody is hammered.

Steps are taken by hand; only the read timeout of a silent connection passes in real time, shortened by conftest.py.
"""

import random

import pytest

from dbclaims.core.informer import Informer
from dbclaims.core.kube.transport import Timeouts
from dbclaims.core.reflector import PAGE, Backoff
from tests.clock import FakeClock

from .conftest import CLAIM, claim
from .wire import Fault, Handler, Wire, answers, event, is_silent, resets, says, streams

PLURAL = CLAIM.plural
HALF = b'{"type":"ADDED","object":{"metadata":{"na'

WATCH_FAULTS: dict[str, Fault] = {
    "silent before headers": is_silent,
    "silent in the stream": streams(then=is_silent),
    "reset before headers": resets,
    "reset in the stream": streams(then=resets),
    "410": answers(410, "Expired"),
    "410 as event": streams(event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})),
    "ERROR without reason": streams(event("ERROR", {"kind": "Status"})),
    "429": answers(429, "TooManyRequests", Retry_After="1"),
    "500": answers(500, "InternalError"),
    "403": answers(403, "Forbidden"),
    "401": answers(401, "Unauthorized"),
    "half a line": streams(HALF),
    "half a line and reset": streams(HALF, then=resets),
    "blank lines only": streams(b"\n\n \n"),
    "a proxy's page": says(200, b"<html>\n"),
    "closed at once": streams(),
}
LIST_FAULTS: dict[str, Fault] = {
    "silent": is_silent,
    "reset": resets,
    "410": answers(410, "Expired"),
    "429": answers(429, "TooManyRequests"),
    "500": answers(500, "InternalError"),
    "403": answers(403, "Forbidden"),
    "half a body": says(200, b'{"items": [{"meta'),
}


def names(informer: Informer) -> list[str]:
    return sorted(key.removeprefix("shop/") for key in informer.lister.keys())  # noqa: SIM118  # not a dict


@pytest.mark.parametrize("fault", WATCH_FAULTS.values(), ids=WATCH_FAULTS)
def test_no_key_is_lost_to_a_watch_that_fails(wire: Wire, informer: Informer, fault: Fault) -> None:
    wire.store(PLURAL, claim("stays"))
    wire.store(PLURAL, claim("goes"))
    informer.step()
    wire.fail("watch", fault, always=True)
    informer.step()
    wire.remove(PLURAL, "shop", "goes")
    wire.store(PLURAL, claim("comes"))
    informer.step()
    wire.mend()
    informer.step()
    assert names(informer) == ["comes", "stays"]


@pytest.mark.parametrize("fault", LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_a_list_that_fails_leaves_the_cache_as_it_was(wire: Wire, informer: Informer, fault: Fault) -> None:
    wire.store(PLURAL, claim("orders"))
    informer.step()
    wire.fail("watch", answers(410, "Expired"), fault)
    wire.fail("list", fault)
    informer.step()
    informer.step()
    assert names(informer) == ["orders"]
    informer.step()
    assert names(informer) == ["orders"]


@pytest.mark.parametrize("fault", WATCH_FAULTS.values(), ids=WATCH_FAULTS)
def test_a_failing_watch_costs_at_most_a_request_in_four_seconds(
    wire: Wire, informer: Informer, clock: FakeClock, fault: Fault
) -> None:
    wire.fail("watch", fault, always=True)
    silent = fault in (WATCH_FAULTS["silent before headers"], WATCH_FAULTS["silent in the stream"])
    for _ in range(4 if silent else 12):
        delay = informer.step()
        clock.advance(delay + (Timeouts().watch if silent else 0))
    assert len(wire.seen) / clock.monotonic() <= 0.25


@pytest.mark.parametrize("fault", LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_a_failing_list_costs_at_most_a_request_in_four_seconds(
    wire: Wire, informer: Informer, clock: FakeClock, fault: Fault
) -> None:
    wire.fail("list", fault, always=True)
    for _ in range(4 if fault is is_silent else 12):
        delay = informer.step()
        clock.advance(delay + (Timeouts().read if fault is is_silent else 0))
    assert len(wire.seen) / clock.monotonic() <= 0.25
    assert not informer.has_synced()


def test_a_dead_connection_is_noticed_and_listed_again_within_95_seconds(
    wire: Wire, informer: Informer, clock: FakeClock
) -> None:
    informer.step()
    wire.store(PLURAL, claim("missed"))
    wire.fail("watch", streams(then=is_silent))
    delay = informer.step()
    # In production the read timeout takes Timeouts().watch where conftest.py makes it short.
    assert Timeouts().watch + delay <= 95
    lists = wire.count("list")
    informer.step()
    assert names(informer) == ["missed"]
    assert wire.count("list") == lists + 1, "a quiet watch may hang on a version of the future"


@pytest.mark.parametrize("fault", [resets, answers(429, "TooManyRequests"), answers(500, "InternalError")])
def test_a_watch_that_breaks_is_resumed_without_a_list(wire: Wire, informer: Informer, fault: Fault) -> None:
    informer.step()
    wire.store(PLURAL, claim("first"))
    informer.step()
    wire.fail("watch", fault)
    informer.step()
    informer.step()
    watches = [request for request in wire.seen if request.sort == "watch"]
    assert wire.count("list") == 1
    assert watches[-1].query["resourceVersion"] == str(wire.version)


def test_an_expired_version_is_listed_again(wire: Wire, informer: Informer) -> None:
    informer.step()
    wire.fail("watch", answers(410, "Expired"))
    informer.step()
    informer.step()
    assert wire.count("list") == 2


def test_a_bookmark_moves_the_version_and_nothing_else(wire: Wire, informer: Informer) -> None:
    told: list[object] = []
    informer.add_handler(lambda old, new: told.append((old, new)))
    wire.store(PLURAL, claim("orders"))
    informer.step()
    wire.bookmark(PLURAL)
    informer.step()
    informer.step()
    assert wire.seen[-1].query["resourceVersion"] == str(wire.version)
    assert len(told) == 1


def test_a_long_list_comes_in_pages_of_the_newest_state(wire: Wire, informer: Informer) -> None:
    for number in range(PAGE + 1):
        wire.store(PLURAL, claim(f"c{number:04}"))
    informer.step()
    lists = [request.query for request in wire.seen if request.sort == "list"]
    assert len(names(informer)) == PAGE + 1
    assert [query["limit"] for query in lists] == [str(PAGE)] * 2
    assert all("resourceVersion" not in query for query in lists)


def test_a_list_whose_second_page_expired_begins_again(wire: Wire, informer: Informer) -> None:
    for number in range(PAGE + 1):
        wire.store(PLURAL, claim(f"c{number:04}"))
    wire.fail("list", Handler.do_list, answers(410, "Expired"))
    informer.step()
    assert not informer.has_synced()
    informer.step()
    assert len(names(informer)) == PAGE + 1


def test_a_healthy_watch_is_opened_again_without_delay(wire: Wire, informer: Informer, clock: FakeClock) -> None:
    informer.step()
    informer.add_handler(lambda old, new: clock.advance(400))
    wire.store(PLURAL, claim("orders"))
    assert informer.step() == 0.0


def test_a_watch_asks_for_bookmarks_and_an_end_between_five_and_ten_minutes(wire: Wire, informer: Informer) -> None:
    informer.step()
    query = wire.seen[-1].query
    assert query["allowWatchBookmarks"] == "true"
    assert 300 <= int(query["timeoutSeconds"]) <= 600


def test_retry_after_is_obeyed(wire: Wire, informer: Informer) -> None:
    wire.fail("list", answers(429, "TooManyRequests", Retry_After="77"))
    assert informer.step() >= 77


def test_the_backoff_doubles_up_to_30_seconds_and_is_reset_by_two_good_minutes() -> None:
    backoff = Backoff(_NoChance())
    now, delays = 1000.0, []
    for _ in range(8):
        delays.append(backoff.next(now))
        now += delays[-1]
    assert delays == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert backoff.next(now + 121) == 0.8


def test_the_backoffs_jitter_is_up_to_its_own_length() -> None:
    delays = [Backoff(random.Random(seed)).next(1000) for seed in range(200)]
    assert 0.8 <= min(delays) < 0.9
    assert 1.5 < max(delays) <= 1.6


def test_a_restored_server_wins_over_what_we_hold(wire: Wire, informer: Informer) -> None:
    wire.store(PLURAL, claim("never-was"))
    wire.store(PLURAL, claim("older", labels={"state": "after"}))
    informer.step()
    wire.objects.clear()
    wire.history.clear()
    wire.version = 50
    wire.store(PLURAL, claim("older", labels={"state": "before"}))
    wire.fail("watch", streams(then=is_silent))
    informer.step()
    informer.step()
    assert names(informer) == ["older"]
    found = informer.lister.get("shop/older")
    assert found is not None
    assert found["metadata"]["labels"] == {"state": "before"}


class _NoChance(random.Random):
    def random(self) -> float:
        return 0.0
