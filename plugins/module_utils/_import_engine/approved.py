# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan held to the changes that were approved. Imported only where some were.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .._core.changes import Approved, Change
from .observed import FOLLOWING, ObservedStream, ObservedTag
from .plan import (
    LAST_IMPORT_FAILED,
    NEVER_IMPORTED,
    STREAM_MISSING,
    Knowledge,
    StreamPlan,
    TagPlan,
    followed_tag,
)
from .view import comes_with_its_tags, stream_view, view

# What is left of an import of this run: to bring the generation level.
_SETTLING = frozenset((NEVER_IMPORTED, LAST_IMPORT_FAILED))


def hold_to(approved: Approved, plan: StreamPlan, observed: ObservedStream, knowledge: Knowledge) -> None:
    """Take out of the plan what is another change than the approved ones, or no change that anybody could have seen."""
    namespace, name = plan.namespace, plan.name
    stream = Change("stream", namespace, name, stream_view(observed), stream_view(plan.after))
    with_tags = comes_with_its_tags(stream.before, stream.after, plan.after.tags)
    if stream.before != stream.after and not with_tags and stream.id not in approved:
        plan.held_back[""] = (STREAM_MISSING,) if stream.before is None else ()
        plan.delete, plan.lookup_policy_local = False, None
    for index, tag in enumerate(plan.tags):
        after = plan.after.tags.get(tag.name)
        before = _as_shown(tag.name, observed, after, knowledge)
        if tag.name in knowledge.attempted and set(tag.reasons) <= _SETTLING:
            continue
        ways = [after] if tag.unforeseen is None else [after, tag.unforeseen]
        changes = [Change("tag", namespace, name, view(before), view(way), tag.name) for way in ways]
        if any(change.id in approved for change in changes) and not (stream.before is None and "" in plan.held_back):
            continue
        plan.tags[index] = TagPlan(tag.name, after=observed.tags.get(tag.name))
        if changes[0].before != changes[0].after:
            plan.held_back[tag.name] = tag.reasons
    if plan.held_back.keys() - {""}:
        # A stream goes with all of its tags or not at all.
        plan.delete = False


def _as_shown(name: str, observed: ObservedStream, after: ObservedTag | None, knowledge: Knowledge) -> ObservedTag | None:
    """Return the tag as it was when the run began, where since then only the tag that it follows has moved it along: the run
    imports that one with it (contract case tags_between_streams). Its own import of this run, made after that, has set its import
    policy and not its source."""
    now = observed.tags.get(name)
    begun = knowledge.begun_with.tags.get(name) if knowledge.begun_with else None
    if now is None or begun is None or now.kind != FOLLOWING or followed_tag(observed.name, now) not in knowledge.attempted:
        return now
    moved = begun._replace(
        digest=now.digest, image=now.image, image_generation=now.image_generation, failure=now.failure, failure_generation=now.failure_generation
    )
    if now == moved or after is None or name not in knowledge.attempted:
        return begun if now == moved else now
    imported = moved._replace(generation=now.generation, import_mode=after.import_mode, scheduled=after.scheduled, insecure=after.insecure)
    return begun if now == imported else now
