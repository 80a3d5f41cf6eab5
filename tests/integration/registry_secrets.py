# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets with registry credentials, as somebody else made them."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Mapping

from .cluster import Document

DATA_KEYS = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/podmanconfigjson": "auth.json"}


def auth(username: str, password: str) -> str:
    """Return what an auth file has for a user."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def entry(username: str, password: str) -> dict[str, str]:
    """Return what an auth file has for a registry."""
    return {"auth": auth(username, password)}


def registry_secret(
    name: str, auths: Mapping[str, Mapping[str, str]], kind: str = "kubernetes.io/dockerconfigjson"
) -> Document:
    """Return a secret with these entries."""
    return secret_with(name, auths if kind.endswith("dockercfg") else {"auths": auths}, kind)


def secret_with(name: str, document: t.Any, kind: str = "kubernetes.io/dockerconfigjson") -> Document:
    """Return a secret with any document where the registries are."""
    data = base64.b64encode(json.dumps(document).encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": kind,
        "data": {DATA_KEYS.get(kind, ".dockerconfigjson"): data},
    }


def forms(*passwords: str) -> list[str]:
    """Return the passwords, and what base64 makes of them: none of it may be in any output."""
    return [form for password in passwords for form in (password, base64.b64encode(password.encode()).decode())]
