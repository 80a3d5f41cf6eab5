# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of any size in memory, for counting what a run over it costs: it answers at once, and keeps what it was
asked."""

from __future__ import annotations

import hashlib
import threading
import time
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import ClusterClient
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    DesiredStream,
    desired_streams,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import refusal

Json = dict[str, t.Any]


def declared(streams: int, tags: int, *, namespaces: int = 1, images: int = 0, **options: t.Any) -> list[DesiredStream]:
    """Return ``streams`` desired streams of ``tags`` tags each, of ``images`` different images (0: each tag has its
    own)."""
    number = 0
    entries = []
    for stream in range(streams):
        listed = []
        for tag in range(tags):
            listed.append(
                {"name": f"t{tag}", "from": f"registry.example.com/team/app:v{number % images if images else number}"}
            )
            number += 1
        entries.append({"namespace": f"shop-{stream % namespaces}", "name": f"app-{stream}", "tags": listed})
    return desired_streams({"streams": entries, **options})


class LargeCluster:
    """Has the streams of ``present`` as they are declared. ``latency`` is how long a lookup takes, in seconds; a
    namespace of ``refused`` has no credential that a registry accepts; ``moved``: registries serve other images than
    the streams have."""

    def __init__(
        self,
        present: Sequence[DesiredStream] = (),
        *,
        latency: float = 0.0,
        refused: Sequence[str] = (),
        moved: bool = False,
    ) -> None:
        self.requests: Counter[str] = Counter()
        self.looked_up: Counter[str] = Counter()
        self.at_once = 0
        self._latency = latency
        self._refused = refused
        self._served = "new" if moved else ""
        self._under_way = 0
        self._lock = threading.Lock()
        self._streams: dict[str, dict[str, Json]] = {}
        for stream in present:
            tags = {tag.name: str(tag.source) for tag in stream.tags}
            self._streams.setdefault(stream.namespace, {})[stream.name] = _stream(stream.namespace, stream.name, tags)

    @property
    def client(self) -> ClusterClient:
        """The cluster as the engine's client."""
        return t.cast(ClusterClient, self)

    def get(self, path: str) -> t.Any:
        """GET of a stream."""
        self._count("GET", path)
        namespace, name = path.split("/")[-3], path.split("/")[-1]
        found = self._streams.get(namespace, {}).get(name)
        if found is None:
            raise refusal(
                "GET",
                path,
                404,
                {"kind": "Status", "reason": "NotFound", "message": "not found", "details": {"kind": "imagestreams"}},
            )
        return found

    def list_items(self, path: str) -> list[Json]:
        """LIST of a namespace's streams."""
        self._count("LIST", path)
        return list(self._streams.get(path.split("/")[-2], {}).values())

    def request(self, method: str, path: str, *, query: t.Any, body: t.Any, timeout: float, repeatable: bool) -> t.Any:
        """An import, or a lookup."""
        spec = body["spec"]
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        with self._lock:
            self.requests["import" if spec["import"] else "lookup"] += 1
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
            if not spec["import"]:
                self.looked_up.update(image["from"]["name"] for image in spec["images"])
        time.sleep(self._latency)
        if namespace in self._refused:
            results = [
                {"status": {"status": "Failure", "reason": "Unauthorized", "message": "authentication required"}}
                for _image in spec["images"]
            ]
        else:
            results = [
                {"status": {"status": "Success"}, "image": _image(image["from"]["name"], self._served)}
                for image in spec["images"]
            ]
        status: Json = {"images": results}
        with self._lock:
            self._under_way -= 1
            if spec["import"]:
                stored = self._streams.setdefault(namespace, {}).setdefault(name, _stream(namespace, name, {}))
                new = _stream(
                    namespace,
                    name,
                    {image["to"]["name"]: image["from"]["name"] for image in spec["images"]},
                    self._served,
                )
                for part in ("spec", "status"):
                    key = "name" if part == "spec" else "tag"
                    written = {tag[key] for tag in new[part]["tags"]}
                    stored[part]["tags"] = [tag for tag in stored[part]["tags"] if tag[key] not in written] + new[part][
                        "tags"
                    ]
                status["import"] = stored
        return {"spec": spec, "status": status}

    def _count(self, kind: str, path: str) -> None:
        with self._lock:
            self.requests[kind] += 1


def _stream(namespace: str, name: str, tags: Mapping[str, str], served: str = "") -> Json:
    spec, history = [], []
    for tag, source in tags.items():
        policy = {"importMode": "Legacy"}
        spec.append(
            {
                "name": tag,
                "generation": 1,
                "from": {"kind": "DockerImage", "name": source},
                "importPolicy": policy,
                "referencePolicy": {"type": "Source"},
            }
        )
        image = _image(source, served)
        item = {
            "image": image["metadata"]["name"],
            "dockerImageReference": image["dockerImageReference"],
            "generation": 1,
        }
        history.append({"tag": tag, "items": [item]})
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "1"}
    return {"metadata": metadata, "spec": {"lookupPolicy": {"local": False}, "tags": spec}, "status": {"tags": history}}


def _image(source: str, served: str = "") -> Json:
    digest = "sha256:" + hashlib.sha256((source + served).encode()).hexdigest()
    return {"metadata": {"name": digest}, "dockerImageReference": f"{source.rpartition(':')[0]}@{digest}"}


def run(
    cluster: LargeCluster, streams: Sequence[DesiredStream], *, check_mode: bool = False, concurrency: int = 8
) -> Json:
    """Return what the module would report of a run."""
    results = converge_streams(cluster.client, streams, check_mode=check_mode, concurrency=concurrency, timeout=30)
    report = stream_report(results, lambda _namespace, _source, _failure: "", only_changed=False)
    return report.results
