# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster as the demo sees it from outside the collection: plain API calls, snapshots, changes made by hand."""

from __future__ import annotations

import base64
import json
import time
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

_CORE = "/api/v1/namespaces/{namespace}/{plural}"
_IMAGE = "/apis/image.openshift.io/v1/namespaces/{namespace}/{plural}"
_KINDS = {"secrets": _CORE, "serviceaccounts": _CORE, "imagestreams": _IMAGE}
_AUTH_FILE = ".dockerconfigjson"
_VOLATILE = {"resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "annotations"}


class Address(t.NamedTuple):
    """Where an object is: its collection in the API, its namespace and name."""

    plural: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.plural[:-1]} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class StreamTag:
    """One tag as the cluster has it."""

    namespace: str
    stream: str
    name: str
    source: str
    import_mode: str
    scheduled: bool
    digest: str


class Snapshot(dict[Address, dict[str, t.Any]]):
    """All objects of the demo's namespaces at one moment."""

    def versions(self) -> dict[Address, str]:
        """Return the resourceVersion of each object: equal means that nobody wrote."""
        return {address: document["metadata"]["resourceVersion"] for address, document in self.items()}

    def written_since(self, earlier: Snapshot) -> set[Address]:
        """Objects that were written, created or deleted between the two."""
        before, now = earlier.versions(), self.versions()
        return {address for address in before.keys() | now.keys() if before.get(address) != now.get(address)}

    def meanings(self) -> dict[Address, t.Any]:
        """Each object without what the server counts up on every write."""
        return {address: _meaning(address, document) for address, document in self.items()}

    def tags(self) -> dict[tuple[str, str, str], StreamTag]:
        """All tags of all streams, by namespace, stream and tag."""
        found = {}
        for address, document in self.items():
            if address.plural != "imagestreams":
                continue
            items = {status["tag"]: status.get("items") or [] for status in document["status"].get("tags") or []}
            for tag in document["spec"].get("tags") or []:
                history = items.get(tag["name"], [])
                policy = tag.get("importPolicy") or {}
                found[address.namespace, address.name, tag["name"]] = StreamTag(
                    namespace=address.namespace,
                    stream=address.name,
                    name=tag["name"],
                    source=(tag.get("from") or {}).get("name", ""),
                    import_mode=policy.get("importMode", ""),
                    scheduled=bool(policy.get("scheduled")),
                    digest=history[0]["image"] if history else "",
                )
        return found

    def behind(self) -> bool:
        """Tell whether a tag waits for its import: its generation is ahead of what was observed."""
        for address, document in self.items():
            if address.plural != "imagestreams":
                continue
            observed = {}
            for status in document["status"].get("tags") or []:
                levels = [entry["generation"] for entry in status.get("items") or []]
                levels += [entry["generation"] for entry in status.get("conditions") or []]
                observed[status["tag"]] = max(levels, default=0)
            for tag in document["spec"].get("tags") or []:
                if (tag.get("generation") or 0) > observed.get(tag["name"], 0):
                    return True
        return False


def _meaning(address: Address, document: dict[str, t.Any]) -> t.Any:
    rest = {key: value for key, value in document.items() if key not in ("metadata", "status")}
    rest["metadata"] = {key: value for key, value in document["metadata"].items() if key not in _VOLATILE}
    if address.plural == "secrets" and _AUTH_FILE in document.get("data", {}):
        rest["data"] = json.loads(base64.b64decode(document["data"][_AUTH_FILE]))
    if address.plural == "serviceaccounts":
        for field in ("secrets", "imagePullSecrets"):
            rest[field] = sorted(entry["name"] for entry in document.get(field) or [])
    if address.plural == "imagestreams":
        tags = document["spec"].get("tags") or []
        rest["spec"] = {
            **document["spec"],
            "tags": [{key: value for key, value in tag.items() if key != "generation"} for tag in tags],
        }
        rest["images"] = {
            status["tag"]: [entry["image"] for entry in status.get("items") or []][:1]
            for status in document["status"].get("tags") or []
        }
    return rest


