# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenes for the tests of prune risks: streams with lists in their histories, workloads, and a cluster with both."""

from __future__ import annotations

import datetime as dt
import hashlib
import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import Target
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.kinds import WORKLOAD_KINDS
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import (
    Object,
    StoredCluster,
    missing,
)

NOW = dt.datetime(2026, 5, 4, 12, 0, 0, tzinfo=dt.timezone.utc)
REGISTRY = "image-registry.openshift-image-registry.svc:5000"
SOURCE = "registry.example.com/team/web"
# Kinds that only clusters with the component have.
NOT_SERVED = {"deploymentconfigs", "buildconfigs", "builds"}


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def ago(minutes: float) -> str:
    return (NOW - dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def child(of: str, architecture: str = "amd64") -> str:
    """Return the digest of a list's child."""
    return digest(f"{of}/{architecture}")


def tag(
    name: str, *images: str, source: str = f"{SOURCE}:v1", minutes: float = 600, **spec: t.Any
) -> tuple[Object, Object]:
    """Spec and status of a tag whose history has the ``images`` (digests), newest first, each older by a minute."""
    repository = source.partition("@")[0].rpartition(":")[0] if "@" not in source else source.partition("@")[0]
    items = [
        {
            "created": ago(minutes + index),
            "dockerImageReference": f"{repository}@{image}",
            "image": image,
            "generation": 1,
        }
        for index, image in enumerate(images)
    ]
    return {
        "name": name,
        "from": {"kind": "DockerImage", "name": source},
        "referencePolicy": {"type": "Source"},
        **spec,
    }, {"tag": name, "items": items}


def stream(namespace: str, name: str, *tags: tuple[Object, Object], minutes: float = 6000, public: str = "") -> Object:
    """Return an ImageStream object."""
    status: Object = {
        "dockerImageRepository": f"{REGISTRY}/{namespace}/{name}",
        "tags": [entry for _spec, entry in tags],
    }
    if public:
        status["publicDockerImageRepository"] = f"{public}/{namespace}/{name}"
    return {
        "metadata": {"namespace": namespace, "name": name, "creationTimestamp": ago(minutes)},
        "spec": {"tags": [spec for spec, _entry in tags]},
        "status": status,
    }


def workload(namespace: str, name: str, *, owner: tuple[str, str] | None = None, **rest: t.Any) -> Object:
    """Return an object with metadata and whatever else is given."""
    metadata: Object = {"namespace": namespace, "name": name}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True, "uid": "1"}]
    return {"metadata": metadata, **rest}


def containers(*images: str) -> Object:
    """Return a pod spec with a container for each image: c0, c1, ..."""
    return {"containers": [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]}


def templated(*images: str) -> Object:
    """Return the spec of a Deployment and its like."""
    return {"template": {"spec": containers(*images)}}


def prune_cluster() -> StoredCluster:
    """Return a cluster that serves streams and workloads, but none of NOT_SERVED and no projects. What is in a list is
    told by the API for images of streams and their layers."""
    cluster = StoredCluster()
    cluster.serve("imagestreams", *({kind.plural for kind in WORKLOAD_KINDS} - NOT_SERVED))

    def image(target: Target) -> Object:
        name = str(target.name).partition("@")[2]
        return {"image": cluster.objects.get(("images", "", name), {"metadata": {"name": name}})}

    def layers(target: Target) -> Object:
        images: Object = {}
        found = cluster.objects.get(("imagestreams", str(target.namespace), str(target.name)))
        if found is None:
            raise missing("imagestreams", str(target.name))
        for item in (item for entry in found["status"]["tags"] for item in entry["items"]):
            images[item["image"]] = {"imageMissing": False, "layers": None}
            if ("images", "", item["image"]) in cluster.objects:
                manifests = cluster.objects["images", "", item["image"]]["dockerImageManifests"]
                children = [manifest["digest"] for manifest in manifests]
                images[item["image"]]["manifests"] = children
                images.update({one: {"imageMissing": False, "layers": []} for one in children})
        return {"images": images}

    cluster.computed = {"imagestreamimages": image, "imagestreams/layers": layers}
    return cluster


def add_list(cluster: StoredCluster, name: str, *architectures: str) -> str:
    """Store a manifest list, by a name for its digest; return the digest."""
    manifests = [
        {"digest": child(name, architecture), "os": "linux", "architecture": architecture}
        for architecture in architectures or ("amd64", "arm64")
    ]
    cluster.put_in("images", "", digest(name), dockerImageManifests=manifests)
    return digest(name)
