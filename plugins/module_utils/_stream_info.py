# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams described for people and for variables: everything a stream holds, read and never changed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.quayside.openshift_images.plugins.module_utils._client import ClusterClient, image_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    InputError,
    NotFound,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._references import (
    PullSpec,
    check_namespace,
    check_stream_name,
    check_tag_name,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_import import Image, parse_image, shown_manifests
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_observed import (
    EXTERNAL,
    ImportFailure,
    ObservedStream,
    ObservedTag,
    parse_stream,
)

if t.TYPE_CHECKING:
    # What only upstream: true needs is imported where it is used: see _payload.
    from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_report import RemedyFor
    from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_result import StreamResult

ALL_NAMESPACES_PATH = "/apis/image.openshift.io/v1/imagestreams"


class Selection(t.NamedTuple):
    """Which streams to describe; without namespaces those of the whole cluster, without names all of a namespace."""

    namespaces: tuple[str, ...]
    names: tuple[str, ...]
    label_selector: str


@dataclass
class Found:
    """ImageStream objects as the API returned them, in order of namespace and name, and what could not be read."""

    objects: list[dict[str, t.Any]] = field(default_factory=list)
    errors: dict[str, CollectionError] = field(default_factory=dict)


class Adoption(t.NamedTuple):
    """A stream as the input of image_stream_import, and the tags that this input cannot carry with the reason."""

    variables: dict[str, t.Any]
    left_out: tuple[tuple[str, str], ...]


def selection(params: t.Mapping[str, t.Any]) -> Selection:
    """Turn the module's options into a selection; raise ``InputError`` for names that cannot exist."""
    namespaces = tuple(dict.fromkeys(_one_or_many(params, "namespace", "namespaces")))
    names = tuple(dict.fromkeys(_one_or_many(params, "name", "names")))
    for namespace in namespaces:
        check_namespace(namespace)
    for name in names:
        check_stream_name("", name)
    return Selection(namespaces, names, ",".join(params.get("label_selectors") or ()))


def _one_or_many(params: t.Mapping[str, t.Any], one: str, many: str) -> list[str]:
    values = params.get(many)
    if values is not None and not values:
        raise InputError(f"{many} is empty: list at least one, or leave it out")
    return list(values or ([params[one]] if params.get(one) else []))


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
        with ThreadPoolExecutor(max_workers=concurrency) as pool:
            for namespace, part in zip(wanted.namespaces, pool.map(lambda ns: _read(client, ns, wanted), wanted.namespaces)):
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


def info_report(
    client: ClusterClient, found: Found, remedy_for: RemedyFor | None, *, with_images: bool, concurrency: int, timeout: int
) -> Report:
    """Describe what was found; with ``remedy_for``, also what the registries serve now for each tag (upstream), and
    ``with_images`` the media types and children of the images that the tags have.

    The registries are asked as check mode of image_stream_import asks them, with each tag's own policy.
    """
    observed = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in found.objects}
    parsed = {key: parse_stream(key[0], item) for key, item in observed.items()}
    adoptions = {key: adopt(stream) for key, stream in parsed.items()}
    streams = [describe(item, adoptions[key]) for key, item in observed.items()]
    if remedy_for:
        from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_desired import desired_streams
        from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_run import foresee_streams

        desired = desired_streams({"streams": [adoption.variables for adoption in adoptions.values()]}) if adoptions else []
        foreseen = foresee_streams(client, desired, parsed, concurrency=concurrency, timeout=timeout) if desired else []
        for stream, result in zip(streams, foreseen):
            _add_upstream(stream, result, remedy_for)
    if with_images:
        found.errors.update(_add_images(client, streams, concurrency))
    failed = [{"namespace": namespace, "error": str(error)} for namespace, error in found.errors.items()]
    return Report(
        changed=False,
        results={
            "streams": streams,
            "as_variables": [adoption.variables for adoption in adoptions.values()],
            "failed_namespaces": failed,
        },
        failure="Not every namespace could be read:\n" + "\n".join(f"- {entry['error']}" for entry in failed) if failed else None,
    )


def _add_upstream(stream: dict[str, t.Any], result: StreamResult, remedy_for: RemedyFor) -> None:
    sources = {tag.name: tag.source for tag in result.desired.tags}
    for tag in stream["tags"]:
        if tag["name"] not in sources:
            continue
        tag["reasons"] = list(result.reasons.get(tag["name"], ()))
        outcome = result.outcomes.get(tag["name"])
        shown: dict[str, t.Any] = {"digest": None, "media_type": None, "manifests": [], "moved": False, "error": None}
        if isinstance(outcome, Image):
            shown.update(
                digest=outcome.digest,
                media_type=outcome.media_type or None,
                manifests=shown_manifests(outcome),
                moved=outcome.digest != (tag["digest"] or ""),
            )
            if not shown["moved"]:
                tag.update(media_type=shown["media_type"], manifests=shown["manifests"])
        elif isinstance(outcome, ImportFailure):
            remedy = remedy_for(stream["namespace"], sources[tag["name"]], outcome)
            text = f"{outcome.reason}: {outcome.message}" if outcome.reason else outcome.message
            shown["error"] = f"{text} - {remedy}" if remedy else text
        elif result.error:
            shown["error"] = str(result.error)
        elif sources[tag["name"]].digest:
            # A source by digest cannot move.
            shown["digest"] = tag["digest"]
        tag["upstream"] = shown


