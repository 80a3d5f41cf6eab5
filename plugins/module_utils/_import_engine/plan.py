# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for image streams: a pure function of what is declared, what the cluster has, and what the registry serves.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

This is the only place that decides what is to be done and why. The plan names the channel of each change, because the
server takes some of them only through one (server-behaviour.md 2.4, 2.11):

- an import brings images, the verdict on them, and a tag's complete import policy;
- a patch of the stream sets what an import cannot: reference policy, that a reference ends, platform preference, lookup policy, a source whose
  image is the one that the tag has already (contract case source_change); and it sets scheduled and insecure where no
  image is to be brought, since it starts no import;
- a preference is patched before the import that reads it (contract case prefer_architecture).

Where the plan depends on what the registry serves and that is not known yet, it names the lookups that it needs.
"""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from .._core.manifests import legacy_choice
from .desired import DesiredStream, DesiredTag
from .images import Image, ImportItem, Lookup, Outcome
from .observed import (
    EXTERNAL,
    FOLLOWING,
    ImportFailure,
    ObservedStream,
    ObservedTag,
)

STREAM_MISSING = "stream_missing"
TAG_MISSING = "tag_missing"
SOURCE_CHANGED = "source_changed"
IMPORT_MODE_CHANGED = "import_mode_changed"
REFERENCE_POLICY_CHANGED = "reference_policy_changed"
SCHEDULED_CHANGED = "scheduled_changed"
INSECURE_CHANGED = "insecure_changed"
PREFERENCE_CHANGED = "preference_changed"
REFERENCE_CHANGED = "reference_changed"
UPSTREAM_MOVED = "upstream_moved"
LAST_IMPORT_FAILED = "last_import_failed"
NEVER_IMPORTED = "never_imported"
FORCED = "forced"
NOT_LISTED = "not_listed"
PUSHED = "pushed"

_LEGACY = "Legacy"
_PRESERVE = "PreserveOriginal"

# What an import will bring where nobody can tell before.
UNKNOWN_IMAGE = Image("", "", "", (), "")

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


@dataclass(eq=False, repr=False)
class TagPlan:
    """What is to be done for one tag.

    ``patch`` is the tag's entry of a strategic merge patch, ``item`` its part of an import request, ``remove`` deletes tag
    and history. ``failure`` is known before anything is written. ``after`` is the tag as it will be (None: no such tag),
    ``unforeseen`` what could be said of an imported tag without knowing its image. ``lookup`` is what has to be found out
    first; until then nothing else is planned.
    """

    name: str
    reasons: tuple[str, ...] = ()
    patch: dict[str, t.Any] | None = None
    item: ImportItem | None = None
    remove: bool = False
    outcome: Outcome | None = None
    after: ObservedTag | None = None
    unforeseen: ObservedTag | None = None
    lookup: Lookup | None = None


class StreamPlan:
    """What is to be done for one stream, in this order: create or patch, import, remove tags; or delete the whole stream.

    ``held_back`` are the reasons of changes that were not approved, by tag, and by "" for the stream itself.
    """

    def __init__(self, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self.create = False
        self.delete = False
        self.lookup_policy_local: bool | None = None
        self.tags: list[TagPlan] = []
        self.lookups: list[Lookup] = []
        self.after = ObservedStream(namespace, name)
        self.held_back: dict[str, tuple[str, ...]] = {}

    @property
    def patches(self) -> list[dict[str, t.Any]]:
        """Entries for ``spec.tags`` of a patch, or of the stream to create."""
        return [tag.patch for tag in self.tags if tag.patch]

    @property
    def items(self) -> list[ImportItem]:
        """The images to import."""
        return [tag.item for tag in self.tags if tag.item]

    @property
    def removals(self) -> list[str]:
        """The tags to remove."""
        return [tag.name for tag in self.tags if tag.remove]

    @property
    def writes(self) -> bool:
        """Whether carrying the plan out sends any request that can write."""
        policy = self.lookup_policy_local is not None
        return self.create or self.delete or policy or any(tag.patch or tag.item or tag.remove for tag in self.tags)


class Knowledge(NamedTuple):
    """What a plan may rely on besides the cluster's state.

    ``looked_up``: answers of the registry. ``attempted``: outcomes of imports that this run has made, by tag; a tag that
    failed is not tried again in the same run. ``foresee``: check mode, where each import's outcome is looked up first.
    ``control_plane_architecture`` completes a preference for an operating system alone (server-behaviour.md 2.10). ``begun_with``
    is the stream as it was before this run wrote anything to it.
    """

    looked_up: t.Mapping[Lookup, Outcome]
    attempted: t.Mapping[str, Outcome] = MappingProxyType({})
    foresee: bool = False
    control_plane_architecture: str = "amd64"
    begun_with: ObservedStream | None = None


def plan_stream(desired: DesiredStream, observed: ObservedStream, knowledge: Knowledge) -> StreamPlan:
    """Plan one stream. A plan with ``lookups`` is not final: find them out and plan again."""
    plan = StreamPlan(desired.namespace, desired.name)
    if desired.absent:
        plan.delete = observed.exists
        plan.tags = [TagPlan(name, (NOT_LISTED,)) for name in sorted(observed.tags)]
    else:
        _plan_tags(plan, desired, observed, knowledge)
    _complete(plan, desired, observed)
    if desired.approved is not None and not plan.lookups:
        # seldom, so imported here
        from .approved import hold_to

        hold_to(desired.approved, plan, observed, knowledge)
        _complete(plan, desired, observed)
    return plan


def _plan_tags(plan: StreamPlan, desired: DesiredStream, observed: ObservedStream, knowledge: Knowledge) -> None:
    listed = {tag.name for tag in desired.tags}
    for tag in desired.tags:
        tag_plan, lookup = _plan_tag(desired, tag, observed, knowledge)
        plan.tags.append(tag_plan)
        if lookup:
            plan.lookups.append(lookup)
    if desired.purge_tags:
        external = (tag for tag in observed.tags.values() if tag.kind == EXTERNAL and tag.name not in listed)
        plan.tags += [TagPlan(tag.name, (NOT_LISTED,), remove=True) for tag in sorted(external, key=lambda tag: tag.name)]
    local = desired.lookup_policy_local
    if local is not None and local != observed.lookup_policy_local:
        plan.lookup_policy_local = local


def _complete(plan: StreamPlan, desired: DesiredStream, observed: ObservedStream) -> None:
    """Say whether the stream has to be created, and what it will be."""
    if desired.absent:
        plan.after = ObservedStream(desired.namespace, desired.name) if plan.delete else observed
        return
    # An import creates the stream; what an import cannot set has to be there before it.
    empty = desired.lookup_policy_local is not None and not desired.tags and "" not in plan.held_back
    plan.create = not observed.exists and (plan.lookup_policy_local is not None or bool(plan.patches) or empty)
    plan.after = _stream_after(observed, plan)


def select_tags(names: t.Iterable[str], patterns: t.Sequence[str]) -> list[str]:
    """Return the tags of a repository that fit one of the globs, or all where there is none, without those that fit one after ``!``."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return [name for name in names if _fits(name, wanted) and not _fits(name, unwanted)]


