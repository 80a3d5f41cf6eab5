# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road of a single tag: observe, plan, apply, report. External images that are imported take the import engine's road.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from functools import partial
from typing import NamedTuple

from .._cluster.client import (
    STRATEGIC_MERGE,
    ClusterClient,
    image_path,
)
from .._cluster.optimistic import WriteTracker, retry_until_settled
from .._cluster.paths import api_path
from .._core.diff import Difference, View
from .._core.errors import ApiUnreachable, CollectionError, NotFound, Unauthorized
from .._core.report import Report
from .._import_engine.desired import DesiredStream
from .._import_engine.observed import (
    EXTERNAL,
    ObservedStream,
    ObservedTag,
    parse_stream,
)
from .._import_engine.report import RemedyFor, stream_report
from .._import_engine.run import converge_streams
from .._import_engine.view import tag_lines, view
from .desired import DesiredStreamTag
from .plan import (
    Images,
    StreamTagPlan,
    plan_stream_tag,
)


class TagChange(NamedTuple):
    """The tag before and after the run, or as check mode foresees it."""

    before: ObservedTag | None
    after: ObservedTag | None
    reasons: tuple[str, ...]
    removed: bool = False


def converge_stream_tag(client: ClusterClient, desired: DesiredStreamTag, *, check_mode: bool) -> TagChange:
    """Make the tag as declared, or tell what that would do. Raises ``CollectionError``."""
    writes: WriteTracker[StreamTagPlan] = WriteTracker()
    first: list[tuple[ObservedTag | None, StreamTagPlan]] = []

    def attempt() -> TagChange:
        raw = _read(client, desired.namespace, desired.stream)
        observed = parse_stream(desired.namespace, raw) if raw else ObservedStream(desired.namespace, desired.stream)
        plan = plan_stream_tag(desired, observed, Images.of(raw or {}), _source_images(client, desired, raw))
        before = observed.tags.get(desired.tag)
        if check_mode:
            if plan.create:
                _check_namespace(client, desired.namespace)
            return TagChange(before, plan.after, plan.reasons, plan.remove)
        if not (plan.entry or plan.remove):
            if first and writes.last:
                # A write that no answer came to was carried out after all.
                return TagChange(first[0][0], before, first[0][1].reasons, first[0][1].remove)
            return TagChange(before, before, plan.reasons)
        if not first:
            first.append((before, plan))
        writes.send(lambda: _write(client, desired, observed, plan), plan)
        return TagChange(before, plan.after, plan.reasons, plan.remove)

    return retry_until_settled(attempt, f"The tag {desired.where}", writes)


def tag_report(desired: DesiredStreamTag, change: TagChange) -> Report:
    """Report on a tag that points into a stream, or is a reference."""
    before, after = view(change.before), view(change.after)
    changed = bool(change.reasons)
    shown = change.after or change.before or ObservedTag(desired.tag, kind="")
    result = {
        "namespace": desired.namespace,
        "stream": desired.stream,
        "tag": desired.tag,
        "state": "absent" if desired.source is None else "present",
        "from_kind": shown.kind or None,
        "from": shown.source or None,
        "from_namespace": shown.source_namespace or None,
        "reference": shown.reference,
        "import_mode": shown.import_mode or None,
        "reference_policy": shown.reference_policy or None,
        "scheduled": shown.scheduled,
        "insecure": shown.insecure,
        "digest": (change.after.digest or None) if change.after else None,
        "previous_digest": (change.before.digest or None) if change.before else None,
        "changed": changed,
        "reasons": list(change.reasons),
        "error": None,
    }
    differences = [_difference(desired, before, after, change.removed)] if changed else []
    return Report(changed, {"tag": result}, differences)


def _difference(desired: DesiredStreamTag, before: View, after: View, removed: bool) -> Difference:
    if before is None and removed:
        return Difference("image stream tag", desired.where, {"state": "history only"}, after)
    return Difference("image stream tag", desired.where, before, after, partial(tag_lines, desired.tag))


def import_stream_tag(
    client: ClusterClient,
    desired: DesiredStreamTag,
    stream: DesiredStream,
    remedy_for: RemedyFor,
    *,
    check_mode: bool,
    timeout: int,
) -> Report:
    """Import an external image into the tag, wait for the verdict and report it. ``timeout`` in seconds."""
    results = converge_streams(client, [stream], check_mode=check_mode, concurrency=1, timeout=timeout)
    report = stream_report(results, remedy_for, only_changed=False)
    shown = report.results["streams"][0]
    tag = {
        "namespace": desired.namespace,
        "stream": desired.stream,
        "tag": desired.tag,
        "state": "present",
        "from_kind": EXTERNAL,
        "from_namespace": None,
        "reference": False,
        **{name: value for name, value in shown["tags"][0].items() if name != "name"},
    }
    report.results = {"tag": tag}
    return report


def _check_namespace(client: ClusterClient, namespace: str) -> None:
    """Raise what creating a stream in a namespace that does not exist would raise; who may not ask is told by the run."""
    try:
        client.get(api_path("v1", None, "namespaces", namespace))
    except (NotFound, ApiUnreachable, Unauthorized):
        raise
    except CollectionError:
        return


def _read(client: ClusterClient, namespace: str, stream: str) -> dict[str, t.Any] | None:
    try:
        found: dict[str, t.Any] = client.get(image_path(namespace, "imagestreams", stream))
    except NotFound:
        return None
    return found


def _source_images(client: ClusterClient, desired: DesiredStreamTag, own: dict[str, t.Any] | None) -> Images | None:
    source = desired.source
    if source is None or source.kind == EXTERNAL:
        return None
    same = (source.namespace, source.stream) == (desired.namespace, desired.stream)
    raw = own if same else _read(client, source.namespace, source.stream)
    return Images.of(raw) if raw else None


def _write(client: ClusterClient, desired: DesiredStreamTag, observed: ObservedStream, plan: StreamTagPlan) -> None:
    path = image_path(desired.namespace, "imagestreams", desired.stream)
    if plan.remove:
        client.request("DELETE", image_path(desired.namespace, "imagestreamtags", f"{desired.stream}:{desired.tag}"), repeatable=False)
    elif plan.create:
        body = {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStream",
            "metadata": {"name": desired.stream, "namespace": desired.namespace},
            "spec": {"tags": [plan.entry]},
        }
        client.request("POST", image_path(desired.namespace, "imagestreams"), body=body, repeatable=False)
    else:
        body = {"metadata": {"resourceVersion": observed.resource_version}, "spec": {"tags": [plan.entry]}}
        client.request("PATCH", path, body=body, content_type=STRATEGIC_MERGE, repeatable=False)
