# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a tag that is to be changed: which settings differ, its part of a patch, and the tag as it will be.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .desired import DesiredTag
from .images import EXTERNAL, Image, ImportFailure, Outcome
from .observed import PREFER_ARCHITECTURE, PREFER_OS, ObservedTag
from .plan_types import (
    IMPORT_MODE_CHANGED,
    INSECURE_CHANGED,
    PREFERENCE_CHANGED,
    REFERENCE_CHANGED,
    REFERENCE_POLICY_CHANGED,
    SCHEDULED_CHANGED,
    SOURCE_CHANGED,
    UNKNOWN_IMAGE,
    TagPlan,
)


def preference(tag: ObservedTag) -> tuple[str, str]:
    """Return the platform that steers Legacy's choice for the tag: operating system and architecture."""
    return tag.prefer_os, tag.prefer_architecture


def setting_changes(wanted: ObservedTag, observed: ObservedTag) -> list[str]:
    """Return the reasons for which a tag differs from the wanted one, but for its source and image."""
    differs = {
        REFERENCE_CHANGED: wanted.reference != observed.reference,
        IMPORT_MODE_CHANGED: wanted.import_mode != observed.import_mode,
        REFERENCE_POLICY_CHANGED: wanted.reference_policy != observed.reference_policy,
        SCHEDULED_CHANGED: wanted.scheduled != observed.scheduled,
        INSECURE_CHANGED: wanted.insecure != observed.insecure,
        PREFERENCE_CHANGED: preference(wanted) != preference(observed),
    }
    return [reason for reason, it_does in differs.items() if it_does]


def tag_patch(
    desired: DesiredTag,
    observed: ObservedTag | None,
    wanted: ObservedTag,
    reasons: t.Container[str],
    importing: bool,
    outcome: Outcome | None,
) -> dict[str, t.Any] | None:
    """Return the tag's entry of a patch, or of the stream to create; None if a patch has nothing to do."""
    if observed is None:
        # What may not be imported from its registry may not be tracked there either: the server refuses such a tag in a
        # patch too.
        refused = isinstance(outcome, ImportFailure) and outcome.of_forbidden_registry
        return _new_tag(wanted) if importing and desired.has_preference and not refused else None
    changes: dict[str, t.Any] = {}
    if PREFERENCE_CHANGED in reasons and preference(wanted) != preference(observed):
        changes["annotations"] = {
            PREFER_ARCHITECTURE: wanted.prefer_architecture or None,
            PREFER_OS: wanted.prefer_os or None,
        }
    if REFERENCE_CHANGED in reasons:
        # An import leaves that as it is, and what is a reference is not imported periodically.
        changes["reference"] = wanted.reference
    if REFERENCE_POLICY_CHANGED in reasons:
        changes["referencePolicy"] = {"type": wanted.reference_policy}
    # An import that fails leaves the policy of a tag as it was (contract case failed_refresh_keeps_last_image).
    policy_stays = not importing or isinstance(outcome, ImportFailure)
    # One that follows another tag takes no such policy: it has to become external first.
    if policy_stays and observed.kind == EXTERNAL and (SCHEDULED_CHANGED in reasons or INSECURE_CHANGED in reasons):
        changes["importPolicy"] = {"scheduled": wanted.scheduled, "insecure": wanted.insecure}
    stays = (
        isinstance(outcome, Image)
        and outcome.reference == observed.image
        and not observed.generation > observed.image_generation
    )
    if SOURCE_CHANGED in reasons and importing and stays:
        # An import of the image that the tag has already does not rewrite its source (contract case source_change).
        changes["from"] = {"kind": EXTERNAL, "name": wanted.source}
        if observed.source_namespace:
            changes["from"]["namespace"] = None
    return {"name": desired.name, **changes} if changes else None


def _new_tag(wanted: ObservedTag) -> dict[str, t.Any]:
    """Return the entry of a tag that has to be there, with its preference, before it is imported."""
    policy: dict[str, t.Any] = {"insecure": wanted.insecure, "scheduled": wanted.scheduled}
    if wanted.import_mode:
        policy["importMode"] = wanted.import_mode
    entry: dict[str, t.Any] = {
        "name": wanted.name,
        "from": {"kind": EXTERNAL, "name": wanted.source},
        "importPolicy": policy,
    }
    if wanted.reference_policy:
        entry["referencePolicy"] = {"type": wanted.reference_policy}
    preferred = ((PREFER_ARCHITECTURE, wanted.prefer_architecture), (PREFER_OS, wanted.prefer_os))
    return {**entry, "annotations": {key: value for key, value in preferred if value}}


def tag_after(observed: ObservedTag | None, wanted: ObservedTag, plan: TagPlan, importing: bool) -> ObservedTag | None:
    """Return the tag as it will be once the plan is carried out, as far as a plan can tell."""
    new = wanted._replace(reference_policy=wanted.reference_policy or "Source")
    after = observed
    if plan.patch:
        after = new if observed is None else _patched(observed, wanted, plan.patch)
    if not importing:
        return after
    if isinstance(plan.outcome, ImportFailure):
        return _after_failure(observed, after, after or new, plan.outcome)
    image = plan.outcome or UNKNOWN_IMAGE
    return new._replace(
        import_mode=new.import_mode or image.import_mode,
        digest=image.digest,
        image=image.reference,
        failure=None,
        generation=0,
        image_generation=0,
        failure_generation=0,
    )


def _after_failure(
    observed: ObservedTag | None, patched: ObservedTag | None, base: ObservedTag, failure: ImportFailure
) -> ObservedTag | None:
    """Return the tag after an import that failed; ``patched`` is what the patch before it made, if there was one."""
    if base.failure == failure and observed is not None:
        # The same failure again touches neither the condition nor a generation (server-behaviour.md 2.5).
        return base
    base = base._replace(import_mode=base.import_mode or failure.import_mode)
    ahead = base._replace(generation=1 + max(base.image_generation, base.failure_generation))
    if base.failure == failure:
        # The condition is older than the tag.
        return ahead
    if failure.reason == "Invalid":
        # The import records nothing: a new tag is there only if a patch made it, and waits for its image.
        return ahead if patched and observed is None else patched
    return base._replace(failure=failure, generation=0, image_generation=0, failure_generation=0)


def _patched(observed: ObservedTag, wanted: ObservedTag, patch: t.Mapping[str, t.Any]) -> ObservedTag:
    after = observed
    if "annotations" in patch:
        after = after._replace(prefer_architecture=wanted.prefer_architecture, prefer_os=wanted.prefer_os)
    if "reference" in patch:
        after = after._replace(reference=wanted.reference)
    if "referencePolicy" in patch:
        after = after._replace(reference_policy=wanted.reference_policy)
    if "importPolicy" in patch:
        after = after._replace(scheduled=wanted.scheduled, insecure=wanted.insecure)
    if "from" in patch:
        after = after._replace(kind=wanted.kind, source=wanted.source, source_namespace="")
    return after
