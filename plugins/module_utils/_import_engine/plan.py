# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for image streams: a pure function of what is declared, what the cluster has, and what the registry
serves.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

This is the only place that decides what is to be done and why. The plan names the channel of each change, because
the server takes some of them only through one (server-behaviour.md 2.4, 2.11):

- an import brings images, the verdict on them, and a tag's complete import policy;
- a patch of the stream sets what an import cannot: reference policy, that a reference ends, platform preference, lookup
  policy, a source whose image is the one that the tag has already (contract case source_change); and it sets scheduled
  and insecure if no image is to be brought, since it starts no import;
- a preference is patched before the import that reads it (contract case prefer_architecture).

If the plan depends on what the registry serves and that is not known yet, it names the lookups that it needs.
"""

from __future__ import annotations

import typing as t

from .._core.errors import CollectionError
from .._core.manifests import LEGACY, PRESERVE, legacy_choice
from .._core.report import listed
from .approved import keep_only_approved
from .desired import DesiredRepository, DesiredStream, DesiredTag
from .images import EXTERNAL, STREAM_TAG, Image, ImportFailure, ImportItem, Lookup, Outcome
from .observed import ObservedStream, ObservedTag
from .plan_types import (
    FORCED,
    IMPORT_MODE_CHANGED,
    LAST_IMPORT_FAILED,
    NEVER_IMPORTED,
    NOT_LISTED,
    PREFERENCE_CHANGED,
    PUSHED,
    REFERENCE_CHANGED,
    SOURCE_CHANGED,
    STREAM_MISSING,
    TAG_MISSING,
    UNKNOWN_IMAGE,
    UPSTREAM_MOVED,
    Knowledge,
    StreamPlan,
    TagPlan,
    followed_tag,
)
from .tag_changes import preference, setting_changes, tag_after, tag_patch

# Changes that only an import can carry out. The others can be patched.
_NEED_IMPORT = frozenset(
    (
        STREAM_MISSING,
        TAG_MISSING,
        SOURCE_CHANGED,
        REFERENCE_CHANGED,
        IMPORT_MODE_CHANGED,
        UPSTREAM_MOVED,
        LAST_IMPORT_FAILED,
        NEVER_IMPORTED,
        FORCED,
        PUSHED,
    )
)


# A purge by a repository's list may remove so many tags without being asked.
_PURGED_AT_LEAST = 4


class PurgeRefused(CollectionError):
    """A purge would remove more than it may, so that nothing was done to the stream."""


def plan_stream(desired: DesiredStream, observed: ObservedStream, knowledge: Knowledge) -> StreamPlan:
    """Plan one stream. A plan with ``lookups`` is not final: find them out and plan again. Raises ``PurgeRefused``."""
    plan = _deletion(desired, observed) if desired.absent else _convergence(desired, observed, knowledge)
    plan = _completed(plan, desired, observed)
    if desired.approved is None or plan.lookups:
        return plan
    return _completed(keep_only_approved(desired.approved, plan, observed, knowledge), desired, observed)


def _deletion(desired: DesiredStream, observed: ObservedStream) -> StreamPlan:
    tags = tuple(TagPlan(name, (NOT_LISTED,)) for name in sorted(observed.tags))
    return StreamPlan(desired.namespace, desired.name, tags, delete=observed.exists)


def _convergence(desired: DesiredStream, observed: ObservedStream, knowledge: Knowledge) -> StreamPlan:
    tags = [_plan_tag(desired, tag, observed, knowledge) for tag in desired.tags]
    if desired.purge_tags:
        declared = {tag.name for tag in desired.tags}
        external = sorted(
            tag.name for tag in observed.tags.values() if tag.kind == EXTERNAL and tag.name not in declared
        )
        if desired.repository:
            _check_purge(desired, desired.repository, external, len(observed.tags))
        tags += [TagPlan(name, (NOT_LISTED,), remove=True) for name in external]
    local = None if desired.lookup_policy_local == observed.lookup_policy_local else desired.lookup_policy_local
    return StreamPlan(desired.namespace, desired.name, tuple(tags), lookup_policy_local=local)


def _check_purge(desired: DesiredStream, repository: DesiredRepository, names: t.Sequence[str], present: int) -> None:
    """Raise ``PurgeRefused`` if a purge by the list of a repository would remove more tags than it may.

    The list may be wrong.
    """
    limit = max(_PURGED_AT_LEAST, present // 2) if desired.purge_limit is None else desired.purge_limit
    if len(names) > limit:
        raise PurgeRefused(
            f"purge_tags would remove {len(names)} of {present} tags, more than {limit}: {listed(names)}. If that is "
            "right, set purge_limit to "
            f"{len(names)}; if not, look at what {repository.source} lists and at tag_patterns"
        )


def _completed(plan: StreamPlan, desired: DesiredStream, observed: ObservedStream) -> StreamPlan:
    """Return the plan that says whether the stream has to be created, and what it will be."""
    if desired.absent:
        return plan._replace(after=ObservedStream(desired.namespace, desired.name) if plan.delete else observed)
    # An import creates the stream; what an import cannot set has to be there before it.
    empty = desired.lookup_policy_local is not None and not desired.tags and "" not in plan.held_back
    create = not observed.exists and (plan.lookup_policy_local is not None or bool(plan.patches) or empty)
    plan = plan._replace(create=create)
    return plan._replace(after=_stream_after(observed, plan))


def _plan_tag(
    stream: DesiredStream, desired: DesiredTag, observed_stream: ObservedStream, knowledge: Knowledge
) -> TagPlan:
    observed = observed_stream.tags.get(desired.name)
    if stream.refresh == "pushed" and not _still_tracks(observed, desired):
        # Somebody else changed the tag meanwhile: a push changes no spec.
        return TagPlan(desired.name, after=observed)
    # A new tag finds the images and the failure of a removed one of its name.
    wanted = _wanted(desired, observed or observed_stream.left.get(desired.name))
    reasons = _reasons(wanted, observed, observed_stream.exists)
    attempt = knowledge.attempted.get(desired.name)
    if attempt is None and observed is not None and _is_owed(wanted, observed, knowledge):
        reasons.append(PREFERENCE_CHANGED)
    if stream.refresh in ("always", "pushed") and attempt is None:
        reasons.append(FORCED if stream.refresh == "always" else PUSHED)
    outcome = attempt
    if outcome is None and _must_know(stream, reasons, observed_stream, wanted, desired, knowledge):
        known = image_of(stream, desired, observed, wanted, knowledge)
        if isinstance(known, Lookup):
            return TagPlan(desired.name, tuple(reasons), after=observed, lookup=known)
        outcome = known
    if attempt is None and _has_moved(observed, outcome) and not _needs_import(reasons, wanted, desired):
        reasons.append(UPSTREAM_MOVED)
    plan = TagPlan(desired.name, tuple(reasons), outcome=outcome, after=observed)
    if not reasons:
        return plan
    importing = _needs_import(reasons, wanted, desired) and not isinstance(attempt, ImportFailure)
    if isinstance(outcome, ImportFailure) and _stays_without(reasons, observed):
        importing = False
    return _with_changes(plan, stream, desired, observed, wanted, importing)


def _is_owed(wanted: ObservedTag, observed: ObservedTag, knowledge: Knowledge) -> bool:
    """Return whether this run has written a preference that no import has heeded yet, because somebody else wrote the
    stream in between."""
    begun = knowledge.begun_with.tags.get(observed.name) if knowledge.begun_with else None
    return (
        begun is not None
        and observed.name in knowledge.written
        and preference(begun) != preference(wanted) == preference(observed)
        and (observed.digest, observed.image_generation) == (begun.digest, begun.image_generation)
    )


def _stays_without(reasons: t.Collection[str], observed: ObservedTag | None) -> bool:
    """Return whether a tag is left as it is rather than imported in vain.

    It keeps its good image and stays free of a failure: one that is not about its own source, or that nothing but
    this run would have caused, such as a wrong credential beside the tag (contract case hub_second_pass). A tag
    that follows another one gets an image with that one, in the same run perhaps, which takes the failure away or
    comes before it (contract case tags_between_streams).
    """
    if observed is None:
        return False
    if SOURCE_CHANGED in reasons:
        return bool(observed.digest) or observed.kind != EXTERNAL
    return bool(observed.digest) and _is_unprompted(reasons)


def _is_unprompted(reasons: t.Collection[str]) -> bool:
    """Return whether a tag is imported only because each is, and not because anything is wrong with it."""
    return FORCED in reasons and PREFERENCE_CHANGED not in reasons and _NEED_IMPORT.intersection(reasons) == {FORCED}


def _has_moved(observed: ObservedTag | None, served: Outcome | None) -> bool:
    return observed is not None and isinstance(served, Image) and served.is_known and served.digest != observed.digest


def _with_changes(
    plan: TagPlan,
    stream: DesiredStream,
    desired: DesiredTag,
    observed: ObservedTag | None,
    wanted: ObservedTag,
    importing: bool,
) -> TagPlan:
    """Return the plan of a tag that has reasons, with what is to be done for them."""
    plan = plan._replace(patch=tag_patch(desired, observed, wanted, plan.reasons, importing, plan.outcome))
    if importing:
        # The import of a new tag carries only what is declared, so that the cluster's defaults apply to the rest.
        item = ImportItem(
            str(desired.source),
            desired.name,
            wanted.import_mode or None,
            wanted.insecure,
            wanted.scheduled,
            wanted.reference_policy or None,
        )
        plan = plan._replace(item=item)
        if stream.approved is not None:
            unknown = UNKNOWN_IMAGE._replace(import_mode=plan.outcome.import_mode if plan.outcome else "")
            plan = plan._replace(unforeseen=tag_after(observed, wanted, plan._replace(outcome=unknown), importing))
    return plan._replace(after=tag_after(observed, wanted, plan, importing))


def _still_tracks(observed: ObservedTag | None, desired: DesiredTag) -> bool:
    """Return whether the tag is declared on the cluster with the source that was pushed."""
    return observed is not None and (observed.kind, observed.source, observed.reference) == (
        EXTERNAL,
        str(desired.source),
        False,
    )


def _wanted(desired: DesiredTag, observed: ObservedTag | None) -> ObservedTag:
    """Return the tag as it is to be: what is declared, and for the rest what the tag has (unset means keep).

    A tag that is so already is returned itself.
    """
    base = observed or ObservedTag(desired.name)
    declared: dict[str, t.Any] = {
        "kind": EXTERNAL,
        "source": str(desired.source),
        "source_namespace": "",
        "reference": desired.reference,
        "import_mode": desired.import_mode,
        "reference_policy": desired.reference_policy,
        "scheduled": desired.scheduled,
        "insecure": desired.insecure,
        "prefer_architecture": desired.prefer_architecture,
        "prefer_os": desired.prefer_os,
    }
    changes = {name: value for name, value in declared.items() if value is not None and value != getattr(base, name)}
    return base._replace(**changes) if changes else base


def _reasons(wanted: ObservedTag, observed: ObservedTag | None, stream_exists: bool) -> list[str]:
    if not stream_exists:
        return [STREAM_MISSING]
    if observed is None:
        return [TAG_MISSING]
    reasons = []
    if wanted is not observed:
        reasons = [SOURCE_CHANGED] if (wanted.kind, wanted.source) != (observed.kind, observed.source) else []
        reasons += setting_changes(wanted, observed)
    if observed.failure:
        reasons.append(LAST_IMPORT_FAILED)
    elif not observed.digest or observed.pending:
        reasons.append(NEVER_IMPORTED)
    return reasons


def _needs_import(reasons: t.Iterable[str], wanted: ObservedTag, desired: DesiredTag) -> bool:
    if not _NEED_IMPORT.isdisjoint(reasons):
        return True
    # A preference steers Legacy's choice for tags only: a digest names its image already (server-behaviour.md 2.10).
    return PREFERENCE_CHANGED in reasons and wanted.import_mode != PRESERVE and not desired.source.digest


def _must_know(
    stream: DesiredStream,
    reasons: list[str],
    observed_stream: ObservedStream,
    wanted: ObservedTag,
    desired: DesiredTag,
    knowledge: Knowledge,
) -> bool:
    """Return whether the plan depends on what the registry serves now."""
    observed = observed_stream.tags.get(desired.name)
    if _needs_import(reasons, wanted, desired):
        careful = _stays_without(reasons, observed)
        return knowledge.foresee or careful or _may_stay_behind(observed_stream, wanted, desired)
    return stream.refresh == "drifted" and not desired.source.digest


def _may_stay_behind(stream: ObservedStream, wanted: ObservedTag, desired: DesiredTag) -> bool:
    """Return whether the server may take a new tag in a patch and then refuse to import it, because of its registry.

    The default port of HTTP counts for imports only, and repositories that the stream has already for patches only
    (server-behaviour.md 2.7).
    """
    if desired.name in stream.tags or not desired.has_preference:
        return False
    repository = desired.source.full_repository
    known = (text for tag in (*stream.tags.values(), *stream.left.values()) for text in (tag.source, tag.image))
    return (wanted.insecure and ":" not in desired.source.registry) or any(
        text == repository or text.startswith((f"{repository}:", f"{repository}@")) for text in known
    )


def image_of(
    stream: DesiredStream, desired: DesiredTag, observed: ObservedTag | None, wanted: ObservedTag, knowledge: Knowledge
) -> Outcome | Lookup:
    """Return what the registry serves for the tag as wanted, or the lookup that would tell."""
    mode = wanted.import_mode or None
    steered = mode != PRESERVE and not desired.source.digest
    present = preference(observed) if observed and steered else ("", "")
    future = preference(wanted) if steered else ("", "")
    lookup = Lookup(stream.namespace, str(desired.source), mode, wanted.insecure)
    if future == present and any(present):
        lookup = lookup._replace(stream=stream.name, tag=desired.name)
    elif future != present and any(future):
        # The annotation that would steer the lookup is not on the tag yet: look at the list and choose as the server
        # will.
        if mode is None:
            by_default = knowledge.looked_up.get(lookup)
            if by_default is None:
                return lookup
            if isinstance(by_default, ImportFailure) or by_default.import_mode == PRESERVE:
                return _as_stored(by_default)
        listed = lookup._replace(import_mode=PRESERVE)
        answer = knowledge.looked_up.get(listed)
        if answer is None:
            return listed
        if isinstance(answer, Image):
            return _as_legacy(answer, future, knowledge.control_plane_architecture)
        # A list of which not every child can be had may serve the one that Legacy takes all the same.
        alone = knowledge.looked_up.get(lookup)
        if alone is None:
            return lookup
        return alone if isinstance(alone, ImportFailure) else UNKNOWN_IMAGE._replace(import_mode=LEGACY)
    answer = knowledge.looked_up.get(lookup)
    if answer is None:
        return lookup
    return _as_stored(answer)


def _as_stored(answer: Outcome) -> Outcome:
    """Return the outcome of an import whose lookup gave ``answer``."""
    if isinstance(answer, Image) and answer.import_mode == PRESERVE and answer.without_platform:
        return _platforms_missing(answer)
    return answer


def _as_legacy(answer: Image, preference: tuple[str, str], control_plane_architecture: str) -> Outcome:
    operating_system, architecture = preference
    child = legacy_choice(answer.manifests, architecture or control_plane_architecture, operating_system or "linux")
    if child is None:
        return answer._replace(import_mode=LEGACY)
    return Image(
        child.digest,
        answer.reference.split("@", 1)[0] + "@" + child.digest,
        child.media_type,
        (),
        LEGACY,
        child.architecture,
    )


def _platforms_missing(image: Image) -> ImportFailure:
    """Return the failure that the server will give although its lookup succeeds (contract case
    list_entry_without_platform)."""
    fields = []
    for index, child in enumerate(image.manifests):
        fields += [
            f"dockerImageManifests[{index}].{name}: Required value"
            for name in ("architecture", "os")
            if not getattr(child, name)
        ]
    text = fields[0] if len(fields) == 1 else "[" + ", ".join(fields) + "]"
    return ImportFailure("Invalid", f'Image.image.openshift.io "{image.digest}" is invalid: {text}', image.import_mode)


def _stream_after(observed: ObservedStream, plan: StreamPlan) -> ObservedStream:
    tags = dict(observed.tags)
    for tag in plan.tags:
        if tag.after is not None:
            tags[tag.name] = tag.after
        elif tag.remove:
            tags.pop(tag.name, None)
    for name, follower in [(name, tag) for name, tag in tags.items() if tag.kind == STREAM_TAG]:
        followed = followed_tag(plan.namespace, plan.name, follower)
        moved, before = tags.get(followed), observed.tags.get(followed) or observed.left.get(followed)
        if moved is not None and moved.digest != (before.digest if before else ""):
            # The server moves what follows a tag of the same stream along, to the generation of now, and forgets a
            # failure of it (contract case tags_between_streams).
            tags[name] = follower._replace(
                digest=moved.digest,
                image=moved.image,
                image_generation=follower.generation,
                failure=None,
                failure_generation=0,
            )
    local = observed.lookup_policy_local if plan.lookup_policy_local is None else plan.lookup_policy_local
    exists = observed.exists or plan.create or bool(tags)
    return observed._replace(name=plan.name, exists=exists, lookup_policy_local=local and exists, tags=tags)
