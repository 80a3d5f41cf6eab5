# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets with registry credentials, for tests."""

from __future__ import annotations

import base64
import json
import typing as t

DATA_KEYS = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/podmanconfigjson": "auth.json",
    "Opaque": ".dockerconfigjson",
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def entry(username: str = "puller", password: str = "s3cret", **more: t.Any) -> dict[str, t.Any]:
    return {"auth": b64(f"{username}:{password}"), **more}


def content_of(document: t.Any, secret_type: str = "kubernetes.io/dockerconfigjson") -> dict[str, t.Any]:
    """Return the type and data of a secret. ``document`` is text as it is, or what becomes JSON."""
    text = document if isinstance(document, str) else json.dumps(document)
    return {"type": secret_type, "data": {DATA_KEYS[secret_type]: b64(text)}}


def auths(entries: dict[str, t.Any], **rest: t.Any) -> dict[str, t.Any]:
    return content_of({"auths": entries, **rest})


def named(name: str, content: dict[str, t.Any], annotations: dict[str, str] | None = None) -> dict[str, t.Any]:
    return {"metadata": {"name": name, "annotations": annotations or {}}, **content}


def document_of(secret: dict[str, t.Any]) -> t.Any:
    """Return the parsed content of a secret."""
    return json.loads(base64.b64decode(secret["data"][DATA_KEYS[secret["type"]]]))


def logins_of(secret: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    """User name and password of each registry, taken from auth as every consumer does."""
    document = document_of(secret)
    entries = document if secret["type"] == "kubernetes.io/dockercfg" else document["auths"]
    found = {}
    for key, value in entries.items():
        username, _colon, password = base64.b64decode(value["auth"]).decode().partition(":")
        found[key] = (username, password)
    return found
