# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run over a fleet leaves of each cluster, as the report reads it: its parts, and a small fleet with everything
in it. Some names and messages are those of somebody who means harm."""

from __future__ import annotations

import typing as t

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>{{ 7 * 7 }}{% raw "
    "%}'\"&"
)
OLD, NEW, OTHER = (f"sha256:{letter * 64}" for letter in "abc")


def tag(name: str, **fields: t.Any) -> dict[str, t.Any]:
    """Return a tag as cluster_drift returns it."""
    return {
        "name": name,
        "from": f"registry.example.com:5000/team/{name}",
        "import_mode": "Legacy",
        "reference_policy": "Source",
        "scheduled": False,
        "insecure": False,
        "digest": OLD,
        "previous_digest": OLD,
        "media_type": None,
        "manifests": [],
        "changed": False,
        "reasons": [],
        "error": None,
        "platforms": {"offered": ["linux/amd64", "linux/arm64"], "taken": ["linux/amd64"], "single": False},
        **fields,
    }


def change(
    number: int,
    kind: str,
    namespace: str,
    name: str,
    before: t.Any,
    after: t.Any,
    *reasons: str,
    tag_name: str | None = None,
) -> dict[str, t.Any]:
    """Return a change as cluster_drift returns it."""
    return {
        "id": f"{number:016x}",
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "tag": tag_name,
        "reasons": list(reasons),
        "before": before,
        "after": after,
    }


def view(**fields: t.Any) -> dict[str, t.Any]:
    """Return a tag before or after a change."""
    return {
        "from": "registry.example.com:5000/team/web:v1",
        "image": OLD,
        "reference_policy": "Source",
        "scheduled": False,
        "insecure": False,
        **fields,
    }


def failure(**fields: t.Any) -> dict[str, t.Any]:
    """Return a failure as cluster_drift returns it."""
    empty = dict.fromkeys(("namespace", "tag", "from", "reason", "remedy"))
    return {**empty, "kind": "tag", "name": "", "message": "", **fields}


def unknown(kind: str, namespace: str, name: str, tag_name: str | None, reason: str, message: str) -> dict[str, t.Any]:
    """Return what nobody knows the state of, as cluster_drift returns it."""
    return {"kind": kind, "namespace": namespace, "name": name, "tag": tag_name, "reason": reason, "message": message}


def part(cluster: str, compared: t.Sequence[dict[str, t.Any]] = (), **fields: t.Any) -> dict[str, t.Any]:
    """Return the result of a cluster."""
    run = {"collection_version": "1.0.0", "inventory": ["/srv/fleet/clusters.yml"]}
    form = {
        "format": "quayside.openshift_images/drift-part",
        "cluster": cluster,
        "upstream": True,
        "compared": list(compared),
        "errors": [],
        "run": run,
    }
    return {**form, **fields}


def compared(**fields: t.Any) -> dict[str, t.Any]:
    """Return the result of one batch; what is compared is counted, unless ``counts`` says otherwise."""
    lists = {
        name: []
        for name in (
            "secrets",
            "links",
            "streams",
            "changes",
            "failures",
            "held_back",
            "unknown",
            "notices",
            "warnings",
        )
    }
    found = {"host": "https://api.harbour.example.com:6443", **lists, **fields}
    counts = {kind: len(found[kind]) for kind in ("secrets", "links", "streams")}
    counts["tags"] = sum(len(stream["tags"]) for stream in found["streams"])
    return {**found, "counts": {**counts, **fields.get("counts", {})}}


def stream(namespace: str, name: str, *tags: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a stream as cluster_drift returns it."""
    return {
        "namespace": namespace,
        "name": name,
        "state": "present",
        "lookup_policy_local": False,
        "changed": any(one["changed"] for one in tags),
        "tags": list(tags),
        "gone_upstream": [],
        "error": None,
    }


