"""Models, durations, parsing and annotations: what needs no API server. Verdicts on documents are in test_twins.py."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbclaims.core import api
from dbclaims.core.api import (
    API_VERSION,
    RESOURCES,
    AllowedNamespaces,
    DatabaseClaim,
    DatabaseClass,
    LabelSelector,
    ObjectMeta,
    SelectorExpression,
    SelectorOperator,
    SpecError,
    UnknownKind,
    check_annotations,
    defaulted,
    format_duration,
    parse,
    parse_duration,
    to_document,
    validate,
)
from dbclaims.core.api.kinds import document_schema
from dbclaims.core.api.schema import Schema
from dbclaims.core.spi import Access

from .cases import CASES, CLAIM, Case
from .examples import EXAMPLES, ORIGINALS, documents

ORDERS = Case("x", "DatabaseClaim", CLAIM, name="orders").document()


@given(
    st.timedeltas(timedelta(0), timedelta(days=40_000)).map(
        lambda each: timedelta(seconds=each // timedelta(seconds=1))
    )
)
def test_a_duration_reads_back_as_it_was_written(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(
    ("text", "hours"), [("12h", 12), ("90m", 1.5), ("1h30m", 1.5), ("0s", 0), ("7d", 168), ("1h0m1800s", 1.5)]
)
def test_a_duration_is_a_number_with_a_unit(text: str, hours: float) -> None:
    assert parse_duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "1.5h", "1m1h", "1d1h", "1 h", "1h\n", "1h ", "٣h", "9999999h"])
def test_what_is_no_duration_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match='write "12h"'):
        parse_duration(text)


def test_a_negative_duration_is_not_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(timedelta(seconds=-1))


@pytest.mark.parametrize(
    "document", [d for d in documents() if d["apiVersion"] == API_VERSION], ids=lambda d: d["kind"]
)
def test_every_example_becomes_a_model_that_says_the_same(document: dict[str, object]) -> None:
    spec = to_document(parse(document).spec)
    complete = defaulted(document)["spec"]
    assert {key: spec[key] for key in complete} | spec == spec
    assert {key: value for key, value in spec.items() if key in document["spec"]}.keys() == document["spec"].keys()  # type: ignore[operator, attr-defined]


@pytest.mark.parametrize("case", [case for case in CASES if case.valid], ids=lambda case: f"{case.kind}: {case.says}")
def test_a_model_written_and_read_again_is_the_same(case: Case) -> None:
    model = parse(case.document())
    again = parse(case.document() | {"spec": to_document(model.spec), "status": to_document(model.status)})
    assert again == model


@pytest.mark.skipif(not ORIGINALS.exists(), reason="the design is not beside this checkout")
def test_the_examples_are_the_designs() -> None:
    assert {path.name: path.read_text() for path in EXAMPLES.iterdir()} == {
        path.name: path.read_text() for path in ORIGINALS.iterdir()
    }


def test_defaults_of_a_class_are_those_of_its_model() -> None:
    parsed = parse(Case("x", "DatabaseClass", {"serverRef": {"name": "a", "namespace": "b"}}).document())
    assert isinstance(parsed, DatabaseClass)
    assert parsed.spec.rotation.grace == timedelta(minutes=10)
    assert parsed.spec.deletion_policy == "Retain"
    assert parsed.status.observed_generation == -1


def test_a_status_of_a_newer_version_is_read_without_what_we_do_not_know() -> None:
    parsed = parse(ORDERS | {"status": {"observedGeneration": 3, "mood": "good", "version": "17.10"}})
    assert isinstance(parsed, DatabaseClaim)
    assert (parsed.status.observed_generation, parsed.status.version) == (3, "17.10")


@pytest.mark.parametrize("status", [{"conditions": 5}, {"conditions": [{"type": "Ready"}]}, {"login": []}])
def test_a_status_that_cannot_be_read_is_a_newer_ones_and_never_a_crash(status: object) -> None:
    with pytest.raises(SpecError) as caught:
        parse(ORDERS | {"status": status})
    assert (caught.value.reason, caught.value.problems[0].path) == ("NewerSpec", "status")


def test_an_error_names_the_place_and_the_field_that_was_meant() -> None:
    with pytest.raises(SpecError) as caught:
        parse(ORDERS | {"spec": CLAIM | {"rotation": {"intervall": "12h"}, "databaseName": 'x"; DROP ROLE y'}})
    message = str(caught.value)
    assert "spec.rotation.intervall: no such field; did you mean interval?" in message
    assert "spec.databaseName: 'x\"; DROP ROLE y' is not a database's name" in message
    assert caught.value.reason == "InvalidSpec"


@pytest.mark.parametrize("spec", [CLAIM | {"deletionPolicy": "Archive"}, CLAIM | {"replicas": 3}])
def test_what_only_a_newer_version_can_know_is_newer_and_not_wrong(spec: dict[str, object]) -> None:
    with pytest.raises(SpecError) as caught:
        parse(ORDERS | {"spec": spec})
    assert caught.value.reason == "NewerSpec"


def test_another_kind_is_not_read() -> None:
    with pytest.raises(UnknownKind, match="'Pod' is none of"):
        parse(ORDERS | {"kind": "Pod"})


def test_a_document_without_metadata_says_what_is_needed() -> None:
    for metadata in (None, {}, "x", {"name": 5}):
        assert "metadata.name: is needed" in {str(each) for each in validate(ORDERS | {"metadata": metadata})}


def test_labels_that_are_not_text_are_refused() -> None:
    found = validate(ORDERS | {"metadata": ORDERS["metadata"] | {"labels": {"a": 5}}})
    assert [problem.path for problem in found] == ["metadata.labels"]


@pytest.mark.parametrize(
    ("name", "value", "problems"),
    [
        ("dbclaims.io/rotate", "anything", 0),
        ("dbclaims.io/approve", "abandon", 0),
        ("dbclaims.io/paused", "true", 0),
        ("dbclaims.io/paused", "yes", 1),
        ("dbclaims.io/protect", "false", 0),
        ("dbclaims.io/protect", "maybe", 1),
        ("dbclaims.io/rotat", "1", 1),
        ("example.com/anything", "1", 0),
    ],
)
def test_an_annotation_of_ours_means_something_or_is_said(name: str, value: str, problems: int) -> None:
    found = check_annotations(ObjectMeta(name="x", annotations={name: value}))
    assert [problem.reason for problem in found] == ["InvalidAnnotation"] * problems
    assert all(name in problem.message for problem in found)


def test_a_slip_of_the_pen_pauses_and_protects() -> None:
    assert ObjectMeta(name="x", annotations={"dbclaims.io/paused": "flase"}).paused
    assert ObjectMeta(name="x", annotations={"dbclaims.io/protect": "yes"}).protected
    assert not ObjectMeta(name="x", annotations={"dbclaims.io/protect": "false"}).protected
    assert not ObjectMeta(name="x").paused


def test_namespaces_are_allowed_by_name_pattern_or_label() -> None:
    names = AllowedNamespaces(names=("shop", "team-*"))
    assert [names.allows(each, {}) for each in ("shop", "team-a", "bi")] == [True, True, False]
    selector = LabelSelector(
        match_labels={"a": "1"},
        match_expressions=(
            SelectorExpression(key="b", operator=SelectorOperator.IN, values=("2", "3")),
            SelectorExpression(key="c", operator=SelectorOperator.NOT_IN, values=("4",)),
            SelectorExpression(key="d", operator=SelectorOperator.EXISTS),
            SelectorExpression(key="e", operator=SelectorOperator.DOES_NOT_EXIST),
        ),
    )
    labels = {"a": "1", "b": "2", "d": ""}
    by_label = AllowedNamespaces(selector=selector)
    assert by_label.allows("any", labels)
    for change in ({"a": "2"}, {"b": "4"}, {"c": "4"}, {"e": ""}):
        assert not by_label.allows("any", labels | change)
    assert not by_label.allows("any", {"a": "1", "b": "2"})


def test_the_presets_of_a_role_are_the_spis() -> None:
    assert set(document_schema("RoleClaim").properties["spec"].properties["access"].enum) == set(Access)


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for key, each in schema.properties.items():
        yield from nodes(each, f"{path}.{key}")
    if schema.elements is not None:
        yield from nodes(schema.elements, f"{path}[]")


ALL_NODES = [
    pair
    for kind in RESOURCES
    for part in ("spec", "status")
    for pair in nodes(document_schema(kind).properties[part], f"{kind}.{part}")
]


def test_every_list_map_and_text_has_an_end() -> None:
    for path, schema in ALL_NODES:
        bounds = schema.bounds
        if schema.type == "string":
            assert schema.enum or schema.format or bounds.max_length, path
        if schema.type == "array":
            assert bounds.max_items, path
        if schema.open or (schema.type == "object" and schema.elements):
            assert bounds.max_properties, path


def test_every_field_is_explained_and_every_pattern_can_be_said() -> None:
    for path, schema in ALL_NODES:
        assert schema.text or path.endswith(("[]", ".spec", ".status")), path
        pattern = schema.bounds.pattern
        if pattern:
            assert pattern[0] == "^", path
            assert pattern[-1] == "$", path
            assert schema.bounds.says, path


def test_what_the_package_offers_is_sorted_and_there() -> None:
    order = sorted(api.__all__, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))
    assert api.__all__ == order
    assert all(hasattr(api, name) for name in api.__all__)
