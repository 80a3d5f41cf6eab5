# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a migration to manifest lists starts from: the chosen streams, and what the registries serve for their tags.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.errors import CollectionError
from .._import_engine.observed import Key, ObservedStream, Selection, find, observe, parse_stream
from .desired import TagNames, is_pattern

if t.TYPE_CHECKING:
    from .._import_engine.desired import DesiredStream


class ObservedStreams:
    """Streams in order of namespace and name, and the namespaces that could not be read."""

    def __init__(self) -> None:
        self.streams: dict[Key, ObservedStream] = {}
        self.errors: dict[str, CollectionError] = {}


def observe_chosen(client: ClusterClient, names: TagNames, width: int) -> ObservedStreams:
    """Read the chosen streams with at most ``width`` requests at once.

    No namespace stands for all, and so do patterns.

    A namespace that may not be read is in ``errors``; Forbidden is raised if all of them have to be listed and
    may not.
    """
    everywhere = any(is_pattern(namespace) for namespace in names.namespaces)
    exact = () if any(is_pattern(name) for name in names.streams) else names.streams
    found = find(client, Selection(() if everywhere else names.namespaces, exact, ""), width)
    observed = ObservedStreams()
    observed.errors = found.errors
    for item in found.objects:
        stream = parse_stream(item["metadata"]["namespace"], item)
        if names.has_stream(*stream.key):
            observed.streams[stream.key] = stream
    return observed


def observe_recorded(client: ClusterClient, recorded: t.Sequence[DesiredStream], width: int) -> ObservedStreams:
    """Read the streams of a record with at most ``width`` requests at once."""
    observed = ObservedStreams()
    for key, found in sorted(observe(client, [stream.key for stream in recorded], width).items()):
        if isinstance(found, CollectionError):
            observed.errors[key[0]] = found
        else:
            observed.streams[key] = found
    return observed
