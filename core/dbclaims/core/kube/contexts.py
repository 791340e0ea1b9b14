"""A kubeconfig as kubectl reads it: several files become one, and one context is chosen from it.

For `kubectl claims`, which must answer within a tenth of a second: the `kubernetes` package, attrs and urllib3 cost
more than that to import, so this file and `dbclaims.core.kube.access` stand on the standard library and PyYAML alone.
Rules of merging: Kubernetes, "Organizing Cluster Access Using kubeconfig Files" (the first file to say something wins).

```
ContextError   no kubeconfig, or nothing in it of that name; the message says which file and what to do
```
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Entry = dict[str, Any]

_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
"""Fields that name files, relative to the kubeconfig that they stand in."""


class ContextError(Exception):
    """The kubeconfig cannot be used."""


class Context(NamedTuple):
    """One context: its cluster's and its user's entries, paths made absolute."""

    name: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Context({self.name})"


class Choice(NamedTuple):
    """What kubectl's flags choose; empty: what the file says."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    user: str = ""


def chosen(choice: Choice, environ: Mapping[str, str] = os.environ) -> Context:
    """The context that the flags and the files name. Raises `ContextError`."""
    files = _files(choice.kubeconfig, environ)
    merged = _merged([_read(path) for path in files])
    name = choice.context or merged["current-context"]
    where = os.pathsep.join(map(str, files)) or "no kubeconfig"
    if not name and not (choice.cluster and choice.user):
        raise ContextError(f"{where}: no context is current; name one with --context")
    context = _entry(merged, "context", name, where) if name else {}
    cluster = _entry(merged, "cluster", choice.cluster or context.get("cluster", ""), where)
    user_name = choice.user or context.get("user", "")
    user = _entry(merged, "user", user_name, where) if user_name else {}
    return Context(name, context.get("namespace") or "default", cluster, user)


def context_names(choice: Choice, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Every context's name, for completion. Raises `ContextError`."""
    return sorted(_merged([_read(path) for path in _files(choice.kubeconfig, environ)])["context"])


def _files(named: str, environ: Mapping[str, str]) -> list[Path]:
    """The files to read; one that was named must be there, of those in KUBECONFIG the absent are passed by."""
    if named:
        return [Path(named)]
    listed = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    home = Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"
    return [path for path in listed or [home] if path.exists()]


def _read(path: Path) -> Entry:
    # Only here: its import costs as much as an answer of the API server, and a pod's account needs none.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_bytes(), loader)  # noqa: S506 -- both are safe loaders
    except (OSError, yaml.YAMLError) as error:
        raise ContextError(f"{path} cannot be used: {error}; name another with --kubeconfig") from error
    if not isinstance(content, dict):
        raise ContextError(f"{path} is no kubeconfig; name another with --kubeconfig")
    return {**content, "folder": path.parent.absolute()}


def _merged(files: list[Entry]) -> dict[str, Any]:
    merged: dict[str, Any] = {"context": {}, "cluster": {}, "user": {}, "current-context": ""}
    for content in files:
        merged["current-context"] = merged["current-context"] or content.get("current-context") or ""
        for kind in ("context", "cluster", "user"):
            for name, entry in _named(content, kind):
                merged[kind].setdefault(name, entry)
    return merged


def _named(content: Entry, kind: str) -> Iterator[tuple[str, Entry]]:
    """The entries of a file; what is malformed is passed by, as if it were not there."""
    for each in content.get(f"{kind}s") or ():
        if isinstance(each, dict) and isinstance(each.get(kind), dict):
            yield str(each.get("name")), _absolute(each[kind], content["folder"])


def _absolute(entry: Entry, folder: Path) -> Entry:
    paths = {key: str(folder / str(entry[key])) for key in _PATHS if entry.get(key)}
    return {**entry, **paths, "folder": folder}


def _entry(merged: dict[str, Any], kind: str, name: str, where: str) -> Entry:
    found: Entry | None = merged[kind].get(name)
    if found is None:
        known = ", ".join(sorted(merged[kind])) or "none"
        raise ContextError(f'{where} has no {kind} "{name}"; it has: {known}')
    return found
