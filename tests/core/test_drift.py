"""What counts as changed by hand, what is held back for it, and which approval fits."""

from __future__ import annotations

import attrs
import pytest

from dbclaims.core import drift
from dbclaims.core.api import Drift, DriftPolicy, ObjectMeta
from dbclaims.core.approval import Waiting
from dbclaims.core.drift import Held
from dbclaims.core.spi import (
    Access,
    Account,
    Action,
    Credentials,
    DatabaseRef,
    DatabaseSpec,
    Login,
    Mark,
    Part,
    ServerRef,
    ServerSpec,
)

MARK = Mark("i1", "DatabaseClaim", "n1", "shop", "orders", "u1")
GRANT, SCHEMA, LOGIN = (Action(part.value, "differs", part=part) for part in (Part.GRANTS, Part.SCHEMAS, Part.LOGIN))
ALWAYS = Action("markDatabase", "is to carry its mark")


def wished(*, verifier: str | None = None, limit: int | None = None, schemas: tuple[str, ...] = ("app",)) -> str:
    """The digest of a wish."""
    accounts = Account("orders_a", True, verifier), Account("orders_b")
    login = Login("orders_owner", accounts, connection_limit=limit)
    return drift.wish_of_database(DatabaseSpec(DatabaseRef("orders", "orders_owner"), MARK, (login,), schemas))


def test_a_class_repairs_logins_and_grants_and_reports_what_an_owner_may_drop() -> None:
    assert drift.reported([DriftPolicy()]) == {Part.SCHEMAS, Part.EXTENSIONS}


def test_every_part_has_a_field_in_the_class() -> None:
    assert set(Part) == {each.name for each in attrs.fields(DriftPolicy)}


def test_of_several_classes_the_one_that_reports_counts() -> None:
    assert Part.SETTINGS in drift.reported([DriftPolicy(), DriftPolicy(settings=Drift.REPORT)])


def test_a_password_is_no_part_of_the_wish_and_all_else_is() -> None:
    assert wished() == wished(verifier="SCRAM-SHA-256$…")
    assert len({wished(), wished(limit=5), wished(schemas=("app", "more")), wished(schemas=())}) == 4


def test_the_rights_of_a_role_claim_are_part_of_its_wish() -> None:
    accounts = Account("r_a"), Account("r_b")
    ref = DatabaseRef("orders", "orders_owner")
    wishes = {
        drift.wish_of_database(DatabaseSpec(ref, MARK, (Login("r", accounts, {"app": access}),)))
        for access in (Access.READER, Access.WRITER)
    }
    assert len(wishes) == 2


def test_a_servers_wish_is_the_same_whoever_its_admin_is() -> None:
    ref = ServerRef("platform", "shared", "u1")
    bare, named = (ServerSpec(ref, "postgres", admin=admin) for admin in (None, Credentials("admin", "secret")))
    assert drift.wish_of_server(bare) == drift.wish_of_server(named)
    bigger = attrs.evolve(bare, storage_gib=100)
    assert drift.wish_of_server(bare) != drift.wish_of_server(bigger)


def test_what_goes_into_a_missing_schema_waits_with_it() -> None:
    assert GRANT not in Held((LOGIN,))
    assert GRANT in Held((SCHEMA,))
    assert ALWAYS not in Held((SCHEMA, LOGIN))


def test_an_approval_fits_these_steps_of_this_object_alone() -> None:
    waiting = drift.waiting((LOGIN,), "u1")
    assert waiting.hash
    approved = ObjectMeta(name="orders", annotations={"dbclaims.io/approve": waiting.hash})
    assert waiting.approved(approved)
    assert not drift.waiting((LOGIN,), "u2").approved(approved)
    assert not drift.waiting((LOGIN, GRANT), "u1").approved(approved)


@pytest.mark.parametrize("value", ["", "None"])
def test_where_nothing_waits_nothing_is_approved(value: str) -> None:
    assert not Waiting().approved(ObjectMeta(name="orders", annotations={"dbclaims.io/approve": value}))
    assert drift.waiting((), "u1") == Waiting()
    assert drift.warnings(Waiting()) == []


def test_the_sentence_names_each_difference_and_the_way_out() -> None:
    ((reason, sentence),) = drift.warnings(drift.waiting((LOGIN, SCHEMA), "u1"))
    assert reason == "Drifted"
    assert "login (differs), schemas (differs)" in sentence
    assert f"dbclaims.io/approve: {drift.waiting((LOGIN, SCHEMA), 'u1').hash}" in sentence
