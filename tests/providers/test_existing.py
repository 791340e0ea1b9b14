"""Provider `existing` and the structuring of `spec.config`: what is accepted, what is refused, and in which words.

Whether a host answers is the engine's business and is tested there.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dbclaims.core.config import structure_config
from dbclaims.core.plugins import Provider, load
from dbclaims.core.spi import Action, InvalidSpec, NotReady, ServerRef, ServerSpec, Terminal, TLSMode, certificates
from dbclaims.providers import existing

REF = ServerRef("platform", "shared", "uid-1")
BLOCK: dict[str, Any] = {"host": "pg.example.internal", "port": 5432, "adminSecretRef": {"name": "shared-admin"}}


class Secrets:
    """The Secrets of one namespace, as the core's reader gives them."""

    def __init__(self, **secrets: Mapping[str, str]) -> None:
        self.held = {name.replace("_", "-"): value for name, value in secrets.items()}

    def __call__(self, name: str) -> Mapping[str, str]:
        if name not in self.held:
            raise NotReady(f"Secret platform/{name} does not exist")
        return self.held[name]


def session(secrets: Secrets, **changes: Any) -> existing.Session:
    config = structure_config(existing.Config, {**BLOCK, **changes})
    assert isinstance(config, existing.Config)
    return existing.provider_open(config, secrets)


def loaded() -> Provider:
    """The provider as the core calls it."""
    return load(found=entry_points(group="dbclaims", name="existing")).providers["existing"]


