# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a tag that is to be changed: its part of a patch, and the tag as it will be.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The plan calls these functions where it has found a reason for a change. They are apart because most tags of most runs have none.
"""

from __future__ import annotations

import typing as t

from .desired import DesiredTag
from .images import Image, Outcome
from .observed import (
    EXTERNAL,
    PREFER_ARCHITECTURE,
    PREFER_OS,
    ImportFailure,
    ObservedTag,
)
from .plan import (
    INSECURE_CHANGED,
    PREFERENCE_CHANGED,
    REFERENCE_CHANGED,
    REFERENCE_POLICY_CHANGED,
    SCHEDULED_CHANGED,
    SOURCE_CHANGED,
    UNKNOWN_IMAGE,
    TagPlan,
)


def tag_patch(
    desired: DesiredTag,
    observed: ObservedTag | None,
    wanted: ObservedTag,
    reasons: list[str],
    importing: bool,
    outcome: Outcome | None,
) -> dict[str, t.Any] | None:
    """Return the tag's entry of a patch, or of the stream to create; None where a patch has nothing to do."""
    if observed is None:
        # What may not be imported from its registry may not be tracked there either: the server refuses such a tag in a patch too.
        if not (importing and desired.has_preference) or (isinstance(outcome, ImportFailure) and outcome.of_forbidden_registry):
            return None
        entry: dict[str, t.Any] = {"name": desired.name, "from": {"kind": EXTERNAL, "name": wanted.source}}
        policy: dict[str, t.Any] = {"insecure": wanted.insecure, "scheduled": wanted.scheduled}
        if wanted.import_mode:
            policy["importMode"] = wanted.import_mode
        entry["importPolicy"] = policy
        if wanted.reference_policy:
            entry["referencePolicy"] = {"type": wanted.reference_policy}
        entry["annotations"] = {
            key: value for key, value in ((PREFER_ARCHITECTURE, wanted.prefer_architecture), (PREFER_OS, wanted.prefer_os)) if value
        }
        return entry
    changes: dict[str, t.Any] = {}
    if PREFERENCE_CHANGED in reasons:
        changes["annotations"] = {PREFER_ARCHITECTURE: wanted.prefer_architecture or None, PREFER_OS: wanted.prefer_os or None}
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
    stays = isinstance(outcome, Image) and outcome.reference == observed.image and not observed.generation > observed.image_generation
    if SOURCE_CHANGED in reasons and importing and stays:
        # An import of the image that the tag has already does not rewrite its source (contract case source_change).
        changes["from"] = {"kind": EXTERNAL, "name": wanted.source}
        if observed.source_namespace:
            changes["from"]["namespace"] = None
    return {"name": desired.name, **changes} if changes else None


def tag_after(observed: ObservedTag | None, wanted: ObservedTag, plan: TagPlan, importing: bool) -> ObservedTag | None:
    """Return the tag as it will be once the plan is carried out, as far as a plan can tell."""
    new = wanted._replace(reference_policy=wanted.reference_policy or "Source")
    after = observed
    if plan.patch:
        after = new if observed is None else _patched(observed, wanted, plan.patch)
    if not importing:
        return after
    if isinstance(plan.outcome, ImportFailure):
        base = after or new
        if base.failure == plan.outcome and observed is not None:
            # The same failure again touches neither the condition nor a generation (server-behaviour.md 2.5).
            return base
        base = base._replace(import_mode=base.import_mode or plan.outcome.import_mode)
        ahead = base._replace(generation=1 + max(base.image_generation, base.failure_generation))
        if base.failure == plan.outcome:
            # The condition is older than the tag.
            return ahead
        if plan.outcome.reason == "Invalid":
            # The import records nothing: a new tag is there only where a patch made it, and waits for its image.
            return ahead if after and observed is None else after
        return base._replace(failure=plan.outcome, generation=0, image_generation=0, failure_generation=0)
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
