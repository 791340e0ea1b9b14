"""Rows, the displays that show them, and when a run with `--once` is over. Pure, but for a console in memory."""

import io

from rich.console import Console

from dbclaims.core import conditions
from dbclaims.core.api import Status, to_document
from dbclaims.core.commands.settling import LONGEST_PASS, PATIENCE, Settling
from dbclaims.core.conditions import Conditions
from dbclaims.core.display import display
from dbclaims.core.objectstore import Object
from dbclaims.core.table import Row, row_of
from tests.clock import FakeClock


def claim(said: Conditions, *, generation: int = 2, observed: int = 2, **metadata: object) -> Object:
    return {
        "kind": "DatabaseClaim",
        "metadata": {"name": "orders", "namespace": "shop", "generation": generation, **metadata},
        "status": to_document(Status(observed_generation=observed, conditions=said)),
    }


READY = conditions.ready(2, "Login orders_a works.")
MAKING = conditions.making((), 2, "ServerNotReady", "it starts")
REFUSED = conditions.refused((), 2, "ClassNotFound", "create it")


def test_a_ready_claim_is_good_and_over() -> None:
    row = row_of(claim(READY))
    assert (row.good, row.over, str(row)) == (
        True,
        True,
        "DatabaseClaim shop/orders: Ready (Available): Login orders_a works.",
    )


def test_a_refused_edit_is_over_and_not_good_although_the_login_works() -> None:
    row = row_of(claim(conditions.refused_edit(conditions.ready(1, "works"), 2, "InvalidSpec", "undo it")))
    assert (row.ready, row.good, row.over) == ("True", False, True)
    assert str(row) == "DatabaseClaim shop/orders: not Ready (InvalidSpec): undo it"


def test_what_nobody_looked_at_or_is_on_its_way_out_is_not_over() -> None:
    assert not row_of(claim(conditions.fresh(), observed=-1)).over
    assert not row_of(claim(READY, generation=3)).over
    leaving = row_of(claim(READY, deletionTimestamp="2026-11-21T03:00:00Z"))
    assert (leaving.over, leaving.reason) == (False, "Deleting")


def test_warnings_stand_behind_the_sentence() -> None:
    row = row_of(claim(conditions.warned(READY, 2, [("TLSNotVerified", "anybody may listen")])))
    assert row.why == "Login orders_a works. [TLSNotVerified] anybody may listen"


def test_a_run_is_over_when_all_is_good_or_waits_for_a_person() -> None:
    settling, settled = Settling(FakeClock()), [row_of(claim(READY)), row_of(claim(REFUSED))]
    assert not settling.is_over(settled, idle=False)
    assert settling.is_over(settled, idle=True)
    assert settling.is_over([], idle=True)


def test_a_run_waits_for_what_may_come_by_itself_while_there_is_progress() -> None:
    clock = FakeClock()
    settling, waiting = Settling(clock), [row_of(claim(MAKING))]
    assert not settling.is_over(waiting, idle=True)
    clock.advance(PATIENCE - 1)
    moved = [row_of(claim(conditions.making((), 2, "LoginRefused", "it came up")))]
    assert not settling.is_over(moved, idle=True)
    clock.advance(PATIENCE - 1)
    assert not settling.is_over(moved, idle=True)
    clock.advance(1)
    assert settling.is_over(moved, idle=True)


def test_a_pass_that_hangs_holds_a_run_for_so_long_only() -> None:
    clock = FakeClock()
    settling, rows = Settling(clock), [row_of(claim(READY))]
    assert not settling.is_over(rows, idle=False)
    clock.advance(LONGEST_PASS)
    assert settling.is_over(rows, idle=False)


def test_a_pipe_gets_one_line_for_each_change() -> None:
    written = io.StringIO()
    with display(Console(file=written)) as shown:
        for rows, notes in (([_row("a")], []), ([_row("a")], []), ([_row("b")], ["x.yaml:1: torn"])):
            shown.show(rows, notes)
    assert written.getvalue().splitlines() == [
        "DatabaseClaim shop/orders: not Ready (Pending): a",
        "DatabaseClaim shop/orders: not Ready (Pending): b",
        "not taken over: x.yaml:1: torn",
    ]


def test_a_terminal_gets_a_table_that_takes_words_in_brackets_as_they_are() -> None:
    written = io.StringIO()
    with display(Console(file=written, force_terminal=True, width=120, color_system=None)) as shown:
        shown.show([_row("in [bold]brackets[/bold]")], ["x.yaml:1: torn"])
    assert "DatabaseClaim  shop/orders  Unknown  Pending" in written.getvalue()
    assert "in [bold]brackets[/bold]" in written.getvalue()
    assert "! x.yaml:1: torn" in written.getvalue()


def _row(why: str) -> Row:
    return Row(kind="DatabaseClaim", key="shop/orders", ready="Unknown", reason="Pending", why=why)
