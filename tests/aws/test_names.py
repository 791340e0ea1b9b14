"""Names at AWS: legal, short enough, the same every time, and never one for two."""

from __future__ import annotations

import re

import attrs
from hypothesis import given
from hypothesis import strategies as st

from dbclaims.core.spi import ServerRef
from dbclaims.providers.aws import names

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
SUBDOMAIN = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
REFS = st.builds(ServerRef, LABEL, SUBDOMAIN, st.just("uid"), LABEL)
LEGAL = re.compile(r"[a-z](-?[a-z0-9])*")


@given(REFS)
def test_every_name_is_legal_at_aws(ref: ServerRef) -> None:
    name = names.identifier(ref)
    assert LEGAL.fullmatch(name)
    assert len(names.member(name, 2)) <= 63
    assert names.identifier(ref) == name
    for longer in (names.final_snapshot(name, "db-1"), names.parameter_group(name, "aurora-mysql8.0")):
        assert LEGAL.fullmatch(longer)
        assert len(longer) <= 255


@given(st.sets(REFS, min_size=2, max_size=40))
def test_no_two_servers_share_a_name(refs: set[ServerRef]) -> None:
    assert len({names.identifier(ref) for ref in refs}) == len(refs)


def test_what_runs_together_in_words_is_kept_apart_by_the_hash() -> None:
    ref = ServerRef("a-b", "c", "uid", "i")
    others = [ServerRef("a", "b-c", "uid", "i"), attrs.evolve(ref, name="c.d"), attrs.evolve(ref, installation="j")]
    assert len({names.identifier(each) for each in (ref, *others)}) == 4


def test_the_owner_and_the_way_of_ending_are_no_part_of_the_name() -> None:
    ref = ServerRef("a", "b", "uid", "i")
    assert names.identifier(attrs.evolve(ref, owner="x", final_snapshot=True)) == names.identifier(ref)


def test_ten_thousand_servers_have_ten_thousand_names() -> None:
    made = {names.identifier(ServerRef(f"team-{n % 7}", f"db-{n}" * 9, "uid", "i")) for n in range(10_000)}
    assert len(made) == 10_000


def test_each_incarnation_has_a_last_snapshot_of_its_own() -> None:
    assert names.final_snapshot("dbc", "db-1") != names.final_snapshot("dbc", "db-2")
