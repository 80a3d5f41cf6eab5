# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet on the picture in the README: six clusters with the drift of an ordinary night."""

from __future__ import annotations

import hashlib
import typing as t

from .results import change, compared, failure, part, stream, tag, unknown, view

REGISTRY = "registry.example.com:5000"
CLUSTERS = ("harbour", "lagoon", "jetty", "mole", "quay", "wharf")


def pictured_parts() -> list[dict[str, t.Any]]:
    """Return the results of the six clusters."""
    return [_part(name) for name in CLUSTERS]


def _digest(*words: str) -> str:
    return f"sha256:{hashlib.sha256('/'.join(words).encode()).hexdigest()}"


def _tag(stream_name: str, name: str, **fields: t.Any) -> dict[str, t.Any]:
    digest = _digest(stream_name, name)
    mode = {"import_mode": "PreserveOriginal", "scheduled": True}
    return tag(
        name,
        **{"from": f"{REGISTRY}/{stream_name}:{name}", **mode, "digest": digest, "previous_digest": digest, **fields},
    )


def _part(name: str) -> dict[str, t.Any]:
    changes, failures, unknowns = [], [], []
    moved = name in {"harbour", "jetty", "quay"}
    stable = _tag("billing/ledger", "stable")
    if moved:
        served = _digest("billing/ledger", "stable", "moved")
        before, after = (
            view(**{"from": stable["from"], "image": image, "scheduled": True}) for image in (stable["digest"], served)
        )
        changes.append(change(1, "tag", "billing", "ledger", before, after, "upstream_moved", tag_name="stable"))
        stable |= {"digest": served, "changed": True, "reasons": ["upstream_moved"]}
    web = _tag("payments/web", "v2")
    if name in {"jetty", "lagoon"}:
        child = _digest("payments/web", "v2", "linux/amd64")
        before, after = (
            view(**{"from": web["from"], "image": image, "import_mode": mode, "scheduled": True})
            for image, mode in ((child, "Legacy"), (web["digest"], "PreserveOriginal"))
        )
        changes.append(change(2, "tag", "payments", "web", before, after, "import_mode_changed", tag_name="v2"))
        web |= {"previous_digest": child, "changed": True, "reasons": ["import_mode_changed"]}
    if name == "mole":
        message = f'you may not have access to the container image "{REGISTRY}/payments/web:v2"'
        where = {"namespace": "payments", "name": "web", "tag": "v2", "from": web["from"]}
        remedy = (
            "The API server uses the key "
            f'"{REGISTRY}" of the secret "registry", and the registry refused it: correct that credential.'
        )
        failures.append(failure(**where, reason="Unauthorized", message=message, remedy=remedy))
        unknowns.append(unknown("tag", "payments", "web", "v2", "Unauthorized", message))
    streams = [
        stream("billing", "ledger", stable, _tag("billing/ledger", "v1")),
        stream("payments", "web", _tag("payments/web", "v1"), web),
    ]
    host = f"https://api.{name}.example.com:6443"
    return part(name, [compared(host=host, streams=streams, changes=changes, failures=failures, unknown=unknowns)])