def _fits(name: str, patterns: t.Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _plan_tag(
    stream: DesiredStream, desired: DesiredTag, observed_stream: ObservedStream, knowledge: Knowledge
) -> tuple[TagPlan, Lookup | None]:
    observed = observed_stream.tags.get(desired.name)
    if stream.refresh == "pushed" and not _still_tracks(observed, desired):
        # Somebody else changed the tag meanwhile: a push changes no spec.
        return TagPlan(desired.name, after=observed), None
    # A new tag finds the images and the failure of a removed one of its name.
    wanted = _wanted(desired, observed or observed_stream.left.get(desired.name))
    reasons = _reasons(wanted, observed, observed_stream.exists)
    attempt = knowledge.attempted.get(desired.name)
    if stream.refresh in ("always", "pushed") and attempt is None:
        reasons.append(FORCED if stream.refresh == "always" else PUSHED)
    outcome = attempt
    if outcome is None and _must_know(stream, reasons, observed_stream, wanted, desired, knowledge):
        known = _known(stream, desired, observed, wanted, knowledge)
        if isinstance(known, Lookup):
            return TagPlan(desired.name, tuple(reasons), after=observed, lookup=known), known
        outcome = known
    if not reasons and outcome is None:
        return TagPlan(desired.name, after=observed), None
    served = outcome if isinstance(outcome, Image) and outcome.is_known and attempt is None else None
    moved = observed is not None and served is not None and served.digest != observed.digest
    if moved and not _needs_import(reasons, wanted, desired):
        reasons.append(UPSTREAM_MOVED)
    importing = _needs_import(reasons, wanted, desired) and not isinstance(attempt, ImportFailure)
    if isinstance(outcome, ImportFailure) and SOURCE_CHANGED in reasons and observed and observed.digest:
        # The tag keeps its good image and stays free of a failure that is not about its own source.
        importing = False
    plan = TagPlan(desired.name, tuple(reasons), outcome=outcome, after=observed)
    if not reasons:
        return plan, None
    from .tag_changes import tag_after, tag_patch

    plan.patch = tag_patch(desired, observed, wanted, reasons, importing, outcome)
    if importing:
        # The import of a new tag carries only what is declared, so that the cluster's defaults apply to the rest.
        plan.item = ImportItem(
            str(desired.source), desired.name, wanted.import_mode or None, wanted.insecure, wanted.scheduled, wanted.reference_policy or None
        )
        if stream.approved is not None:
            unknown = UNKNOWN_IMAGE._replace(import_mode=outcome.import_mode if outcome else "")
            plan.unforeseen = tag_after(observed, wanted, replace(plan, outcome=unknown), importing)
    plan.after = tag_after(observed, wanted, plan, importing)
    return plan, None


def _still_tracks(observed: ObservedTag | None, desired: DesiredTag) -> bool:
    """Whether the tag is declared on the cluster with the source that was pushed."""
    return observed is not None and (observed.kind, observed.source, observed.reference) == (EXTERNAL, str(desired.source), False)


def _wanted(desired: DesiredTag, observed: ObservedTag | None) -> ObservedTag:
    """Return the tag as it shall be: what is declared, and for the rest what the tag has (unset means keep).

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
    reasons = [] if wanted is observed else _differences(wanted, observed)
    if observed.failure:
        reasons.append(LAST_IMPORT_FAILED)
    elif not observed.digest or observed.pending:
        reasons.append(NEVER_IMPORTED)
    return reasons


def _differences(wanted: ObservedTag, observed: ObservedTag) -> list[str]:
    reasons = []
    if (wanted.kind, wanted.source) != (observed.kind, observed.source):
        reasons.append(SOURCE_CHANGED)
    if wanted.reference != observed.reference:
        reasons.append(REFERENCE_CHANGED)
    if wanted.import_mode != observed.import_mode:
        reasons.append(IMPORT_MODE_CHANGED)
    if wanted.reference_policy != observed.reference_policy:
        reasons.append(REFERENCE_POLICY_CHANGED)
    if wanted.scheduled != observed.scheduled:
        reasons.append(SCHEDULED_CHANGED)
    if wanted.insecure != observed.insecure:
        reasons.append(INSECURE_CHANGED)
    if _preference(wanted) != _preference(observed):
        reasons.append(PREFERENCE_CHANGED)
    return reasons


def _preference(tag: ObservedTag) -> tuple[str, str]:
    return tag.prefer_os, tag.prefer_architecture


def _needs_import(reasons: t.Iterable[str], wanted: ObservedTag, desired: DesiredTag) -> bool:
    if not _NEED_IMPORT.isdisjoint(reasons):
        return True
    # A preference steers Legacy's choice for tags only: a digest names its image already (server-behaviour.md 2.10).
    return PREFERENCE_CHANGED in reasons and wanted.import_mode != _PRESERVE and not desired.source.digest


def _must_know(
    stream: DesiredStream, reasons: list[str], observed_stream: ObservedStream, wanted: ObservedTag, desired: DesiredTag, knowledge: Knowledge
) -> bool:
    """Whether the plan depends on what the registry serves now."""
    observed = observed_stream.tags.get(desired.name)
    if _needs_import(reasons, wanted, desired):
        has_image = observed is not None and bool(observed.digest)
        return knowledge.foresee or (SOURCE_CHANGED in reasons and has_image) or _may_stay_behind(observed_stream, wanted, desired)
    return stream.refresh == "drifted" and not desired.source.digest


def _may_stay_behind(stream: ObservedStream, wanted: ObservedTag, desired: DesiredTag) -> bool:
    """Whether the server may take a new tag in a patch and then refuse to import it, because of its registry: the default port of
    HTTP counts for imports only, and repositories that the stream has already for patches only (server-behaviour.md 2.7)."""
    if desired.name in stream.tags or not desired.has_preference:
        return False
    repository = desired.source.full_repository
    known = (text for tag in (*stream.tags.values(), *stream.left.values()) for text in (tag.source, tag.image))
    return (wanted.insecure and ":" not in desired.source.registry) or any(
        text == repository or text.startswith((f"{repository}:", f"{repository}@")) for text in known
    )


def _known(
    stream: DesiredStream, desired: DesiredTag, observed: ObservedTag | None, wanted: ObservedTag, knowledge: Knowledge
) -> Outcome | Lookup:
    """Return what the registry serves for the tag as wanted, or the lookup that would tell."""
    mode = wanted.import_mode or None
    steered = mode != _PRESERVE and not desired.source.digest
    present = _preference(observed) if observed and steered else ("", "")
    future = _preference(wanted) if steered else ("", "")
    lookup = Lookup(stream.namespace, str(desired.source), mode, wanted.insecure)
    if future == present and any(present):
        lookup = lookup._replace(stream=stream.name, tag=desired.name)
    elif future != present and any(future):
        # The annotation that would steer the lookup is not on the tag yet: look at the list and choose as the server will.
        if mode is None:
            by_default = knowledge.looked_up.get(lookup)
            if by_default is None:
                return lookup
            if isinstance(by_default, ImportFailure) or by_default.import_mode == _PRESERVE:
                return _as_stored(by_default)
        listed = lookup._replace(import_mode=_PRESERVE)
        answer = knowledge.looked_up.get(listed)
        if answer is None:
            return listed
        if isinstance(answer, Image):
            return _as_legacy(answer, future, knowledge.control_plane_architecture)
        # A list of which not every child can be had may serve the one that Legacy takes all the same.
        alone = knowledge.looked_up.get(lookup)
        if alone is None:
            return lookup
        return alone if isinstance(alone, ImportFailure) else UNKNOWN_IMAGE._replace(import_mode=_LEGACY)
    answer = knowledge.looked_up.get(lookup)
    if answer is None:
        return lookup
    return _as_stored(answer)


def _as_stored(answer: Outcome) -> Outcome:
    """Return the outcome of an import whose lookup gave ``answer``."""
    if isinstance(answer, Image) and answer.import_mode == _PRESERVE and answer.without_platform:
        return _platforms_missing(answer)
    return answer


def _as_legacy(answer: Image, preference: tuple[str, str], control_plane_architecture: str) -> Outcome:
    operating_system, architecture = preference
    child = legacy_choice(answer.manifests, architecture or control_plane_architecture, operating_system or "linux")
    if child is None:
        return answer._replace(import_mode=_LEGACY)
    return Image(child.digest, answer.reference.split("@", 1)[0] + "@" + child.digest, child.media_type, (), _LEGACY)


def _platforms_missing(image: Image) -> ImportFailure:
    """Return the failure that the server will give although its lookup succeeds (contract case list_entry_without_platform)."""
    fields = []
    for index, child in enumerate(image.manifests):
        fields += [f"dockerImageManifests[{index}].{name}: Required value" for name in ("architecture", "os") if not getattr(child, name)]
    text = fields[0] if len(fields) == 1 else "[" + ", ".join(fields) + "]"
    return ImportFailure("Invalid", f'Image.image.openshift.io "{image.digest}" is invalid: {text}', image.import_mode)


def _stream_after(observed: ObservedStream, plan: StreamPlan) -> ObservedStream:
    tags = dict(observed.tags)
    for tag in plan.tags:
        if tag.after is not None:
            tags[tag.name] = tag.after
        elif tag.remove:
            tags.pop(tag.name, None)
    for name, follower in [(name, tag) for name, tag in tags.items() if tag.kind == FOLLOWING]:
        followed = followed_tag(plan.name, follower)
        moved, before = tags.get(followed), observed.tags.get(followed) or observed.left.get(followed)
        if moved is not None and moved.digest != (before.digest if before else ""):
            # The server moves what follows a tag of the same stream along, to the generation of now (contract case tags_between_streams).
            tags[name] = follower._replace(digest=moved.digest, image=moved.image, image_generation=follower.generation)
    local = observed.lookup_policy_local if plan.lookup_policy_local is None else plan.lookup_policy_local
    exists = observed.exists or plan.create or bool(tags)
    return observed._replace(name=plan.name, exists=exists, lookup_policy_local=local and exists, tags=tags)


def followed_tag(stream: str, tag: ObservedTag) -> str:
    """Return the tag of the same stream that ``tag``, which follows one, follows; "" for one of another stream."""
    of_stream, _colon, followed = tag.source.rpartition(":")
    return followed if not tag.source_namespace and of_stream in ("", stream) else ""
