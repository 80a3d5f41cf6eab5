# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenes for the tests of prune risks: streams with lists in their histories, workloads, and a cluster that only
reads."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import target_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiNotServed,
    CollectionError,
    Forbidden,
    NotFound,
)

Object = dict[str, t.Any]

NOW = dt.datetime(2026, 5, 4, 12, 0, 0, tzinfo=dt.timezone.utc)
REGISTRY = "image-registry.openshift-image-registry.svc:5000"
SOURCE = "registry.example.com/team/web"


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def ago(minutes: float) -> str:
    return (NOW - dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def child(of: str, architecture: str = "amd64") -> str:
    """The digest of a list's child."""
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
    """An ImageStream object."""
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
    """An object with metadata and whatever else is given."""
    metadata: Object = {"namespace": namespace, "name": name}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True, "uid": "1"}]
    return {"metadata": metadata, **rest}


def containers(*images: str) -> Object:
    """A pod spec with a container for each image: c0, c1, ..."""
    return {"containers": [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]}


def templated(*images: str) -> Object:
    """The spec of a Deployment and its like."""
    return {"template": {"spec": containers(*images)}}


class PruneApi:
    """A cluster that answers lists and reads, and remembers what it was asked.

    ``objects`` are by namespace and plural; ``lists`` maps each digest of a manifest list to its children by
    platform; ``errors`` are raised for a plural, or for namespace and plural; ``projects`` are those of the caller,
    None: not served.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], list[Object]] = {}
        self.namespaces: set[str] = set()
        self.lists: dict[str, dict[str, str]] = {}
        self.errors: dict[str | tuple[str, str], CollectionError] = {}
        self.projects: list[str] | None = None
        self.sent: list[str] = []
        self.queries: dict[str, t.Mapping[str, str] | None] = {}
        self._lock = threading.Lock()
        for plural in ("deploymentconfigs", "buildconfigs", "builds"):
            self.errors[plural] = ApiNotServed("this cluster does not serve it", status=404)

    def add(self, plural: str, *objects: Object) -> None:
        for one in objects:
            namespace = one["metadata"]["namespace"]
            self.namespaces.add(namespace)
            self.objects.setdefault((namespace, plural), []).append(one)

    def add_list(self, name: str, *architectures: str) -> str:
        """A manifest list, by a name for its digest; returns the digest."""
        self.lists[digest(name)] = {
            f"linux/{architecture}": child(name, architecture) for architecture in architectures or ("amd64", "arm64")
        }
        return digest(name)

    def forbid(self, plural: str, namespace: str | None = None) -> None:
        error = Forbidden(f"Cannot list {plural}: 403.", status=403, reason="Forbidden")
        self.errors[(namespace, plural) if namespace is not None else plural] = error

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[Object]:
        target = self._receive(path, query)
        if target.plural == "projects":
            if self.projects is None:
                raise ApiNotServed("no projects here", status=404)
            return [{"metadata": {"name": name}} for name in self.projects]
        return [
            one
            for (namespace, plural), found in self.objects.items()
            for one in found
            if plural == target.plural and target.namespace in (None, namespace)
        ]

    def get(self, path: str) -> t.Any:
        target = self._receive(path, None)
        if target.plural == "namespaces":
            if target.name in self.namespaces:
                return {"metadata": {"name": target.name}}
            raise NotFound(f'Cannot read namespace "{target.name}": 404.', status=404)
        if target.plural == "imagestreamimages":
            return {"image": self._image(str(target.name).partition("@")[2])}
        found = [
            one
            for one in self.objects.get((target.namespace or "", "imagestreams"), [])
            if one["metadata"]["name"] == target.name
        ]
        if not found:
            raise NotFound(f"{path} not found", status=404)
        return self._layers(found[0]) if target.plural == "imagestreams/layers" else found[0]

    def _receive(self, path: str, query: t.Mapping[str, str] | None) -> t.Any:
        target = target_of("GET", path)
        with self._lock:
            self.sent.append(path)
            self.queries[path] = query
        for key in (target.plural, (target.namespace or "*", target.plural)):
            if key in self.errors:
                raise self.errors[key]
        return target

    def _image(self, name: str) -> Object:
        manifests = [
            {"digest": found, "os": "linux", "architecture": platform.partition("/")[2]}
            for platform, found in self.lists.get(name, {}).items()
        ]
        return {"metadata": {"name": name}, "dockerImageManifests": manifests}

    def _layers(self, one: Object) -> Object:
        images: Object = {}
        for entry in one["status"]["tags"]:
            for item in entry["items"]:
                images[item["image"]] = {"imageMissing": False, "layers": None}
                if item["image"] in self.lists:
                    children = list(self.lists[item["image"]].values())
                    images[item["image"]]["manifests"] = children
                    images.update({found: {"imageMissing": False, "layers": []} for found in children})
        return {"images": images}
