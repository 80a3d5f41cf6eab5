# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams as the cluster has them, read in as few calls as possible: one GET for one stream, one LIST for
several.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._core.concurrency import concurrent_map
from .._core.errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    Forbidden,
    NotFound,
    Unauthorized,
)
from .._core.foreign import NAME_LIMIT
from .._core.outward import excerpt
from .._core.owners import Owner, owner_of
from .images import EXTERNAL, ImportFailure

# Legacy's choice is steered by these annotations of the spec tag (server-behaviour.md 2.10).
PREFER_ARCHITECTURE = "importer.image.openshift.io/prefer-arch"
PREFER_OS = "importer.image.openshift.io/prefer-os"

# After these no other request would fare better.
_HOPELESS = (ApiNotServed, ApiUnreachable, Unauthorized)

ALL_NAMESPACES_PATH = "/apis/image.openshift.io/v1/imagestreams"

# characters of a registry's words
MESSAGE_LIMIT = 4000
Key = t.Tuple[str, str]  # noqa: UP006


class ObservedTag(NamedTuple):
    """A tag of a stream: its spec, its newest image, and the failure of its last import."""

    name: str
    kind: str = EXTERNAL
    source: str = ""
    source_namespace: str = ""
    reference: bool = False
    import_mode: str = ""
    reference_policy: str = ""
    scheduled: bool = False
    insecure: bool = False
    prefer_architecture: str = ""
    prefer_os: str = ""
    generation: int = 0
    digest: str = ""
    image: str = ""
    image_generation: int = 0
    failure: ImportFailure | None = None
    failure_generation: int = 0

    @property
    def settings(self) -> ObservedTag:
        """Return what people set: the tag without its image and failure."""
        return self._replace(generation=0, digest="", image="", image_generation=0, failure=None, failure_generation=0)

    @property
    def pending(self) -> bool:
        """Return whether the spec is ahead of its newest image.

        The import controller would import it (server-behaviour.md 2.11).
        """
        return self.generation > max(self.image_generation, self.failure_generation)


class ObservedStream(NamedTuple):
    """An image stream; ``exists`` is false for one that the cluster does not have.

    ``left`` is what removed tags have left behind: the images and the failure of tags that are not declared any more
    (server-behaviour.md 2.11). ``owner`` is who else reconciles it.
    """

    namespace: str
    name: str
    exists: bool = False
    resource_version: str = ""
    lookup_policy_local: bool = False
    tags: t.Mapping[str, ObservedTag] = MappingProxyType({})
    left: t.Mapping[str, ObservedTag] = MappingProxyType({})
    owner: Owner | None = None

    @property
    def key(self) -> Key:
        """Return namespace and name."""
        return self.namespace, self.name


def failure_from_status(status: t.Mapping[str, t.Any], import_mode: str = "", otherwise: str = "") -> ImportFailure:
    """Return the failure that a condition or status of the server tells, in words that can be shown.

    They may be those of a registry.

    ``otherwise`` stands for a message if there is none.
    """
    return ImportFailure(
        excerpt(status.get("reason") or "", NAME_LIMIT),
        excerpt(status.get("message") or otherwise, MESSAGE_LIMIT),
        import_mode,
    )


def parse_stream(namespace: str, stream: t.Mapping[str, t.Any]) -> ObservedStream:
    """Turn an ImageStream object, as read or as found in an import's answer, into an ``ObservedStream``."""
    metadata, spec = stream.get("metadata") or {}, stream.get("spec") or {}
    history = {entry.get("tag"): entry for entry in (stream.get("status") or {}).get("tags") or ()}
    tags = {tag["name"]: _parse_tag(tag, history.get(tag["name"]) or {}) for tag in spec.get("tags") or ()}
    return ObservedStream(
        namespace,
        metadata.get("name", ""),
        True,
        metadata.get("resourceVersion", ""),
        bool((spec.get("lookupPolicy") or {}).get("local")),
        tags,
        {name: _parse_tag({"name": name}, entry) for name, entry in history.items() if name not in tags},
        owner_of("ImageStream", {**metadata, "namespace": namespace}),
    )


