"""The small pure parts: templates, lengths of time, tables, a request's line, a login's sibling."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from dbclaims.core.kube.trace import Trace
from dbclaims.core.kubectl.age import age
from dbclaims.core.kubectl.flags import seconds
from dbclaims.core.kubectl.jsonpath import TemplateError, found, rendered
from dbclaims.core.kubectl.screen import Screen
from dbclaims.core.kubectl.sessions import sibling
from dbclaims.core.kubectl.tables import lines, widths_of
from tests.clock import FakeClock

DOCUMENT = {
    "metadata": {"name": "orders", "labels": {"a.b/c": "x"}, "annotations": {}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}]},
    "spec": {"schemas": ["app", "audit"], "adopt": False, "limit": 3, "none": None},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.metadata.name}", "orders"),
        ("{$.metadata.name}", "orders"),
        ("{@.metadata.name}", "orders"),
        (".plain text", ".plain text"),
        ("{.metadata.labels.a\\.b/c}", "x"),
        ("{.metadata.labels['a.b/c']}", "x"),
        ("{.spec.schemas[*]}", "app audit"),
        ("{.spec.schemas[0]}-{.spec.schemas[-1]}", "app-audit"),
        ("{.spec.schemas[7]}", ""),
        ("{.spec}", '{"schemas":["app","audit"],"adopt":false,"limit":3,"none":null}'),
        ("{.spec.adopt} {.spec.limit}", "false 3"),
        ("{.nothing.there}", ""),
        ('{.status.conditions[?(@.type=="Ready")].status}', "True"),
        ("{.status.conditions[?(@.type == 'Synced')].status}", "False"),
        ("{range .status.conditions[*]}{.type}={.status}{'\\n'}{end}", "Ready=True\nSynced=False\n"),
        ('{range .spec.schemas[*]}[{@}]{"\\t"}{end}.', "[app]\t[audit]\t."),
        ("{range .nothing[*]}x{end}-", "-"),
    ],
)
def test_a_template_says_what_kubectl_s_says(template: str, text: str) -> None:
    assert rendered(template, DOCUMENT) == text


@pytest.mark.parametrize("template", ["{.a[", "{.a", "{end}", "{range .a[*]}", "{.a[?(@.b<3)]}", "{.a b[c]}"])
def test_a_template_that_cannot_be_read_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        rendered(template, DOCUMENT)


def test_a_path_leads_to_every_value() -> None:
    assert found(".status.conditions[*].status", DOCUMENT) == ["True", "False"]


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (5 * 3600 + 60, "5h1m"),
        (9 * 3600 + 60, "9h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (9 * 86400, "9d"),
        (729 * 86400, "729d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_lengths_of_time_are_kubectl_s(length: int, text: str) -> None:
    assert age(timedelta(seconds=length)) == text


@pytest.mark.parametrize(("text", "length"), [("30", 30), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("0", 0)])
def test_a_length_of_time_is_read(text: str, length: float) -> None:
    assert seconds(text) == length


def test_no_line_ends_in_a_space_and_columns_stand_below_each_other() -> None:
    screen = Screen(io.StringIO(), io.StringIO())
    rows = [("a", "True", ""), ("longer", "Unknown", "x")]
    columns = ("name", "ready", "note")
    assert list(lines(columns, rows, screen, widths_of(columns, rows))) == [
        "NAME     READY     NOTE",
        "a        True",
        "longer   Unknown   x",
    ]


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        (
            "https://somebody:t0ken@[::1]:6443/api?a=b",
            200,
            "GET https://[::1]:6443/api?a=b 200 OK in 1500 milliseconds",
        ),
        ("http://h/api", 409, "GET http://h/api 409 Conflict in 1500 milliseconds"),
        ("http://h/api", 299, "GET http://h/api 299 in 1500 milliseconds"),
    ],
)
def test_a_request_is_told_of_without_the_login_in_its_url(url: str, status: int, said: str) -> None:
    told: list[str] = []
    clock = FakeClock()
    answered = Trace(told.append, clock)("GET", url)
    clock.advance(1.5)
    answered(status)
    assert told == [said]


@pytest.mark.parametrize(("one", "other"), [("orders_a", "orders_b"), ("x_0123abcd_b", "x_0123abcd_a")])
def test_a_login_has_one_sibling(one: str, other: str) -> None:
    assert (sibling(one), sibling(other)) == (other, one)
