# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams described for people and for variables: everything a stream holds, read and never changed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient, image_path
from .._core.concurrency import concurrent_map
from .._core.errors import (
    ApiUnreachable,
    CollectionError,
    InputError,
    NotFound,
    Unauthorized,
)
from .._core.references import (
    check_namespace,
    check_stream_name,
)
from .._core.report import Report
from .adoption import Adoption, adopt
from .desired import desired_streams
from .images import Image, ImportFailure, parse_image, shown_manifests
from .observed import Found, ObservedTag, Selection, parse_stream

if t.TYPE_CHECKING:
    from .report import RemedyFor
    from .result import StreamResult


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


def info_report(
    client: ClusterClient,
    found: Found,
    remedy_for: RemedyFor | None,
    *,
    with_images: bool,
    concurrency: int,
    timeout: int,
) -> Report:
    """Describe what was found.

    With ``remedy_for``, also what the registries serve now for each tag (upstream), and ``with_images`` the media types
    and children of the images that the tags have.

    The registries are asked as check mode of image_stream_import asks them, with each tag's own policy.
    """
    observed = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in found.objects}
    parsed = {key: parse_stream(key[0], item) for key, item in observed.items()}
    adoptions = {key: adopt(stream) for key, stream in parsed.items()}
    streams = [describe(item, adoptions[key]) for key, item in observed.items()]
    if remedy_for:
        declared = [adoption.variables for adoption in adoptions.values() if not adoption.refused]
        desired = desired_streams({"streams": declared}) if declared else []
        foreseen = []
        if desired:
            from .run import converge_observed  # noqa: PLC0415 - few ask what upstream has

            foreseen = converge_observed(
                client, desired, parsed, check_mode=True, concurrency=concurrency, timeout=timeout
            )
        for stream, result in zip((stream for stream in streams if stream["as_variables"]), foreseen):
            _add_upstream(stream, result, remedy_for)
    if with_images:
        found.errors.update(_add_images(client, streams, concurrency))
    failed = [{"namespace": namespace, "error": str(error)} for namespace, error in found.errors.items()]
    return Report(
        changed=False,
        results={
            "streams": streams,
            "as_variables": [adoption.variables for adoption in adoptions.values() if not adoption.refused],
            "failed_namespaces": failed,
        },
        failure="Not every namespace could be read:\n" + "\n".join(f"- {entry['error']}" for entry in failed)
        if failed
        else None,
    )


def _add_upstream(stream: dict[str, t.Any], result: StreamResult, remedy_for: RemedyFor) -> None:
    sources = {tag.name: tag.source for tag in result.desired.tags}
    for tag in stream["tags"]:
        if tag["name"] not in sources:
            continue
        tag["reasons"] = list(result.reasons.get(tag["name"], ()))
        outcome = result.outcomes.get(tag["name"])
        shown: dict[str, t.Any] = {
            "digest": None,
            "media_type": None,
            "architecture": None,
            "manifests": [],
            "moved": False,
            "error": None,
        }
        if isinstance(outcome, Image):
            shown.update(
                digest=outcome.digest,
                media_type=outcome.media_type or None,
                architecture=outcome.architecture or None,
                manifests=shown_manifests(outcome),
                moved=outcome.digest != (tag["digest"] or ""),
            )
            if not shown["moved"]:
                tag.update({key: shown[key] for key in ("media_type", "architecture", "manifests")})
        elif isinstance(outcome, ImportFailure):
            remedy = remedy_for(stream["namespace"], sources[tag["name"]], outcome)
            shown["error"] = f"{outcome.text} - {remedy}" if remedy else outcome.text
        elif result.error:
            shown["error"] = str(result.error)
        elif sources[tag["name"]].digest:
            # A source by digest cannot move.
            shown["digest"] = tag["digest"]
        tag["upstream"] = shown


def _add_images(
    client: ClusterClient, streams: t.Sequence[dict[str, t.Any]], concurrency: int
) -> dict[str, CollectionError]:
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
    for which, image in zip(holders, concurrent_map(read, holders, concurrency)):
        if isinstance(image, CollectionError):
            errors[which[0]] = image
        elif image is not None:
            for tag in holders[which]:
                tag.update(
                    media_type=image.media_type or None,
                    architecture=image.architecture or None,
                    manifests=shown_manifests(image),
                )
    return errors


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
        "managed_by": observed.owner.name if observed.owner is not None else None,
        "generation": metadata.get("generation"),
        "resource_version": observed.resource_version,
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "lookup_policy_local": observed.lookup_policy_local,
        "image_repository": status.get("dockerImageRepository") or None,
        "changed": False,
        "tags": [_describe_tag(name, observed.tags.get(name), history.get(name) or {}) for name in sorted(names)],
        "as_variables": None if adoption.refused else adoption.variables,
        "not_in_variables": [{"tag": None, "reason": adoption.refused}] * bool(adoption.refused)
        + [{"tag": one.tag, "reason": one.reason} for one in adoption.left_out],
    }


def _describe_tag(name: str, tag: ObservedTag | None, status: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    shown = tag or ObservedTag(name, kind="")
    items: t.Sequence[t.Mapping[str, t.Any]] = status.get("items") or ()
    failure = shown.failure
    return {
        "name": name,
        "state": "present",
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
        "architecture": None,
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
        "error": failure.text if failure else None,
    }
