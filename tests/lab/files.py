# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that describe a lab to whoever uses it: a kubeconfig, and an environment file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import yaml
from registries.certificates import write_private
from registries.client import RegistryAddress

from .kubernetes_api import ApiAccess

ADMIN = "admin"


def write_kubeconfig(path: Path, access: ApiAccess, tokens: Mapping[str, str], namespace: str) -> None:
    """One context for each user of ``tokens``, named like the user; ``admin`` is the current one."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": access.host, "certificate-authority": str(access.ca_file)}}],
        "users": [{"name": user, "user": {"token": token}} for user, token in tokens.items()],
        "contexts": [
            {"name": user, "context": {"cluster": "lab", "user": user, "namespace": namespace}} for user in tokens
        ],
        "current-context": ADMIN,
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())


def lab_environment(
    access: ApiAccess,
    kubeconfig: Path,
    registries: Mapping[str, RegistryAddress],
    registry_ca: Path,
) -> dict[str, str]:
    """Return the variables that the collection and the integration suite read; the suite knows nothing else of a
    cluster."""
    private = registries["private"]
    return {
        "K8S_AUTH_HOST": access.host,
        "K8S_AUTH_API_KEY": access.token,
        "K8S_AUTH_SSL_CA_CERT": str(access.ca_file),
        "K8S_AUTH_VERIFY_SSL": "true",
        "KUBECONFIG": str(kubeconfig),
        "TEST_REGISTRY_PRIVATE": private.host,
        "TEST_REGISTRY_PLAIN": registries["plain"].host,
        "TEST_REGISTRY_SELFSIGNED": registries["selfsigned"].host,
        "TEST_REGISTRY_USER": private.username,
        "TEST_REGISTRY_PASSWORD": private.password,
        "TEST_REGISTRY_CA": str(registry_ca),
    }


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write a file for ``. lab.env``."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
    write_private(path, "".join(lines).encode())
