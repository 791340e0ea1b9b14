"""Servers of Acme Cloud for dbclaims."""

from typing import Any

import attrs
import urllib3

from dbclaims.core import spi


@attrs.frozen
class Config:
    """`spec.config`; keys are camelCase in YAML. The token stands in a Secret, under the key `token`."""

    url: str
    token_secret_name: str


Session = tuple[Config, spi.SecretReader, urllib3.PoolManager]


@spi.hookimpl
def provider_info() -> spi.ProviderInfo:
    return spi.ProviderInfo("acme", config=Config, features=frozenset({spi.Feature.CREATE, spi.Feature.RESIZE}))


@spi.hookimpl
def provider_open(config: Config, secrets: spi.SecretReader) -> Session:
    return config, secrets, urllib3.PoolManager(timeout=9, retries=False)


@spi.hookimpl
def provider_observe(session: Session, ref: spi.ServerRef) -> spi.Server | None:
    if (body := call(session, "GET", ref)) is None:
        return None
    if body["owner"] != ref.owner:
        raise spi.NotOwned(f"Acme server {ref.name} belongs to somebody else; choose another name")
    endpoint = spi.Endpoint(body["host"], body["port"]) if body["state"] == "running" else None
    return spi.Server(ref, body["engine"], body["version"], body["size"], endpoint is not None, endpoint)


@spi.hookimpl
def provider_plan(desired: spi.ServerSpec | None, observed: spi.Server | None) -> spi.Plan:
    if desired is None:
        return (spi.Action("delete", "no longer wished"),) if observed else ()
    if observed is None:
        return (spi.Action("create", "is not there", attrs.asdict(desired)),)
    if desired.size in (None, observed.size):
        return ()
    return (spi.Action("resize", f"{observed.size} -> {desired.size}", {"size": desired.size}, disruptive=True),)


@spi.hookimpl
def provider_apply(session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
    call(session, {"create": "PUT", "resize": "PATCH", "delete": "DELETE"}[action.verb], ref, action.args)


def call(session: Session, verb: str, ref: spi.ServerRef, body: object = None) -> Any:
    config, secrets, http = session
    headers = {"Authorization": f"Bearer {secrets(config.token_secret_name).get('token')}"}
    try:
        answer = http.request(verb, f"{config.url}/servers/{ref.namespace}.{ref.name}", json=body, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise spi.Unreachable(f"Acme Cloud cannot be reached for {verb} {ref.name}: {error}") from error
    if answer.status >= 400 and answer.status != 404:
        kind = spi.Transient if answer.status == 429 or answer.status >= 500 else spi.Refused
        raise kind(f"Acme Cloud answers {verb} {ref.name} with {answer.status}; its console says why")
    return None if answer.status == 404 else answer.json()
