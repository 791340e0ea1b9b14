"""What cannot be done is said in one sentence on stderr, with nothing on stdout and the exit code that scripts read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from dbclaims.core.api import RESOURCES
from dbclaims.core.kubectl import words
from dbclaims.core.kubectl.claims import GROUPS, PROGRAM, ROOMS, verb
from dbclaims.core.kubectl.cluster import ClusterHome
from dbclaims.core.objectstore import Kind
from tests.clock import FakeClock

from .conftest import Person
from .terminal import Said, piped

UNKNOWN_FLAG = "unrecognized arguments: --nonsense"
NO_NAME = "the following arguments are required: NAME"
ABSENT = r'Error from server \(NotFound\): databaseclaims.dbclaims.io "nope" not found'
NO_FILE = r"/nowhere cannot be used: .*; name another with --kubeconfig"
OF_NONE = r'"pod/x" names no object'

WRONG: dict[str, tuple[tuple[str, str], ...]] = {
    "list": (
        ("list orders -A", "cannot be retrieved by name across all namespaces"),
        ("list -o toml", r'unable to match a printer suitable for the output format "toml"'),
        ("list -o jsonpath={.items[", "unclosed brace"),
        ("list -w -o json", "--watch prints lines"),
        ("list --show-labels -o json", "--show-labels option cannot be used with json printer"),
        ("list --show-labels -o jsonpath={.items}", "--show-labels option cannot be used with jsonpath printer"),
        ("list -v loud", "argument -v/--v: invalid int value: 'loud'"),
        ("list --selector", "expected one argument"),
        ("list ordres", r'"ordres" not found; did you mean "orders"\?'),
    ),
    "explain": (("explain", NO_NAME), ("explain nope", ABSENT), ("explain pod/x", OF_NONE)),
    "tree": (
        ("tree", NO_NAME),
        ("tree nope", ABSENT),
        ("tree roleclaim/x", "tree is for a databaseclaim, not for a role"),
    ),
    "events": (("events", NO_NAME), ("events nope", ABSENT), ("events orders -o wide", "unable to match a printer")),
    "top": (
        ("top --sort colour", "invalid choice"),
        ("top orders", "unrecognized"),
        ("top -o name", "unable to match"),
    ),
    "classes": (
        ("classes nope", r'databaseclasses.dbclaims.io "nope" not found'),
        ("classes --nonsense", UNKNOWN_FLAG),
        ("classes x -l a=b", "nor by name and selector"),
    ),
    "servers": (
        ("servers nope", r'databaseservers.dbclaims.io "nope" not found'),
        ("servers --nonsense", UNKNOWN_FLAG),
        ("servers -l ===", r"Error from server \(BadRequest\)"),
    ),
    "grants": (("grants nope", ABSENT), ("grants --nonsense", UNKNOWN_FLAG), ("grants -o name", "unable to match")),
    "psql": (
        ("psql", NO_NAME),
        ("psql nope", ABSENT),
        ("psql databaseclass/x", "psql is for a databaseclaim or roleclaim"),
    ),
    "connect": (
        ("connect", NO_NAME),
        ("connect nope", ABSENT),
        ("connect orders -c x", "unrecognized arguments: -c x"),
    ),
    "credentials": (
        ("credentials nope", ABSENT),
        ("credentials orders -o uri", "-o uri holds the password; say so with --show"),
        ("credentials orders --show -o xml", "invalid choice"),
    ),
    "who-uses": (("who-uses", NO_NAME), ("who-uses nope", ABSENT), ("who-uses orders -o name", "unable to match")),
    "plan": (
        ("plan nope", ABSENT),
        ("plan -o name", "unable to match a printer"),
        ("plan -f /nowhere.yaml", r"/nowhere.yaml cannot be read \(No such file or directory\)"),
    ),
    "rotate": (
        ("rotate nope", ABSENT),
        ("rotate orders --timeout soon", '"soon" is no length of time; write 30s, 5m or 1h'),
        ("rotate databaseserver/x", "rotate is for a databaseclaim or roleclaim"),
    ),
    "pause": (("pause", NO_NAME), ("pause nope", ABSENT), ("pause orders --dry-run=maybe", "invalid choice")),
    "resume": (
        ("resume", NO_NAME),
        ("resume nope", ABSENT),
        ("resume claimgrant/x", "resume is for a databaseclaim or"),
    ),
    "approve": (
        ("approve nope", ABSENT),
        ("approve orders 0123", "0123 fits nothing on databaseclaim.dbclaims.io/orders: nothing waits"),
        ("approve orders abandon", "`abandon` lets go of a claim that is being deleted"),
    ),
    "wait": (
        ("wait nope", ABSENT),
        ("wait orders --for Money", "invalid choice"),
        ("wait orders --timeout -1", "no length of time"),
    ),
    "check": (
        ("check --wait long", "no length of time"),
        ("check orders", "unrecognized"),
        ("check -o name", "unable to"),
    ),
    "report": (
        ("report -f .", r"\. is there already; name another with -f, or say --force"),
        ("report orders", "unrecognized arguments: orders"),
        ("report --nonsense", UNKNOWN_FLAG),
    ),
    "init": (
        ("init claim Orders", "metadata.name: 'Orders' is not"),
        ("init grant x", "--to is needed"),
        ("init pod x", "invalid choice"),
    ),
    "version": (
        ("version 2", "unrecognized"),
        ("version -o wide", "unable to match"),
        ("version --nonsense", UNKNOWN_FLAG),
    ),
    "completion": (
        ("completion bash", "unrecognized"),
        ("completion --x", "unrecognized"),
        ("completion -o", "unrecogn"),
    ),
}


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 21, tzinfo=UTC))


def test_every_verb_is_tried_with_three_wrong_inputs() -> None:
    assert set(WRONG) == set(ROOMS)
    assert {name for name, cases in WRONG.items() if len(cases) < 3} == set()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_input_ends_with_one_sentence_and_the_verbs_code(person: Person, name: str) -> None:
    for case, said in WRONG[name]:
        answer = person.says(*case.split())
        assert (answer.code, answer.out) == (verb(name).failed, ""), case
        assert re.search(said, answer.err), f"{case}: {answer.err}"
        assert len(answer.err.splitlines()) <= 2, "a sentence, and of wrong usage where the help is"


def _offline(clock: FakeClock, *arguments: str) -> Said:
    return piped(list(arguments), ClusterHome, clock)


@pytest.mark.parametrize("name", sorted(set(ROOMS) - {"init", "version", "completion"}))
def test_a_missing_kubeconfig_is_named(clock: FakeClock, name: str) -> None:
    needs_name = (*GROUPS["Connect"], *GROUPS["Change"], "explain", "tree", "events")
    said = _offline(clock, name, *(["orders"] if name in needs_name else []), "--kubeconfig", "/nowhere")
    assert (said.code, said.out) == (verb(name).failed, "")
    assert re.fullmatch(f"error: {NO_FILE}\n", said.err)


def test_a_cluster_that_does_not_answer_is_said_in_kubectl_s_words(clock: FakeClock, tmp_path: Path) -> None:
    silent = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "current-context": "c",
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(silent))
    said = _offline(clock, "--kubeconfig", str(path))
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Unable to connect to the server: http://127.0.0.1:1: ")


def test_an_unknown_verb_is_answered_with_the_nearest(clock: FakeClock) -> None:
    said = _offline(clock, "rotat", "orders")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[0] == 'error: unknown verb "rotat", did you mean "rotate"?'


def test_flags_may_stand_before_the_verb(person: Person) -> None:
    shop = person.world.named("shop")
    assert person.says("-n", shop, "list", "-o", "name").out == "databaseclaim.dbclaims.io/orders\n"
    assert person.says("-n", shop, "-o", "name").out == "databaseclaim.dbclaims.io/orders\n"


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["-h"]])
def test_the_help_names_every_verb(clock: FakeClock, arguments: list[str]) -> None:
    said = _offline(clock, *arguments)
    assert (said.code, said.err) == (0, "")
    assert {name for name in ROOMS if f"\n  {name:<12} " not in said.out} == set()


@pytest.mark.parametrize("name", ROOMS)
def test_each_verb_s_help_has_three_examples_that_are_understood(clock: FakeClock, name: str) -> None:
    said = _offline(clock, name, "--help")
    assert said.code == 0
    for example in verb(name).examples:
        assert f"  {PROGRAM} {example}\n" in said.out

        def unasked(*_: object) -> NoReturn:
            raise AssertionError("no connection is needed to understand an example")

        parsed = piped([*example.partition(" > ")[0].partition(" -- ")[0].split(), "--help"], unasked, clock)
        assert parsed.code == 0, example


def test_the_groups_hold_every_verb_once() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(ROOMS)


def test_the_kinds_are_those_of_the_definitions() -> None:
    ours = {each.kind: (each.plural, each.namespaced) for each in words.WORDS}
    assert ours == {name: (resource.plural, resource.namespaced) for name, resource in RESOURCES.items()}
    for name, resource in RESOURCES.items():
        for typed in (name, resource.plural, *resource.short_names, f"{resource.plural}.dbclaims.io"):
            found = words.word(typed)
            assert found is not None
            assert found.kind == name
    assert Kind(words.GROUP, words.VERSION, "", "").api_version == "dbclaims.io/v1alpha1"


def test_what_one_may_not_see_is_said_and_nothing_else(person: Person) -> None:
    developer = Person(person.world, "developer")
    said = developer.says("list")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(
        'Error from server (Forbidden): databaseclaims.dbclaims.io is forbidden: User "developer"'
    )
    said = developer.says("explain", "orders")
    assert (said.code, said.out) == (1, "")
    assert "403 Forbidden" in said.err
