# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of the samples operator and its image streams, as the API server returns them."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]

NAMESPACE = "openshift"
STREAMS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreams"
IMPORTS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreamimports"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
DIGEST = "sha256:" + "1" * 64


def config(spec: Json, status: Json | None = None, version: str = "1", **conditions: tuple[str, str, str]) -> Json:
    """Return the operator's configuration: ``status`` are the fields that it repeats, a condition is status, reason and
    message."""
    known = {"SamplesExist": ("True", "", ""), "ImageChangesInProgress": ("False", "", ""), **conditions}
    entries = [
        {"type": name, "status": state, "reason": reason, "message": message}
        for name, (state, reason, message) in known.items()
    ]
    return {
        "metadata": {"name": "cluster", "resourceVersion": version},
        "spec": {"managementState": "Managed", **spec},
        "status": {"managementState": "Managed", **(status or {}), "conditions": entries, "version": "4.0"},
    }


def tag(name: str, *, source: str = "", pending: bool = False, reason: str = "") -> tuple[Json, Json]:
    """Return a tag of a stream, in its spec and in its status: imported, waiting for its import, or failed for
    ``reason``."""
    spec: Json = {
        "name": name,
        "from": {"kind": "DockerImage", "name": source or f"a.example.com/samples/image:{name}"},
        "generation": 2,
        "importPolicy": {"importMode": "Legacy"},
        "referencePolicy": {"type": "Local"},
    }
    status: Json = {"tag": name, "items": None}
    if reason:
        failure = {
            "type": "ImportSuccess",
            "status": "False",
            "reason": reason,
            "message": f"said the registry of {name}",
            "generation": 2,
        }
        status["conditions"] = [failure]
    else:
        item = {
            "image": DIGEST,
            "dockerImageReference": f"a.example.com/samples/image@{DIGEST}",
            "generation": 1 if pending else 2,
        }
        status["items"] = [item]
    return spec, status


def stream(name: str, *tags: tuple[Json, Json]) -> Json:
    """Return an image stream of the namespace of the samples."""
    statuses = [status for _spec, status in tags if status]
    return {
        "kind": "ImageStream",
        "metadata": {"name": name, "namespace": NAMESPACE, "resourceVersion": "10"},
        "spec": {"lookupPolicy": {"local": False}, "tags": [spec for spec, _status in tags]},
        "status": {"tags": statuses},
    }
