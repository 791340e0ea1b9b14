"""The Secrets that we write: what stands in them, whose they are, and how an edit shows."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbclaims.core import secrets
from dbclaims.core.api import ObjectMeta, SecretFormat
from dbclaims.core.kinds import CLAIM
from dbclaims.core.objectstore import Object
from dbclaims.core.secrets import Owner
from dbclaims.core.spi import Credentials, InvalidSpec, NotOwned

OWNER = Owner(CLAIM, ObjectMeta(name="orders", namespace="shop", uid="uid-1"))
KEYS = {
    "type": "postgresql",
    "username": "orders_a",
    "password": "pa_ss-1",
    "uri": "postgresql://orders_a:pa_ss-1@host:5432/orders",
    "dsn": "user=orders_a",
}


def published(*keys: str, supersedes: str = "") -> Object:
    form = SecretFormat(keys=keys) if keys else None
    secret = secrets.published(OWNER, "orders-db", "servicebinding.io/postgresql", KEYS, form, supersedes)
    return {**secret, "metadata": {**secret["metadata"], "resourceVersion": "7"}}


def edited(key: str, value: str | None) -> Object:
    secret = published()
    data = {**secret["data"], key: base64.b64encode(value.encode()).decode() if value is not None else None}
    return {**secret, "data": {name: text for name, text in data.items() if text is not None}}


def test_a_published_secret_says_whose_it_is_and_goes_with_its_owner() -> None:
    secret = published()
    metadata = secret["metadata"]
    assert secret["type"] == "servicebinding.io/postgresql"
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "dbclaims", "dbclaims.io/owner-uid": "uid-1"}
    assert [reference["uid"] for reference in metadata["ownerReferences"]] == ["uid-1"]
    assert secrets.decoded(secret) == KEYS
    assert secrets.is_ours(secret, OWNER)


def test_what_was_published_is_read_back() -> None:
    read = secrets.read(published())
    assert (read.username, read.password, read.intact) == ("orders_a", "pa_ss-1", True)


FORMATS = {
    "names of their own": ("DB_USER=username", "DB_PASS=password"),
    "the uri alone": ("uri",),
    "the uri under another name": ("DATABASE_URL=uri",),
    "all at once": ("username", "password", "uri", "DATABASE_URL=uri"),
}


@pytest.mark.parametrize("keys", FORMATS.values(), ids=FORMATS)
def test_any_shape_that_holds_a_login_is_read_back(keys: tuple[str, ...]) -> None:
    secrets.check_format(SecretFormat(keys=keys))
    read = secrets.read(published(*keys))
    assert (read.username, read.password, read.intact) == ("orders_a", "pa_ss-1", True)
    assert set(secrets.decoded(published(*keys))) == {entry.split("=")[0] for entry in keys}


@pytest.mark.parametrize("keys", [("username",), ("host", "port"), ("PASS=password",)])
def test_a_shape_without_a_login_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(InvalidSpec, match="holds no login"):
        secrets.check_format(SecretFormat(keys=keys))


@pytest.mark.parametrize("form", [None, SecretFormat(type="Opaque")])
def test_no_shape_is_the_usual_one(form: SecretFormat | None) -> None:
    secrets.check_format(form)


EDITS = {
    "a value": edited("password", "guess"),
    "a key less": edited("dsn", None),
    "a key more": edited("more", "x"),
    "no text at all": {**published(), "data": {**published()["data"], "password": "/w=="}},
    "stringData": {**published(), "stringData": {"password": "guess"}},
    "no data": {**published(), "data": None},
    "no annotations": {**published(), "metadata": {"name": "orders-db"}},
}


@pytest.mark.parametrize("secret", EDITS.values(), ids=EDITS)
def test_any_edit_shows(secret: Object) -> None:
    assert not secrets.read(secret).intact


def test_a_uri_that_is_none_is_an_edit_and_no_crash() -> None:
    secret = secrets.published(OWNER, "orders-db", "Opaque", KEYS, SecretFormat(keys=("uri",)))
    secret["data"]["uri"] = base64.b64encode(b"postgresql://[half").decode()
    assert not secrets.read(secret).intact


def test_another_label_is_no_edit() -> None:
    secret = published()
    secret["metadata"]["labels"]["team"] = "a"
    assert secrets.read(secret).intact


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4), st.data())
def test_no_two_data_have_one_checksum(data: dict[str, str], draw: st.DataObject) -> None:
    other = draw.draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4))
    assert (secrets.checksum(data) == secrets.checksum(other)) == (data == other)


FOREIGN: dict[str, dict[str, Any]] = {
    "without labels": {"name": "orders-db"},
    "of another claim": {"labels": {"app.kubernetes.io/managed-by": "dbclaims", "dbclaims.io/owner-uid": "uid-2"}},
    "of another tool": {"labels": {"app.kubernetes.io/managed-by": "helm", "dbclaims.io/owner-uid": "uid-1"}},
}


@pytest.mark.parametrize("metadata", FOREIGN.values(), ids=FOREIGN)
def test_somebody_elses_secret_is_refused_by_name(metadata: dict[str, Any]) -> None:
    with pytest.raises(NotOwned, match="orders-db") as refused:
        secrets.check_ours({"metadata": {"name": "orders-db", "namespace": "shop", **metadata}}, OWNER)
    assert refused.value.reason == "SecretNotOurs"


def test_a_pending_secret_holds_the_login_and_nothing_else() -> None:
    secret = secrets.pending(OWNER, Credentials("orders_b", "next"))
    assert secret["metadata"]["name"] == "dbclaims-pending-uid-1"
    assert secrets.decoded(secret) == {"username": "orders_b", "password": "next"}
    assert secrets.is_ours(secret, OWNER)


def test_a_former_name_is_kept_with_its_secret() -> None:
    assert published(supersedes="old@now")["metadata"]["annotations"]["dbclaims.io/supersedes"] == "old@now"
    assert "dbclaims.io/supersedes" not in published()["metadata"]["annotations"]


def test_passwords_are_long_need_no_quoting_and_never_come_twice() -> None:
    made = {secrets.new_password() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{40}", password) for password in made)