def _add_images(client: ClusterClient, streams: t.Sequence[dict[str, t.Any]], concurrency: int) -> dict[str, CollectionError]:
    """Read each different image of the tags from the cluster; return what could not be read, by namespace."""
    holders: dict[tuple[str, str], list[dict[str, t.Any]]] = {}
    for stream in streams:
        for tag in stream["tags"]:
            if tag["digest"] and not tag["media_type"]:
                holders.setdefault((stream["namespace"], f"{stream['name']}@{tag['digest']}"), []).append(tag)

    def read(which: tuple[str, str]) -> Image | CollectionError | None:
        try:
            return parse_image(client.get(image_path(which[0], "imagestreamimages", which[1])).get("image") or {}, "")
        except NotFound:
            # Pruned meanwhile.
            return None
        except (ApiUnreachable, Unauthorized):
            raise
        except CollectionError as error:
            return error

    errors: dict[str, CollectionError] = {}
    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        for which, image in zip(holders, pool.map(read, holders)):
            if isinstance(image, CollectionError):
                errors[which[0]] = image
            elif image is not None:
                for tag in holders[which]:
                    tag.update(media_type=image.media_type or None, manifests=shown_manifests(image))
    return errors


def adopt(stream: ObservedStream) -> Adoption:
    """Return the stream as an entry of ``streams`` of image_stream_import.

    Importing it back changes nothing: it holds what tracks an external image, with every policy as it is.
    """
    tags, left_out = [], []
    for tag in stream.tags.values():
        reason = _why_left_out(tag)
        if reason:
            left_out.append((tag.name, reason))
            continue
        entry: dict[str, t.Any] = {"name": tag.name, "from": tag.source}
        if tag.import_mode:
            entry["import_mode"] = tag.import_mode
        if tag.reference_policy:
            entry["reference_policy"] = tag.reference_policy
        entry.update(scheduled=tag.scheduled, insecure=tag.insecure)
        if tag.prefer_architecture:
            entry["prefer_architecture"] = tag.prefer_architecture
        if tag.prefer_os:
            entry["prefer_os"] = tag.prefer_os
        tags.append(entry)
    variables: dict[str, t.Any] = {
        "namespace": stream.namespace,
        "name": stream.name,
        "lookup_policy_local": stream.lookup_policy_local,
    }
    if tags:
        variables["tags"] = tags
    return Adoption(variables, tuple(left_out))


def _why_left_out(tag: ObservedTag) -> str:
    if tag.kind != EXTERNAL:
        return f"it follows the {tag.kind} {tag.source}" if tag.kind else "it has no source: images are pushed to it"
    if tag.reference:
        return "it is a reference, which is not imported"
    try:
        check_tag_name(tag.name)
        PullSpec.parse(tag.source)
    except InputError as error:
        return error.message
    return ""


def describe(stream: t.Mapping[str, t.Any], adoption: Adoption) -> dict[str, t.Any]:
    """Return everything the stream holds: its tags with their histories and conditions, and its variables."""
    metadata, status = stream["metadata"], stream.get("status") or {}
    observed = parse_stream(metadata["namespace"], stream)
    history = {entry["tag"]: entry for entry in status.get("tags") or ()}
    names = list(observed.tags) + [name for name in history if name not in observed.tags]
    return {
        "namespace": observed.namespace,
        "name": observed.name,
        "state": "present",
        "generation": metadata.get("generation"),
        "resource_version": observed.resource_version,
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "lookup_policy_local": observed.lookup_policy_local,
        "image_repository": status.get("dockerImageRepository") or None,
        "changed": False,
        "tags": [_describe_tag(name, observed.tags.get(name), history.get(name) or {}) for name in sorted(names)],
        "as_variables": adoption.variables,
        "not_in_variables": [{"tag": name, "reason": reason} for name, reason in adoption.left_out],
    }


def _describe_tag(name: str, tag: ObservedTag | None, status: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    shown = tag or ObservedTag(name, kind="")
    items: t.Sequence[t.Mapping[str, t.Any]] = status.get("items") or ()
    failure = shown.failure
    return {
        "name": name,
        "in_spec": tag is not None,
        "from": shown.source or None,
        "from_kind": shown.kind or None,
        "from_namespace": shown.source_namespace or None,
        "reference": shown.reference,
        "import_mode": shown.import_mode or None,
        "reference_policy": shown.reference_policy or None,
        "scheduled": shown.scheduled,
        "insecure": shown.insecure,
        "prefer_architecture": shown.prefer_architecture or None,
        "prefer_os": shown.prefer_os or None,
        "generation": shown.generation or None,
        "pending": shown.pending,
        "digest": (items[0].get("image") or None) if items else None,
        "previous_digest": (items[1].get("image") or None) if len(items) > 1 else None,
        "media_type": None,
        "manifests": [],
        "changed": False,
        "reasons": [],
        "history": [
            {
                "digest": item.get("image") or None,
                "image": item.get("dockerImageReference") or None,
                "created": item.get("created"),
                "generation": item.get("generation"),
            }
            for item in items
        ],
        "conditions": [
            {
                "type": condition.get("type"),
                "status": condition.get("status"),
                "reason": condition.get("reason") or None,
                "message": condition.get("message") or None,
                "last_transition_time": condition.get("lastTransitionTime"),
                "generation": condition.get("generation"),
            }
            for condition in status.get("conditions") or ()
        ],
        "error": (f"{failure.reason}: {failure.message}" if failure.reason else failure.message) if failure else None,
    }
