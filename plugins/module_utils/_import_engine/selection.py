# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams as they are chosen and read for those who only look: by namespace, name and label.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._core.concurrency import concurrent_map
from .._core.errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    NotFound,
    Unauthorized,
)

ALL_NAMESPACES_PATH = "/apis/image.openshift.io/v1/imagestreams"


class Selection(NamedTuple):
    """Which streams to describe; without namespaces those of the whole cluster, without names all of a namespace."""

    namespaces: tuple[str, ...]
    names: tuple[str, ...]
    label_selector: str


class Found:
    """ImageStream objects as the API returned them, in order of namespace and name, and what could not be read."""

    def __init__(self) -> None:
        self.objects: list[dict[str, t.Any]] = []
        self.errors: dict[str, CollectionError] = {}


def find(client: ClusterClient, wanted: Selection, concurrency: int) -> Found:
    """Read the selected streams: one LIST a namespace, or one of the cluster; one GET where a single stream is asked for.

    A namespace that may not be read is in ``errors`` and does not hide the others; where the whole cluster may not be
    listed ``Forbidden`` is raised. What no other request would fare better with (API server gone, token refused, no image API)
    is raised too.
    """
    found = Found()
    if not wanted.namespaces:
        found.objects = client.list_items(ALL_NAMESPACES_PATH, query=_query(wanted))
    else:
        parts = concurrent_map(lambda namespace: _read(client, namespace, wanted), wanted.namespaces, concurrency)
        for namespace, part in zip(wanted.namespaces, parts):
            if isinstance(part, CollectionError):
                found.errors[namespace] = part
            else:
                found.objects += part
    if wanted.names:
        found.objects = [stream for stream in found.objects if stream["metadata"]["name"] in wanted.names]
    found.objects.sort(key=lambda stream: (stream["metadata"]["namespace"], stream["metadata"]["name"]))
    return found


def _query(wanted: Selection) -> dict[str, str]:
    return {"labelSelector": wanted.label_selector} if wanted.label_selector else {}


def _read(client: ClusterClient, namespace: str, wanted: Selection) -> list[dict[str, t.Any]] | CollectionError:
    try:
        if len(wanted.names) == 1 and not wanted.label_selector:
            try:
                return [client.get(image_path(namespace, "imagestreams", wanted.names[0]))]
            except NotFound:
                return []
        return client.list_items(image_path(namespace, "imagestreams"), query=_query(wanted))
    except (ApiNotServed, ApiUnreachable, Unauthorized):
        raise
    except CollectionError as error:
        return error
