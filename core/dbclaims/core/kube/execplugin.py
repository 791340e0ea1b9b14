"""Credentials from a program that the kubeconfig names, such as a cloud's (client.authentication.k8s.io).

What it answers is kept for the life of this process and never written down. Its stderr goes to the terminal, for it
may say how to log in.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from .contexts import ContextError

_PATIENCE = 60.0
"""Seconds: some open a browser."""


def credential(user: Mapping[str, Any], cluster: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Run the user's program; return its credential under a kubeconfig's own keys. Raises `ContextError`."""
    block: Mapping[str, Any] = user["exec"]
    command = [_program(block, user), *map(str, block.get("args") or ())]
    given = {str(each["name"]): str(each["value"]) for each in block.get("env") or ()}
    environment = {**environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(_request(block, cluster))}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=_PATIENCE, check=True)
        status = json.loads(done.stdout)["status"]
    except FileNotFoundError as error:
        hint = str(block.get("installHint") or "install it, or correct the kubeconfig").strip()
        raise ContextError(f"the login program {command[0]} is not there; {hint}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise ContextError(f"the login program {command[0]} failed; run it by hand to see why") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ContextError(f"the login program {command[0]} gave no ExecCredential with a status") from error
    return _as_user(status if isinstance(status, dict) else {})


def _program(block: Mapping[str, Any], user: Mapping[str, Any]) -> str:
    """A path with a slash counts from the kubeconfig's folder, a bare name from PATH."""
    program = str(block.get("command") or "")
    if not program:
        raise ContextError("the kubeconfig's exec block names no command; correct it")
    return str(user["folder"] / program) if os.sep in program else program


def _request(block: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What the program is told. The cluster only where the kubeconfig asks for that (`provideClusterInfo`)."""
    spec: dict[str, Any] = {"interactive": sys.stdin.isatty() and block.get("interactiveMode") != "Never"}
    if block.get("provideClusterInfo"):
        known = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {key: cluster[key] for key in known if cluster.get(key)}
    version = str(block.get("apiVersion") or "client.authentication.k8s.io/v1")
    return {"apiVersion": version, "kind": "ExecCredential", "spec": spec}


def _as_user(status: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"token": status.get("token")}
    for ours, theirs in (
        ("client-certificate-data", "clientCertificateData"),
        ("client-key-data", "clientKeyData"),
    ):
        if pem := status.get(theirs):
            found[ours] = base64.b64encode(str(pem).encode()).decode()
    return found
