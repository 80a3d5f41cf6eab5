# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan reduced to the changes that were approved.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .._core.changes import Approved, Change
from .observed import ObservedStream, ObservedTag
from .plan_types import LAST_IMPORT_FAILED, NEVER_IMPORTED, STREAM_MISSING, Knowledge, StreamPlan, TagPlan
from .view import comes_with_its_tags, stream_view, view

# What is left of an import of this run: to bring the generation level.
_SETTLING = frozenset((NEVER_IMPORTED, LAST_IMPORT_FAILED))


def keep_only_approved(
    approved: Approved, plan: StreamPlan, observed: ObservedStream, knowledge: Knowledge
) -> StreamPlan:
    """Return the plan with the approved changes only.

    What is another change by now is left out, and what is no change that anybody could have seen.
    """
    stream = Change("stream", plan.namespace, plan.name, stream_view(observed), stream_view(plan.after))
    held_back: dict[str, tuple[str, ...]] = {}
    delete, local = plan.delete, plan.lookup_policy_local
    with_tags = comes_with_its_tags(stream.before, stream.after, plan.after.tags)
    if stream.before != stream.after and not with_tags and stream.id not in approved:
        held_back[""] = (STREAM_MISSING,) if stream.before is None else ()
        delete, local = False, None
    tags = []
    for tag in plan.tags:
        changes = _changes(tag, plan, observed, knowledge)
        settling = tag.name in knowledge.attempted and set(tag.reasons) <= _SETTLING
        possible = not (stream.before is None and "" in held_back)
        if settling or (possible and any(change.id in approved for change in changes)):
            tags.append(tag)
            continue
        tags.append(TagPlan(tag.name, after=observed.tags.get(tag.name)))
        if tag.reasons and changes[0].before != changes[0].after:
            held_back[tag.name] = tag.reasons
    # A stream goes with all of its tags or not at all.
    delete = delete and not held_back.keys() - {""}
    return plan._replace(tags=tuple(tags), delete=delete, lookup_policy_local=local, held_back=held_back)


def _changes(tag: TagPlan, plan: StreamPlan, observed: ObservedStream, knowledge: Knowledge) -> list[Change]:
    """Return the ways in which what is planned for a tag can have been shown.

    With its new image, and without knowing it.
    """
    after = plan.after.tags.get(tag.name)
    before = view(_as_shown(tag.name, observed, knowledge))
    ways = [after] if tag.unforeseen is None else [after, tag.unforeseen]
    return [Change("tag", plan.namespace, plan.name, before, view(way), tag.name) for way in ways]


def _as_shown(name: str, observed: ObservedStream, knowledge: Knowledge) -> ObservedTag | None:
    """Return the tag as it was when the run began, if since then only this run has set anything on it.

    Images come from imports, those of the cluster's controller too, and from the tag that it follows (contract case
    tags_between_streams).
    """
    now = observed.tags.get(name)
    if now is None or knowledge.begun_with is None:
        return now
    begun = knowledge.begun_with.tags.get(name)
    ours = [tag.settings for tag in (begun, knowledge.written.get(name)) if tag is not None]
    return begun if now.settings in ours else now
