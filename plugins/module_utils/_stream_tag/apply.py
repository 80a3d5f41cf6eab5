# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry the plan for a tag out, against the version of the stream that was read.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from typing import NamedTuple

from .._cluster.client import STRATEGIC_MERGE, ClusterClient, image_path
from .._cluster.facts import check_namespace_exists
from .._cluster.optimistic import WriteTracker, retry_until_settled
from .._core.owners import Owner, judge
from .._import_engine.observed import ObservedStream, ObservedTag
from .._import_engine.removal import drop_history, remove_tags
from .desired import DesiredStreamTag
from .observed import observe_stream_tag
from .plan import StreamTagPlan, plan_stream_tag


class TagChange(NamedTuple):
    """The tag before and after the run, or as check mode foresees it.

    ``owner`` is who else reconciles the stream, ``warnings`` what they may do.
    """

    before: ObservedTag | None
    after: ObservedTag | None
    reasons: tuple[str, ...]
    removed: bool = False
    owner: Owner | None = None
    warnings: tuple[str, ...] = ()


def converge_stream_tag(client: ClusterClient, desired: DesiredStreamTag, *, check_mode: bool) -> TagChange:
    """Converge the tag, or tell what that would do. Raises ``CollectionError``."""
    writes: WriteTracker[StreamTagPlan] = WriteTracker()
    first: list[tuple[ObservedTag | None, StreamTagPlan]] = []

    def attempt() -> TagChange:
        observed = observe_stream_tag(client, desired)
        plan = plan_stream_tag(desired, observed.stream, observed.images, observed.source_images)
        before, owner = observed.stream.tags.get(desired.tag), observed.stream.owner
        # The history of a tag that is not declared any more is nobody's.
        warnings = _respect(desired, owner) if plan.entry or (plan.remove and before) else ()
        if check_mode:
            if plan.create:
                check_namespace_exists(client, desired.namespace)
            return TagChange(before, plan.after, plan.reasons, plan.remove, owner, warnings)
        if not (plan.entry or plan.remove):
            if first and writes.last:
                # A write that no answer came to was carried out after all.
                return TagChange(first[0][0], before, first[0][1].reasons, first[0][1].remove, owner)
            return TagChange(before, before, plan.reasons, owner=owner)
        if not first:
            first.append((before, plan))
        writes.send(lambda: _write(client, desired, observed.stream, plan), plan)
        return TagChange(before, plan.after, plan.reasons, plan.remove, owner, warnings)

    return retry_until_settled(attempt, f"The tag {desired.where}", writes)


def _respect(desired: DesiredStreamTag, owner: Owner | None) -> tuple[str, ...]:
    """Raise if somebody else reconciles the stream and would undo the change; return a warning if they may."""
    refusal, warning = judge(f'The image stream "{desired.namespace}/{desired.stream}"', owner, desired.take_over)
    if refusal is not None:
        raise refusal
    return (warning,) if warning else ()


def _write(client: ClusterClient, desired: DesiredStreamTag, observed: ObservedStream, plan: StreamTagPlan) -> None:
    path = image_path(desired.namespace, "imagestreams", desired.stream)
    if plan.remove:
        if desired.tag in observed.tags:
            remove_tags(client, path, [desired.tag], observed.resource_version)
        drop_history(client, desired.namespace, desired.stream, desired.tag)
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
