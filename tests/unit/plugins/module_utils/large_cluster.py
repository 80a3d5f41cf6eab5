# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations and clusters of any size, for counting what a run over them costs."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    DesiredStream,
    desired_streams,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from ansible_collections.quayside.openshift_images.tests.unit.fakes.model_cluster import (
    ModelCluster,
    Registry,
    digest,
    success,
)

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


def large_cluster(
    present: Sequence[DesiredStream] = (), *, latency: float = 0.0, refused: Sequence[str] = (), moved: bool = False
) -> ModelCluster:
    """Return a cluster that has the streams of ``present`` as they are declared. A namespace of ``refused`` has no
    credential that a registry accepts; ``moved``: registries serve other images than the streams have."""
    cluster = ModelCluster(registry=_serving())
    for stream in present:
        images = [
            {"from": {"kind": "DockerImage", "name": str(tag.source)}, "to": {"name": tag.name}, "importPolicy": {}}
            for tag in stream.tags
        ]
        path = f"/apis/image.openshift.io/v1/namespaces/{stream.namespace}/imagestreamimports"
        cluster.create(path, {"metadata": {"name": stream.name}, "spec": {"import": True, "images": images}})
    cluster.forget()
    cluster.latency, cluster.registry = latency, _serving("new" if moved else "", refused)
    return cluster


def _serving(content: str = "", refused: Sequence[str] = ()) -> Registry:
    """Return registries that serve an image for whatever is asked, another one for each ``content``."""

    def serve(namespace: str, source: str, _mode: str, _preference: tuple[str, str]) -> Json:
        if namespace in refused:
            return {"status": {"status": "Failure", "reason": "Unauthorized", "message": "authentication required"}}
        return success(source.rpartition(":")[0], digest((source, content)), ())

    return serve


def run(
    cluster: ModelCluster, streams: Sequence[DesiredStream], *, check_mode: bool = False, concurrency: int = 8
) -> Json:
    """Return what the module would report of a run."""
    results = converge_streams(cluster.client, streams, check_mode=check_mode, concurrency=concurrency, timeout=30)
    report = stream_report(results, lambda _namespace, _source, _failure: "", only_changed=False)
    return report.results
