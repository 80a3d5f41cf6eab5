# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which objects act when an image stream's tag gets another image: image triggers, read from the objects that carry
them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Workloads of Kubernetes' own kinds carry them in an annotation, a list of JSON objects with ``from``, ``fieldPath``
and ``paused``; deployment configs and build configs in ``spec.triggers``. They are read with one LIST for each kind,
of all namespaces if the caller may, else of some.
"""

from __future__ import annotations

import json
import re
import typing as t
from typing import NamedTuple

from .._cluster.facts import ReadingClient
from .._cluster.paths import api_path
from .._core.concurrency import each_with_outcome
from .._core.errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    Forbidden,
    Unauthorized,
)
from .._core.report import ReadFailure
from .kinds import WORKLOAD_KINDS, WorkloadKind

TRIGGERS_ANNOTATION = "image.openshift.io/triggers"

# The kinds that the cluster's image trigger controller looks at.
TRIGGERED_KINDS: tuple[WorkloadKind, ...] = tuple(
    kind
    for kind in WORKLOAD_KINDS
    if kind.kind in ("Deployment", "DaemonSet", "StatefulSet", "CronJob", "DeploymentConfig", "BuildConfig")
)

_STREAM_TAG = "ImageStreamTag"
_BUILD_STRATEGIES = ("dockerStrategy", "sourceStrategy", "customStrategy")
_CONTAINER_NAME = r"""@\.name\s*==\s*["']([^"']+)["']"""

Object = t.Mapping[str, t.Any]

EVERYWHERE = "*"

_PAGE = {"limit": "500"}


class StreamTag(NamedTuple):
    """A tag of an image stream."""

    namespace: str
    stream: str
    tag: str


class ImageTrigger(NamedTuple):
    """An object that acts when ``watches`` gets another image.

    ``fields`` are the containers, or the paths, whose image is replaced; empty for a build. ``automatic`` is False
    if the trigger is paused, or if a deployment config waits for somebody to start it.
    """

    kind: str
    namespace: str
    name: str
    fields: tuple[str, ...]
    automatic: bool
    watches: StreamTag


class ObservedTriggers:
    """``by_tag``: who acts when the tag gets another image.

    ``namespaces``: where was looked, ``*`` for all of a kind.
    """

    def __init__(self) -> None:
        self.by_tag: dict[StreamTag, list[ImageTrigger]] = {}
        self.namespaces: tuple[str, ...] = (EVERYWHERE,)
        self.not_served: list[str] = []
        self.failures: list[ReadFailure] = []


class _List(NamedTuple):
    kind: WorkloadKind
    namespace: str


class _Answer(NamedTuple):
    asked: _List
    triggers: tuple[ImageTrigger, ...] = ()
    error: CollectionError | None = None


def observe_triggers(
    client: ReadingClient, namespaces: tuple[str, ...] | None, fallback: t.Sequence[str], width: int
) -> ObservedTriggers:
    """Read the image triggers of the namespaces with at most ``width`` requests at once.

    None is all namespaces; a kind that the caller may not list over all of them is read in those of ``fallback``,
    since any namespace can watch a stream of another one. What cannot be read is in ``failures`` and does not hide
    the rest. Raises ApiUnreachable and Unauthorized.
    """
    observed = ObservedTriggers()
    first = [_List(kind, namespace) for kind in TRIGGERED_KINDS for namespace in namespaces or (EVERYWHERE,)]
    answers = _read(client, first, width)
    refused = [
        answer.asked.kind
        for answer in answers
        if answer.asked.namespace == EVERYWHERE and isinstance(answer.error, Forbidden)
    ]
    if refused:
        answers = [answer for answer in answers if answer.asked.kind not in refused]
        answers += _read(client, [_List(kind, namespace) for kind in refused for namespace in fallback], width)
        observed.namespaces = tuple(fallback)
    elif namespaces is not None:
        observed.namespaces = namespaces
    for answer in answers:
        _take(observed, answer)
    return observed


def _take(observed: ObservedTriggers, answer: _Answer) -> None:
    error, plural = answer.error, answer.asked.kind.plural
    if isinstance(error, (ApiUnreachable, Unauthorized)):
        raise error
    if isinstance(error, ApiNotServed):
        if plural not in observed.not_served:
            observed.not_served.append(plural)
    elif error is not None:
        observed.failures.append(ReadFailure(answer.asked.namespace, plural, error))
    for trigger in answer.triggers:
        observed.by_tag.setdefault(trigger.watches, []).append(trigger)


def _read(client: ReadingClient, lists: t.Sequence[_List], width: int) -> list[_Answer]:
    def one(asked: _List) -> _Answer:
        path = api_path(
            asked.kind.group_version, None if asked.namespace == EVERYWHERE else asked.namespace, asked.kind.plural
        )
        try:
            items = client.list_items(path, query=_PAGE)
        except CollectionError as error:
            return _Answer(asked, error=error)
        return _Answer(asked, tuple(trigger for item in items for trigger in image_triggers(asked.kind, item)))

    return each_with_outcome(lists, one, lambda asked, error: _Answer(asked, error=error), width=width)


def image_triggers(kind: WorkloadKind, item: Object) -> list[ImageTrigger]:
    """Return the triggers of an object on tags of image streams; what the controllers could not read is no trigger."""
    metadata = item.get("metadata") or {}
    namespace, name = metadata.get("namespace", ""), metadata.get("name", "")
    found = (
        _in_spec(kind, item.get("spec") or {})
        if kind.kind in ("DeploymentConfig", "BuildConfig")
        else _in_annotation(metadata)
    )
    triggers = []
    for source, fields, automatic in found:
        watches = _watched(source, namespace)
        if watches is not None:
            triggers.append(ImageTrigger(kind.kind, namespace, name, fields, automatic, watches))
    return triggers


_Found = t.Iterator[t.Tuple[Object, t.Tuple[str, ...], bool]]  # noqa: UP006


def _in_annotation(metadata: Object) -> _Found:
    try:
        entries = json.loads((metadata.get("annotations") or {}).get(TRIGGERS_ANNOTATION) or "[]")
    except (ValueError, RecursionError):
        return
    # The controller decodes the list as a whole: one entry of another shape disables all.
    if not (isinstance(entries, list) and all(_is_field_trigger(entry) for entry in entries)):
        return
    for entry in entries:
        path = entry.get("fieldPath") or ""
        container = re.search(_CONTAINER_NAME, path)
        yield entry.get("from") or {}, (container.group(1) if container else path,), not entry.get("paused")


def _is_field_trigger(entry: t.Any) -> bool:
    source = (entry.get("from") or {}) if isinstance(entry, dict) else None
    if not isinstance(source, dict) or not all(
        isinstance(source.get(name) or "", str) for name in ("kind", "namespace", "name")
    ):
        return False
    return isinstance(entry.get("fieldPath") or "", str) and isinstance(entry.get("paused") or False, bool)


def _in_spec(kind: WorkloadKind, spec: Object) -> _Found:
    for trigger in spec.get("triggers") or ():
        # Before Kubernetes' spelling of types there was another one, which is still read.
        if str(trigger.get("type", "")).lower() != "imagechange":
            continue
        if kind.kind == "DeploymentConfig":
            params = trigger.get("imageChangeParams") or {}
            yield params.get("from") or {}, tuple(params.get("containerNames") or ()), bool(params.get("automatic"))
        else:
            change = trigger.get("imageChange") or {}
            yield change.get("from") or _strategy_source(spec), (), not change.get("paused")


def _strategy_source(spec: Object) -> Object:
    """Return what a build is made from: the trigger of a build config that names nothing watches it."""
    strategy = spec.get("strategy") or {}
    for name in _BUILD_STRATEGIES:
        source = (strategy.get(name) or {}).get("from")
        if source:
            found: Object = source
            return found
    return {}


def _watched(source: Object, namespace: str) -> StreamTag | None:
    stream, colon, tag = str(source.get("name") or "").partition(":")
    if source.get("kind") != _STREAM_TAG or not stream:
        return None
    return StreamTag(source.get("namespace") or namespace, stream, tag if colon else "latest")
