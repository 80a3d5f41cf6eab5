# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workloads and streams as the cluster has them: one LIST for each kind, of a namespace or of all, and what a stream
holds.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .._cluster.facts import ReadingClient, check_namespace_exists
from .._cluster.paths import api_path, image_path
from .._core.concurrency import each_with_outcome
from .._core.errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    Forbidden,
    NotFound,
    Unauthorized,
)
from .._core.report import ReadFailure
from .._workloads.kinds import WorkloadKind
from .image_uses import ImageUse, image_uses
from .stream_history import (
    Key,
    StreamHistory,
    parse_children,
    parse_history,
    parse_platforms,
)

IMAGE_API = "image.openshift.io/v1"
STREAMS = "imagestreams"
LAYERS = "imagestreams/layers"

# The pods of a whole cluster in one answer could be hundreds of megabytes.
_PAGE = {"limit": "500"}
# What has ended needs no image any more, so the API server need not send it.
_UNFINISHED_PODS = {**_PAGE, "fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}


@dataclass
class Observed:
    """What was read. ``namespaces`` are those that were asked for, or where there was something.

    ``complete`` are the namespaces of which every stream is known, ``*`` stands for all; ``not_served`` the kinds
    that this cluster does not have.
    """

    namespaces: tuple[str, ...] = ()
    uses: list[ImageUse] = field(default_factory=list)
    workloads: int = 0
    streams: dict[Key, StreamHistory] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    failures: list[ReadFailure] = field(default_factory=list)
    not_served: list[str] = field(default_factory=list)
    anything: bool = False

    def fail(self, namespace: str, resource: str, error: CollectionError) -> None:
        """Note a failure; raise what stands for every further request too."""
        if isinstance(error, (ApiUnreachable, Unauthorized)) or (
            isinstance(error, ApiNotServed) and resource == STREAMS
        ):
            raise error
        if not isinstance(error, ApiNotServed):
            self.failures.append(ReadFailure(namespace, resource, error))
        elif resource not in self.not_served:
            self.not_served.append(resource)


class _List(NamedTuple):
    """One LIST: of streams if ``kind`` is None, of all namespaces if ``namespace`` is ``*``."""

    namespace: str
    kind: WorkloadKind | None

    @property
    def resource(self) -> str:
        return self.kind.plural if self.kind is not None else STREAMS

    @property
    def path(self) -> str:
        group_version = self.kind.group_version if self.kind is not None else IMAGE_API
        return api_path(group_version, None if self.namespace == "*" else self.namespace, self.resource)


class _Answer(NamedTuple):
    """What one LIST gave, reduced to what is needed: the objects of a large cluster are not kept."""

    asked: _List
    uses: tuple[ImageUse, ...] = ()
    streams: tuple[StreamHistory, ...] = ()
    namespaces: tuple[str, ...] = ()
    error: CollectionError | None = None


class _OneStream(NamedTuple):
    """What reading one stream, or a part of it, gave; None if it does not exist."""

    key: Key
    found: t.Any = None
    error: CollectionError | None = None


def observe(
    client: ReadingClient, namespaces: tuple[str, ...] | None, kinds: t.Sequence[WorkloadKind], width: int
) -> Observed:
    """Read workloads and streams of the namespaces with at most ``width`` requests at once.

    None is all namespaces, or those of the caller's projects if it may not list over all. What cannot be read is
    noted and does not hide the rest. Raises ApiUnreachable and Unauthorized, ApiNotServed if there is no image
    API, and Forbidden if neither all namespaces nor projects can be listed.
    """
    observed = Observed()
    lists = [_List(namespace, kind) for namespace in namespaces or ("*",) for kind in (None, *kinds)]
    answers: list[_Answer] = []
    if namespaces is None:
        first = _read_list(client, lists.pop(0))
        if isinstance(first.error, Forbidden):
            namespaces = _projects(client, first.error)
            lists = [_List(namespace, kind) for namespace in namespaces for kind in (None, *kinds)]
        else:
            answers.append(first)
    answers += each_with_outcome(
        lists, lambda one: _read_list(client, one), lambda one, error: _Answer(one, error=error), width=width
    )
    found: set[str] = set()
    for answer in answers:
        asked = answer.asked
        if answer.error is not None:
            observed.fail(asked.namespace, asked.resource, answer.error)
            continue
        observed.anything = True
        found.update(answer.namespaces)
        observed.uses += answer.uses
        observed.streams.update((stream.key, stream) for stream in answer.streams)
        if asked.kind is None:
            observed.complete.add(asked.namespace)
        else:
            observed.workloads += len(answer.namespaces)
    observed.namespaces = tuple(sorted(found)) if namespaces is None else namespaces
    for namespace in set(namespaces or ()) - found - {failure.namespace for failure in observed.failures}:
        _check_existence(client, namespace, observed)
    return observed


def observe_referenced_streams(
    client: ReadingClient, observed: Observed, registry_hosts: t.Collection[str], width: int
) -> None:
    """Add the streams of other namespaces from which the workloads pull by digest, with one GET each."""
    if "*" in observed.complete:
        return
    wanted = {
        reference.stream
        for use in observed.uses
        for reference in (use.reference, use.running)
        if reference is not None
        and reference.digest
        and reference.registry in registry_hosts
        and reference.stream is not None
    }
    keys = sorted(key for key in wanted if key[0] not in observed.complete)
    for answer in _each_stream(keys, lambda key: parse_history(client.get(image_path(key[0], STREAMS, key[1]))), width):
        if answer.error is not None:
            observed.fail(answer.key[0], STREAMS, answer.error)
        elif answer.found is not None:
            observed.streams[answer.key] = answer.found


def observe_children(client: ReadingClient, observed: Observed, width: int) -> None:
    """Add to each stream with a history which of its images are lists with which children, with one GET each.

    Nothing is read if no workload names or runs a digest.
    """
    if not any(
        reference is not None and reference.digest
        for use in observed.uses
        for reference in (use.reference, use.running)
    ):
        return
    keys = sorted(key for key, stream in observed.streams.items() if stream.images)
    for answer in _each_stream(
        keys, lambda key: parse_children(client.get(f"{image_path(key[0], STREAMS, key[1])}/layers")), width
    ):
        if answer.error is not None:
            observed.fail(answer.key[0], LAYERS, answer.error)
        elif answer.found is not None:
            observed.streams[answer.key] = replace(observed.streams[answer.key], children=answer.found)


def read_platforms(client: ReadingClient, lists: t.Collection[tuple[Key, str]], width: int) -> dict[str, str]:
    """Return the platform of each child of the lists, with one GET for each list.

    Lists are given as stream and digest.

    A list that cannot be read, or not by this caller, leaves its children without: the platform is only told to the
    reader.
    """
    distinct = sorted({digest: key for key, digest in sorted(lists)}.items())
    names = [(namespace, f"{name}@{digest}") for digest, (namespace, name) in distinct]
    platforms: dict[str, str] = {}
    for answer in _each_stream(
        names,
        lambda key: parse_platforms(client.get(image_path(key[0], "imagestreamimages", key[1])).get("image") or {}),
        width,
    ):
        platforms.update(answer.found or {})
    return platforms


def _read_list(client: ReadingClient, asked: _List) -> _Answer:
    try:
        items = client.list_items(asked.path, query=_UNFINISHED_PODS if asked.resource == "pods" else _PAGE)
    except CollectionError as error:
        return _Answer(asked, error=error)
    namespaces = tuple((item.get("metadata") or {}).get("namespace", "") for item in items)
    if asked.kind is None:
        return _Answer(asked, streams=tuple(parse_history(item) for item in items), namespaces=namespaces)
    kind = asked.kind
    return _Answer(asked, uses=tuple(use for item in items for use in image_uses(kind, item)), namespaces=namespaces)


def _each_stream(keys: t.Sequence[Key], read: t.Callable[[Key], t.Any], width: int) -> list[_OneStream]:
    """Read something of each stream; one that was deleted in between is found to be None."""

    def one(key: Key) -> _OneStream:
        try:
            return _OneStream(key, read(key))
        except NotFound:
            return _OneStream(key)
        except CollectionError as error:
            return _OneStream(key, error=error)

    return each_with_outcome(keys, one, lambda key, error: _OneStream(key, error=error), width=width)


def _projects(client: ReadingClient, refused: Forbidden) -> tuple[str, ...]:
    """Return the caller's projects: every user of OpenShift may list those that it has access to."""
    try:
        projects = client.list_items(api_path("project.openshift.io/v1", None, "projects"))
    except (ApiNotServed, Forbidden):
        raise refused from None
    return tuple(sorted(project["metadata"]["name"] for project in projects))


def _check_existence(client: ReadingClient, namespace: str, observed: Observed) -> None:
    """Note a namespace that does not exist: the API server lists it as empty."""
    try:
        check_namespace_exists(client, namespace)
    except CollectionError as error:
        observed.fail(namespace, "namespaces", error)
