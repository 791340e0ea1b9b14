"""Whose a database is, and who may take it over (PROTOCOL.md §2)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dbclaims.core.ownership import is_adoption
from dbclaims.core.spi import RELEASED, Database, DatabaseRef, Mark, NotOwned

from .models import class_

OURS = Mark("here", "DatabaseClaim", "ns-1", "shop", "orders", "uid-1")
LISTED: dict[str, Any] = {"databases": ["orders", "legacy_*"], "namespaces": ["shop"]}
FROM = {"installation": "old", "namespace": "shop"}


def database(mark: Mark | None, *, held: bool = True, present: bool = True) -> Database:
    return Database(DatabaseRef("orders", "orders_owner"), "orders_owner", held=held, mark=mark, present=present)


def changed(**fields: Any) -> Database:
    return database(attrs.evolve(OURS, **fields))


OURS_ALREADY = {
    "with our mark": database(OURS),
    "with our mark from an earlier life": changed(uid="uid-0"),
    "released by us": changed(state=RELEASED),
    "half made by us": database(None),
    "not made at all": database(None, held=False, present=False),
}
FOREIGN = {
    "unmarked": database(None, held=False),
    "of another installation": changed(installation="old"),
    "of another namespace": changed(nsuid="ns-2", ns="bi"),
    "of an earlier namespace of the same name": changed(nsuid="ns-0"),
    "of another claim that holds it": changed(name="sales"),
}


@pytest.mark.parametrize("observed", OURS_ALREADY.values(), ids=OURS_ALREADY)
@pytest.mark.parametrize("adopt", [False, True])
def test_what_is_ours_needs_no_consent(observed: Database, adopt: bool) -> None:
    assert not is_adoption(OURS, observed, adopt=adopt, adoptable=())


@pytest.mark.parametrize("observed", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize(
    ("adopt", "entries", "words"),
    [(False, [], "spec.adopt"), (False, [{**LISTED, "from": FROM}], "spec.adopt"), (True, [], "adoptable")],
    ids=["neither", "only the class", "only the claim"],
)
def test_what_is_not_ours_needs_both_consents(
    observed: Database, adopt: bool, entries: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(NotOwned, match=words) as refused:
        is_adoption(OURS, observed, adopt=adopt, adoptable=class_(adoptable=entries).spec.adoptable)
    assert refused.value.reason == "NameTaken"


def test_a_renamed_claim_takes_its_released_database_by_its_own_word() -> None:
    assert is_adoption(OURS, changed(name="sales", state=RELEASED), adopt=True, adoptable=())


@pytest.mark.parametrize("fields", [{"nsuid": "ns-2"}, {"installation": "old"}, {"kind": "RoleClaim"}])
def test_a_released_database_of_somebody_else_is_no_renaming(fields: dict[str, str]) -> None:
    with pytest.raises(NotOwned):
        is_adoption(OURS, changed(name="sales", state=RELEASED, **fields), adopt=True, adoptable=())


ENTRIES = {
    "an unmarked one that is listed": (database(None, held=False), LISTED, True),
    "listed by pattern": (database(None, held=False), {**LISTED, "databases": ["ord*"]}, True),
    "listed for others": (database(None, held=False), {**LISTED, "namespaces": ["bi"]}, False),
    "another database is listed": (database(None, held=False), {**LISTED, "databases": ["legacy_*"]}, False),
    "another installation's, named": (changed(installation="old"), {**LISTED, "from": FROM}, True),
    "another installation's, not named": (changed(installation="old"), LISTED, False),
    "a third installation's": (changed(installation="third"), {**LISTED, "from": FROM}, False),
    "another namespace's, not named": (changed(nsuid="ns-0"), LISTED, False),
    "another claim's of this namespace": (changed(name="sales"), LISTED, True),
}


@pytest.mark.parametrize(("observed", "entry", "allowed"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_of_the_class_opens_what_it_names(observed: Database, entry: dict[str, Any], allowed: bool) -> None:
    adoptable = class_(adoptable=[entry]).spec.adoptable
    if allowed:
        assert is_adoption(OURS, observed, adopt=True, adoptable=adoptable)
        return
    with pytest.raises(NotOwned):
        is_adoption(OURS, observed, adopt=True, adoptable=adoptable)
