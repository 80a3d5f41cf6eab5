# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the import engine share: recorded answers of a real API server, and declared streams."""

from __future__ import annotations

import copy
import json
import re
import typing as t
from pathlib import Path

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import (
    Answer,
    error_of,
    target_of,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiError
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    DesiredStream,
    desired_streams,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    parse_stream,
)

CASES = Path(__file__).parents[3] / "contract" / "cases"
NAMESPACE = "shop"
REGISTRIES = {
    "private": "registry.example.com:5000",
    "plain": "plain.example.com:5001",
    "selfsigned": "selfsigned.example.com:5002",
    "hub": "hub.example.com:5003",
}
PRIVATE, PLAIN, HUB = REGISTRIES["private"], REGISTRIES["plain"], REGISTRIES["hub"]

# Images of tests/contract/registry.json.
WEB_V1_LIST = "sha256:1c02021e4825639aafea04c96f6d0416c9c3260acabfcb384ee9a3dddb1493d1"
WEB_V1_AMD64 = "sha256:ad8447f58e134fde34462e027974a8332b14da44d4444cc4987fdc4c99954842"
WEB_V1_ARM64 = "sha256:8a95d54f689eab45199b4aca439e9c557b9d5af6a79954f663232c3e7cc093d3"
WEB_V2 = "sha256:ffb105ccf038c9f5e2a289fbdd377ad5eb1d514e4aecc9b0f0e81fde6ca0f86a"

IMPORTS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreamimports"
STREAMS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreams"
TAGS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreamtags"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"

_CONNECTION = Connection("https://api.example.com:6443", token="of-the-test", credential_origin="the option api_key")


def recorded(case: str, step: int) -> t.Any:
    """Return the body of a recorded answer, with this module's names in the place of the tokens."""
    return filled(_steps(case)[step]["response"]["body"])


def recorded_error(case: str, step: int) -> ApiError:
    """Return a recorded error answer as the client raises it."""
    recording = _steps(case)[step]
    request, response = recording["request"], recording["response"]
    return refusal(request["method"], filled(request["path"]), response["code"], filled(response["body"]))


def refusal(method: str, path: str, code: int, body: t.Any) -> ApiError:
    """Return the client's error for an answer of the API server; a text as ``body`` is an answer that is no JSON."""
    data = body if isinstance(body, dict) else None
    answer = Answer(code, "application/json" if data else "text/plain", "" if data else str(body), data)
    return error_of(answer, target_of(method, path), _CONNECTION, path)


def conflict(name: str = "web") -> ApiError:
    """Return the refusal of a write that somebody else's write overtook."""
    body = copy.deepcopy(filled(_steps("resource_version_conflict")[4]["response"]["body"]))
    return refusal("POST", f"{STREAMS}/{name}", 409, body)


def forbidden(method: str, path: str) -> ApiError:
    """Return the refusal of a request that the caller has no right to."""
    target = target_of(method, path)
    message = (
        f'{target.resource} is forbidden: User "dev" cannot {target.verb} resource "{target.plural}" in the namespace '
        f'"{target.namespace}"'
    )
    return refusal(
        method,
        path,
        403,
        {"kind": "Status", "status": "Failure", "reason": "Forbidden", "message": message, "code": 403},
    )


def observed(case: str, step: int) -> ObservedStream:
    """Return a recorded stream, read or found in an import's answer, as the engine sees it."""
    body = recorded(case, step)
    return parse_stream(NAMESPACE, body if body["kind"] == "ImageStream" else body["status"]["import"])


def recorded_stream(case: str, step: int) -> dict[str, t.Any]:
    """Return the stream object of a recorded answer to a read or an import."""
    body = recorded(case, step)
    stream: dict[str, t.Any] = body if body["kind"] == "ImageStream" else body["status"]["import"]
    return stream


def desired(**options: t.Any) -> DesiredStream:
    """Return the one stream that the options of a task declare; namespace and name are filled in."""
    (stream,) = desired_streams({"namespace": NAMESPACE, "name": "web", **options})
    return stream


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    """Return an entry of the option ``tags``."""
    return {"name": name, "from": source, **options}


def _steps(case: str) -> list[dict[str, t.Any]]:
    file = CASES / f"{case}.json"
    steps: list[dict[str, t.Any]] = json.loads(file.read_text(encoding="utf-8"))["steps"]
    return steps


def filled(value: t.Any) -> t.Any:
    """Return recorded JSON with this module's names in the place of the tokens."""
    text = json.dumps(value)
    for name, host in REGISTRIES.items():
        text = text.replace("{" + name + "}", host)
    text = text.replace("{ns}", NAMESPACE).replace("<time>", "2026-01-01T00:00:00Z").replace("<uid>", "0-0-0")
    return json.loads(re.sub(r"<rv:(\d+)>", r"\1", text))