class Cluster:
    """Calls to the API with one token."""

    def __init__(self, host: str, token: str, ca_file: Path, namespaces: Iterable[str]) -> None:
        self.namespaces = tuple(namespaces)
        self._host = host
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)
        self._session.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], namespaces: Iterable[str]) -> Cluster:
        """Return the cluster that the ``K8S_AUTH_*`` variables name."""
        ca_file = Path(environment["K8S_AUTH_SSL_CA_CERT"])
        return cls(environment["K8S_AUTH_HOST"], environment["K8S_AUTH_API_KEY"], ca_file, namespaces)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def call(self, method: str, path: str, body: t.Any = None, content_type: str = "application/json") -> t.Any:
        """One call; an answer of 400 and above is a requests.HTTPError."""
        data = None if body is None else json.dumps(body)
        answer = self._session.request(
            method, self._host + path, data=data, headers={"Content-Type": content_type}, timeout=60
        )
        answer.raise_for_status()
        return answer.json()

    def snapshot(self) -> Snapshot:
        """Everything that the demo watches, in its namespaces."""
        found = Snapshot()
        for namespace in self.namespaces:
            for plural, path in _KINDS.items():
                for document in self.call("GET", path.format(namespace=namespace, plural=plural))["items"]:
                    found[Address(plural, namespace, document["metadata"]["name"])] = document
        return found

    def settled(self, seconds: float = 30.0) -> Snapshot:
        """Wait until controllers have nothing left to do (no tag waits for its import, nothing was written for a
        second), and return that state; a TimeoutError when it does not come."""
        deadline = time.monotonic() + seconds
        earlier = self.snapshot()
        while time.monotonic() < deadline:
            time.sleep(1.0)
            now = self.snapshot()
            if not now.behind() and not now.written_since(earlier):
                return now
            earlier = now
        raise TimeoutError(f"the cluster did not come to rest within {seconds:.0f} seconds")

    def platforms(self, digest: str) -> list[str]:
        """Architectures of an imported image: one, or those of a list's manifests."""
        image = self.call("GET", f"/apis/image.openshift.io/v1/images/{digest}")
        manifests = image.get("dockerImageManifests") or []
        if manifests:
            return [entry["architecture"] for entry in manifests]
        return [image["dockerImageMetadata"]["Architecture"]]

    def flip_import_mode(self, namespace: str, stream: str, tag: str, mode: str) -> None:
        """Set another import mode on a tag."""
        self._patch_tag(namespace, stream, tag, {"importMode": mode})

    def clear_scheduled(self, namespace: str, stream: str, tag: str) -> None:
        """Turn the periodic import of a tag off."""
        self._patch_tag(namespace, stream, tag, {"scheduled": False})

    def _patch_tag(self, namespace: str, stream: str, tag: str, policy: dict[str, t.Any]) -> None:
        path = _IMAGE.format(namespace=namespace, plural="imagestreams") + f"/{stream}"
        body = {"spec": {"tags": [{"name": tag, "importPolicy": policy}]}}
        self.call("PATCH", path, body, "application/strategic-merge-patch+json")

    def remove_pull_link(self, namespace: str, account: str, secret: str) -> None:
        """Take a secret out of a service account's imagePullSecrets."""
        path = _CORE.format(namespace=namespace, plural="serviceaccounts") + f"/{account}"
        document = self.call("GET", path)
        document["imagePullSecrets"] = [entry for entry in document["imagePullSecrets"] if entry["name"] != secret]
        self.call("PUT", path, document)

    def drop_registry(self, namespace: str, secret: str, registry: str) -> None:
        """Take one registry out of a pull secret."""
        path = _CORE.format(namespace=namespace, plural="secrets") + f"/{secret}"
        document = self.call("GET", path)
        content = json.loads(base64.b64decode(document["data"][_AUTH_FILE]))
        del content["auths"][registry]
        document["data"][_AUTH_FILE] = base64.b64encode(json.dumps(content).encode()).decode()
        self.call("PUT", path, document)
