# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image streams that may track what was pushed, and the mirrors that imports by tag go through: one LIST of each.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient
from .._cluster.paths import api_path
from .._core.concurrency import concurrent_map
from .._core.errors import ApiNotServed, CollectionError, Forbidden, NotFound
from .._import_engine.observed import ObservedStream, Selection, find, parse_stream
from .._registry_access.mirrors import Mirrors, observe_mirrors


class Observed(NamedTuple):
    """What could be read; ``errors`` are the named namespaces that could not."""

    streams: tuple[ObservedStream, ...]
    mirrors: Mirrors
    errors: dict[str, CollectionError]


def observe(client: ClusterClient, wanted: Selection, concurrency: int) -> Observed:
    """Read the selected streams and the cluster's tag mirrors, side by side."""
    streams: list[ObservedStream] = []
    mirrors = Mirrors()
    errors: dict[str, CollectionError] = {}

    def read_streams() -> None:
        found = _find(client, wanted, concurrency)
        errors.update(found.errors)
        streams.extend(parse_stream(item["metadata"]["namespace"], item) for item in found.objects)

    def read_mirrors() -> None:
        nonlocal mirrors
        # Who may not read them knows none.
        mirrors = observe_mirrors(client, tags_only=True) or mirrors

    concurrent_map(lambda read: read(), (read_streams, read_mirrors), 2)
    return Observed(tuple(streams), mirrors, errors)


def _find(client: ClusterClient, wanted: Selection, concurrency: int) -> t.Any:
    """Read the streams of the named namespaces, or of the cluster.

    If those of the cluster may not be listed, read the caller's projects.
    """
    try:
        return find(client, wanted, concurrency)
    except Forbidden as refused:
        if wanted.namespaces:
            raise
        try:
            projects = client.list_items(api_path("project.openshift.io/v1", None, "projects"))
        except (ApiNotServed, NotFound, Forbidden):
            raise refused from None
        names = tuple(sorted(project["metadata"]["name"] for project in projects))
        if not names:
            raise
        found = find(client, wanted._replace(namespaces=names), concurrency)
        # Nobody named these: those whose streams the caller may not read are none of its business.
        found.errors = {name: error for name, error in found.errors.items() if not isinstance(error, Forbidden)}
        return found
