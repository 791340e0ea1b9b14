"""Names in a server: never too long, never two the same, the same on every machine."""

from __future__ import annotations

import random

import attrs
import pytest

from dbclaims.core import naming
from dbclaims.core.spi import EngineInfo, InvalidSpec

from .models import POSTGRES

MYSQL = attrs.evolve(POSTGRES, name="mysql", name_limit=64, role_limit=32, name_unit="characters", reserved=("sys",))
ENGINES = [POSTGRES, MYSQL]
LABEL = "abcdefghijklmnopqrstuvwxyz0123456789-"
MANY = 10_000


def label(draw: random.Random, longest: int) -> str:
    middle = "".join(draw.choices(LABEL, k=draw.randrange(longest - 1)))
    return draw.choice(LABEL[:-1]) + middle + draw.choice(LABEL[:-1])


def size(name: str, info: EngineInfo) -> int:
    return len(name.encode()) if info.name_unit == "bytes" else len(name)


@pytest.mark.parametrize("info", ENGINES, ids=lambda info: info.name)
def test_no_two_of_ten_thousand_claims_share_a_name(info: EngineInfo) -> None:
    draw = random.Random(1)
    claims = {(label(draw, 63), label(draw, 63)) for _ in range(MANY)}
    # Cut at the same place, told apart by the end alone.
    claims |= {("n" * 60, f"{'c' * 40}-{number}") for number in range(1000)}
    names = {naming.database_name(*claim, info) for claim in claims}
    assert len(names) == len(claims)
    assert max(size(name, info) for name in names) <= info.name_limit


@pytest.mark.parametrize("info", ENGINES, ids=lambda info: info.name)
def test_no_two_roles_of_ten_thousand_databases_share_a_name(info: EngineInfo) -> None:
    draw = random.Random(2)
    databases = {naming.database_name(label(draw, 63), label(draw, 63), info) for _ in range(MANY)}
    roles = [name for each in databases for name in _roles(each, info)]
    assert len(set(roles)) == len(roles) == 6 * len(databases)
    assert max(size(name, info) for name in roles) <= info.role_limit


def _roles(database: str, info: EngineInfo) -> tuple[str, ...]:
    role, pair = naming.role_names(database, "uid", "reports", info)
    return (naming.owner_role(database, info), *naming.accounts(database, info), role, *pair)


def test_two_role_claims_of_one_name_in_two_namespaces_have_different_roles() -> None:
    one, two = (naming.role_names("orders", uid, "reports", POSTGRES) for uid in ("uid-1", "uid-2"))
    assert {one[0], *one[1]}.isdisjoint({two[0], *two[1]})


def test_short_names_are_plain() -> None:
    assert naming.database_name("shop", "orders", POSTGRES) == "shop_orders"
    assert naming.owner_role("orders", POSTGRES) == "orders_owner"
    assert naming.accounts("orders", POSTGRES) == ("orders_a", "orders_b")


def test_a_name_is_cut_between_characters() -> None:
    name = naming.owner_role("ä" * 31, POSTGRES)
    assert size(name, POSTGRES) <= 63
    assert name.startswith("ä")
    assert name.endswith("_owner")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("orders", None),
        ("o" * 63, None),
        ("o" * 64, "NameTooLong"),
        ("ä" * 32, "NameTooLong"),
        ("postgres", "NameReserved"),
        ("Template0", "NameReserved"),
        ("my_template", None),
    ],
)
def test_a_name_that_the_server_cannot_hold_or_keeps_for_itself_is_refused(name: str, reason: str | None) -> None:
    if reason is None:
        naming.check(name, POSTGRES)
        return
    with pytest.raises(InvalidSpec) as refused:
        naming.check(name, POSTGRES)
    assert refused.value.reason == reason