def _parse_tag(tag: t.Mapping[str, t.Any], status: t.Mapping[str, t.Any]) -> ObservedTag:
    source = tag.get("from") or {}
    policy = tag.get("importPolicy") or {}
    annotations = tag.get("annotations") or {}
    newest = (status.get("items") or [{}])[0]
    # Success is the absence of an ImportSuccess=False condition; True is never written (server-behaviour.md 2.4).
    failed = [
        c for c in status.get("conditions") or () if c.get("type") == "ImportSuccess" and c.get("status") == "False"
    ]
    return ObservedTag(
        name=tag["name"],
        kind=source.get("kind", ""),
        source=source.get("name", ""),
        source_namespace=source.get("namespace", ""),
        reference=bool(tag.get("reference")),
        import_mode=policy.get("importMode", ""),
        reference_policy=(tag.get("referencePolicy") or {}).get("type", ""),
        scheduled=bool(policy.get("scheduled")),
        insecure=bool(policy.get("insecure")),
        prefer_architecture=annotations.get(PREFER_ARCHITECTURE, ""),
        prefer_os=annotations.get(PREFER_OS, ""),
        generation=tag.get("generation") or 0,
        digest=newest.get("image", ""),
        image=newest.get("dockerImageReference", ""),
        image_generation=newest.get("generation") or 0,
        failure=failure_from_status(failed[0]) if failed else None,
        failure_generation=(failed[0].get("generation") or 0) if failed else 0,
    )


def read_stream(client: ClusterClient, namespace: str, name: str) -> ObservedStream:
    """Read one stream with one GET. A stream, or its namespace, that does not exist is an ``ObservedStream`` too."""
    try:
        return parse_stream(namespace, client.get(image_path(namespace, "imagestreams", name)))
    except NotFound:
        return ObservedStream(namespace, name)


def observe(
    client: ClusterClient, keys: t.Collection[Key], concurrency: int
) -> dict[Key, ObservedStream | CollectionError]:
    """Read the streams ``keys``: a GET if a namespace has one of them, a LIST if it has several.

    If the LIST is forbidden the streams are read one by one, because a Role may name them (``resourceNames``).
    A namespace that cannot be read gives the error for each of its streams, and does not hide the others. Raises
    ``ApiUnreachable``, ``Unauthorized`` and ``ApiNotServed``, since no other request would fare better.
    """
    names: dict[str, list[str]] = {}
    for namespace, name in keys:
        names.setdefault(namespace, []).append(name)
    observed: dict[Key, ObservedStream | CollectionError] = {}
    for part in concurrent_map(
        lambda namespace: _observe_namespace(client, namespace, names[namespace]), names, concurrency
    ):
        observed.update(part)
    return observed


def _observe_namespace(
    client: ClusterClient, namespace: str, names: list[str]
) -> dict[Key, ObservedStream | CollectionError]:
    observed: dict[Key, ObservedStream | CollectionError] = {
        (namespace, name): ObservedStream(namespace, name) for name in names
    }
    if len(names) > 1:
        try:
            for item in client.list_items(image_path(namespace, "imagestreams")):
                key = (namespace, (item.get("metadata") or {}).get("name", ""))
                if key in observed:
                    observed[key] = parse_stream(namespace, item)
            return observed
        except Forbidden:
            pass
        except _HOPELESS:
            raise
        except CollectionError as error:
            return dict.fromkeys(observed, error)
    for name in names:
        try:
            observed[namespace, name] = read_stream(client, namespace, name)
        except _HOPELESS:
            raise
        except CollectionError as error:
            observed[namespace, name] = error
    return observed


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
    """Read the selected streams: one LIST a namespace, or one of the cluster.

    One GET if a single stream is asked for.

    A namespace that may not be read is in ``errors`` and does not hide the others; if the whole cluster may not
    be listed ``Forbidden`` is raised. What no other request would fare better with (API server gone, token refused,
    no image API) is raised too.
    """
    found = Found()
    if not wanted.namespaces:
        found.objects = client.list_items(ALL_NAMESPACES_PATH, query=_query(wanted))
    else:
        parts = concurrent_map(
            lambda namespace: _read_selected(client, namespace, wanted), wanted.namespaces, concurrency
        )
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


def _read_selected(
    client: ClusterClient, namespace: str, wanted: Selection
) -> list[dict[str, t.Any]] | CollectionError:
    try:
        if len(wanted.names) == 1 and not wanted.label_selector:
            try:
                return [client.get(image_path(namespace, "imagestreams", wanted.names[0]))]
            except NotFound:
                return []
        return client.list_items(image_path(namespace, "imagestreams"), query=_query(wanted))
    except _HOPELESS:
        raise
    except CollectionError as error:
        return error