def drifted() -> dict[str, t.Any]:
    """Return a cluster with drift of every kind."""
    moved = tag("v1", changed=True, reasons=["upstream_moved"], digest=NEW)
    other = {"offered": ["linux/amd64", "linux/s390x"], "taken": ["linux/arm64"], "single": False}
    tags = [
        tag(f"v{number}", import_mode="PreserveOriginal", platforms={**other, "taken": None}) for number in range(2, 12)
    ]
    refused = tag(
        "private",
        digest=None,
        previous_digest=None,
        error="Unauthorized: no",
        reasons=["never_imported"],
        platforms=None,
    )
    secret_facts = {"managed_by": "Argo CD"}
    single = tag("single", platforms={"offered": ["amd64"], "taken": ["amd64"], "single": True})
    credential = {
        "registry": "registry.example.com:5000",
        "state": "present",
        "username": "puller",
        "changed": True,
        "reasons": ["password_changed"],
    }
    secret = {
        "namespace": "shop",
        "name": "registry",
        "state": "present",
        "type": "kubernetes.io/dockerconfigjson",
        "registries": [credential],
    }
    pulls = {
        "for": "pull",
        "secrets": ["registry"],
        "added": ["registry"],
        "removed": [],
        "changed": True,
        "reasons": ["link_missing"],
    }
    link = {"namespace": "shop", "name": "default", "lists": [pulls]}
    return compared(
        secrets=[{**secret, **secret_facts, "changed": True, "reasons": ["registries_changed"], "error": None}],
        links=[{**link, "changed": True, "reasons": ["link_missing"], "error": None}],
        streams=[
            stream("shop", "web", moved, *tags),
            stream("shop", "odd", refused, single, tag("kept", platforms=other), tag("harm", **{"from": HOSTILE})),
        ],
        changes=[
            change(
                1,
                "secret",
                "shop",
                "registry",
                {"password": "(hidden)"},
                {"password": "(hidden, differs)"},
                "password_changed",
            ),
            change(
                2,
                "link",
                "shop",
                "default",
                {"imagePullSecrets": []},
                {"imagePullSecrets": ["registry"]},
                "link_missing",
            ),
            change(
                3,
                "stream",
                "shop",
                "web",
                {"lookup_policy_local": False},
                {"lookup_policy_local": True},
                "lookup_policy_changed",
            ),
            change(4, "tag", "shop", "web", view(), view(image=NEW), "upstream_moved", tag_name="v1"),
            change(6, "tag", "shop", "odd", view(), None, "not_listed", tag_name="old"),
            change(
                5,
                "tag",
                "shop",
                "odd",
                None,
                view(image="", import_failure="NotFound: no such tag"),
                "tag_missing",
                tag_name="harm",
            ),
        ],
        failures=[
            failure(
                namespace="shop",
                name="odd",
                tag="private",
                reason="Unauthorized",
                message=HOSTILE,
                remedy='The key "registry.example.com:5000" would match.',
                **{"from": "registry.example.com:5000/team/private"},
            )
        ],
        unknown=[
            unknown("tag", "shop", "odd", "private", "Unauthorized", HOSTILE),
            unknown("tag", "shop", "web", "v9", "credential_pending", "not written"),
        ],
        notices=[unknown("secret", "shop", "registry", None, "credential_expires", "The token expires on 2030-01-01.")],
        warnings=[HOSTILE],
    )


def moved(namespace: str, *names: str) -> dict[str, t.Any]:
    """Return a cluster on which one tag moved upstream, and where a stranger may not read the rest."""
    refused = [
        (
            kind,
            name,
            (
                f'Cannot read {resource}: "{name}" is forbidden: User "stranger" cannot get resource "{resource}" in '
                "API "
                'group "" in the namespace "shop"'
            ),
        )
        for kind, resource, name in (
            ("secret", "secrets", "registry"),
            ("link", "serviceaccounts", "default"),
            ("link", "serviceaccounts", "builder"),
        )
    ]
    return compared(
        streams=[
            stream(namespace, name, tag("stable", changed=True, reasons=["upstream_moved"], digest=NEW))
            for name in names
        ],
        changes=[
            change(9, "tag", namespace, name, view(), view(image=NEW), "upstream_moved", tag_name="stable")
            for name in names
        ],
        failures=[
            failure(kind=kind, namespace="shop", name=name, message=message, reason="Forbidden")
            for kind, name, message in refused
        ],
        unknown=[unknown(kind, "shop", name, None, "Forbidden", message) for kind, name, message in refused],
    )


def parts() -> list[dict[str, t.Any]]:
    """Clusters of every kind."""
    risk = {
        "namespace": "shop",
        "workload": {"kind": "Deployment", "namespace": "shop", "name": "web"},
        "platform": "linux/arm64",
        "level": "prunable",
        "at_risk": True,
        "why": "The list that holds it is older than the pruner keeps.",
        "safe_reference": f"registry.example.com:5000/team/web@{OLD}",
    }
    risks = {"risks": [risk], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 1}}
    done = drifted()
    unit = {
        **done,
        "failures": [],
        "changes": done["changes"][:4],
        "held_back": [{**done["changes"][3], "reasons": ["upstream_moved"]}],
    }
    unit.update(unknown=[], notices=[])
    correction = {
        **unit,
        "changes": done["changes"][:2],
        "failures": [failure(kind="stream", namespace="shop", name="web", message="the server said no")],
    }
    return [
        part("harbour", [drifted()], prune_risks=risks),
        part("calm", [compared(streams=[stream("shop", "web", tag("v1"))])]),
        part(
            "deserted",
            errors=["Cannot read anything: the API server https://api.example.com:6443 refused the connection."],
        ),
        part("north", [moved("billing", "ledger")]),
        part("south", [moved("billing", "ledger", "invoices")]),
        part(
            "mended", [unit], correction=True, approved=[one["id"] for one in unit["changes"]], corrected=[correction]
        ),
        part(HOSTILE, [compared()]),
    ]