def certificate() -> str:
    """A self-signed authority, fresh."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=3650))
    san = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(san, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def ca_ref(mode: str = "verify-full") -> dict[str, Any]:
    return {"mode": mode, "caSecretRef": {"name": "shared-ca"}}


# --- the block ---------------------------------------------------------------------------------------------------


def test_the_block_of_the_example_becomes_the_configuration() -> None:
    config = structure_config(existing.Config, {**BLOCK, "tls": ca_ref(), "clientEndpoint": {"host": "::1", "port": 1}})
    assert config == existing.Config(
        "pg.example.internal",
        5432,
        existing.AdminSecretRef("shared-admin"),
        existing.TLSConfig(TLSMode.VERIFY_FULL, existing.CASecretRef("shared-ca")),
        existing.ClientEndpoint("::1", 1),
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hots": "x"}, "spec.config.hots: is not known here; did you mean host?"),
        ({"zzz": 1}, "spec.config.zzz: is not known here (known: host, port, adminSecretRef, tls, clientEndpoint)"),
        ({"admin_secret_ref": {}}, "spec.config.admin_secret_ref: is not known here; did you mean adminSecretRef?"),
        ({"port": "5432"}, "spec.config.port: must be a whole number"),
        ({"port": True}, "spec.config.port: must be a whole number"),
        ({"port": 65536}, "'port' must be <= 65535"),
        ({"host": 5}, "spec.config.host: must be a text"),
        ({"host": "a,b"}, "spec.config: host must be a host's name or address"),
        ({"host": "/run/postgresql"}, "spec.config: host must be a host's name or address"),
        ({"adminSecretRef": "shared-admin"}, "spec.config.adminSecretRef: must be a mapping of keys to values"),
        ({"adminSecretRef": {}}, "spec.config.adminSecretRef.name: is missing"),
        (
            {"tls": {"mode": "prefer"}},
            "spec.config.tls.mode: must be one of verify-full, verify-ca, require, disable",
        ),
    ],
)
def test_a_wrong_block_is_refused_with_the_path_of_what_is_wrong(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        structure_config(existing.Config, {**BLOCK, **change})
    assert sentence in caught.value.message
    assert caught.value.message.startswith("spec.config")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidSpec) as caught:
        structure_config(existing.Config, {"host": "a", "port": "x", "colour": "red"})
    assert caught.value.message.count("spec.config.") == 3


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"password": "hunter2"}, "spec.config.password"),
        ({"adminPassword": "hunter2"}, "spec.config.adminPassword"),
        ({"tls": {"privateKey": "hunter2"}}, "spec.config.tls.privateKey"),
        ({"hosts": ["postgres://admin:hunter2@pg/db"]}, "spec.config.hosts[0]"),
        ({"host": "host=pg password=hunter2"}, "spec.config.host"),
    ],
)
def test_a_password_in_the_block_is_refused_without_repeating_it(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        structure_config(existing.Config, {**BLOCK, **change})
    assert caught.value.message.startswith(f"{path}: a secret does not belong here")
    assert "hunter2" not in str(caught.value)


# --- the server --------------------------------------------------------------------------------------------------


def test_the_server_is_where_the_block_says_and_its_version_is_left_to_the_engine() -> None:
    server = existing.provider_observe(session(Secrets()), REF)
    assert server.ready
    assert server.endpoint is not None
    assert (server.endpoint.host, server.endpoint.port) == ("pg.example.internal", 5432)
    assert server.endpoint.tls.mode is TLSMode.VERIFY_FULL
    assert (server.version, server.client_endpoint, server.findings) == (None, None, ())


def test_applications_get_the_client_endpoint_with_the_same_protection() -> None:
    pem = certificate()
    opened = session(
        Secrets(shared_ca={"ca.crt": pem}), tls=ca_ref(), clientEndpoint={"host": "pooler.internal", "port": 6432}
    )
    server = existing.provider_observe(opened, REF)
    assert server.client_endpoint is not None
    assert server.endpoint is not None
    assert (server.client_endpoint.host, server.client_endpoint.port) == ("pooler.internal", 6432)
    assert server.client_endpoint.tls == server.endpoint.tls


def test_only_the_certificates_of_the_ca_secret_are_copied() -> None:
    first, second = certificate(), certificate()
    key = "-----BEGIN PRIVATE KEY-----\nbm90IGZvciB5b3U=\n-----END PRIVATE KEY-----\n"
    opened = session(Secrets(shared_ca={"ca.crt": f"# mine\n{first}{key}{second}"}), tls=ca_ref())
    endpoint = existing.provider_observe(opened, REF).endpoint
    assert endpoint is not None
    assert endpoint.tls.ca == first + second


@pytest.mark.parametrize(
    "text",
    ["(PEM)", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA"],
)
def test_a_broken_ca_is_refused_with_its_place_and_the_way_out(text: str) -> None:
    with pytest.raises(InvalidSpec, match=r"Secret platform/shared-ca, key ca\.crt: .*; put the authority") as caught:
        existing.provider_observe(session(Secrets(shared_ca={"ca.crt": text}), tls=ca_ref()), REF)
    assert (caught.value.reason, caught.value.retry_after) == ("InvalidCA", 30.0)


def test_one_broken_certificate_among_good_ones_is_refused_too() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(InvalidSpec):
        certificates(certificate() + broken, "Secret a/b")


@pytest.mark.parametrize("mode", ["verify-ca", "require", "disable"])
def test_a_lower_tls_mode_is_a_finding(mode: str) -> None:
    opened = session(Secrets(shared_ca={"ca.crt": certificate()}), tls=ca_ref(mode))
    (finding,) = existing.provider_observe(opened, REF).findings
    assert finding.reason == "InsecureTLS"
    assert mode in finding.message


@pytest.mark.parametrize("mode", ["require", "disable"])
def test_a_mode_that_checks_nothing_gets_no_ca(mode: str) -> None:
    endpoint = existing.provider_observe(session(Secrets(), tls=ca_ref(mode)), REF).endpoint
    assert endpoint is not None
    assert endpoint.tls.ca is None


# --- the admin login ---------------------------------------------------------------------------------------------


def test_the_admin_login_is_read_live_at_each_call() -> None:
    secrets = Secrets(shared_admin={"username": "admin", "password": "one"})
    opened = session(secrets)
    assert existing.provider_credentials(opened, REF).password == "one"
    secrets.held["shared-admin"] = {"username": "admin", "password": "two"}
    assert existing.provider_credentials(opened, REF).password == "two"


def test_the_keys_of_the_admin_login_can_be_named() -> None:
    secrets = Secrets(shared_admin={"user": "admin", "pass": "x"})
    opened = session(secrets, adminSecretRef={"name": "shared-admin", "usernameKey": "user", "passwordKey": "pass"})
    assert existing.provider_credentials(opened, REF).username == "admin"


@pytest.mark.parametrize("missing", ["username", "password"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_a_missing_key_names_the_secret_and_the_key(missing: str, how: str) -> None:
    held = {"username": "admin", "password": "hunter2"}
    held[missing] = ""
    if how == "absent":
        del held[missing]
    with pytest.raises(Terminal) as caught:
        existing.provider_credentials(session(Secrets(shared_admin=held)), REF)
    assert caught.value.message.startswith(f"Secret platform/shared-admin has no value under the key '{missing}'")
    assert (caught.value.reason, caught.value.retry_after) == ("SecretKeyMissing", 30.0)
    assert "hunter2" not in str(caught.value)


def test_a_missing_secret_is_what_the_reader_says() -> None:
    with pytest.raises(NotReady, match="platform/shared-admin does not exist"):
        existing.provider_credentials(session(Secrets()), REF)


# --- plan and apply ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("desired", [None, ServerSpec(REF, "postgres", version="18", size="large")])
def test_nothing_is_ever_planned_so_that_deleting_never_touches_the_host(desired: ServerSpec | None) -> None:
    provider = loaded()
    observed = provider.observe(session(Secrets()), REF)
    assert provider.plan(desired, observed) == ()
    assert provider.plan(desired, None) == ()


def test_an_action_that_was_not_planned_here_is_refused() -> None:
    with pytest.raises(Terminal, match="server platform/shared exists on its own"):
        loaded().apply(session(Secrets()), REF, Action("delete", "test"))


def test_no_repr_shows_a_password() -> None:
    opened = session(Secrets(shared_admin={"username": "admin", "password": "hunter2"}))
    assert "hunter2" not in repr((opened, existing.provider_credentials(opened, REF)))
