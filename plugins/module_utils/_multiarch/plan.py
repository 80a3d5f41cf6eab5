# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags can hold a whole manifest list instead of one child of it, and what that changes; and the way back.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Only an answer under PreserveOriginal shows that the registry serves a list (server-behaviour.md 2.3), so each tag
that is imported as a single image today is looked up in that mode. Nothing here asks or writes anything.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import CollectionError
from .._core.manifests import PRESERVE, Manifest, legacy_choice
from .._core.references import PullSpec
from .._import_engine.adoption import adopt
from .._import_engine.desired import DesiredStream, DesiredTag
from .._import_engine.images import Image, ImportFailure, Lookup
from .._import_engine.observed import ObservedStream, ObservedTag
from .._import_engine.stream_imports import Answer
from .._workloads.triggers import ImageTrigger, StreamTag
from .desired import TagNames

# What a tag that is no candidate is.
PRESERVED = "preserved"
SINGLE = "single"
UNREADABLE = "unreadable"
NOT_EXTERNAL = "not_external"
GONE = "gone"
SOURCE_CHANGED = "source_changed"
NOT_PRESERVED = "not_preserved"
STATES = (PRESERVED, SINGLE, UNREADABLE, NOT_EXTERNAL, GONE, SOURCE_CHANGED, NOT_PRESERVED)

# What attestations beside the images carry as their platform.
_NO_PLATFORM = "unknown/unknown"
_STREAM_TAG = "ImageStreamTag"


class Question(NamedTuple):
    """A tag whose upstream has to be looked up.

    ``wanted`` is what a record says it is to be again, None on the way there.
    """

    stream: ObservedStream
    tag: ObservedTag
    wanted: DesiredTag | None = None

    @property
    def lookup(self) -> Lookup:
        """Return the question to the registry, with the tag's own insecure."""
        return Lookup(self.stream.namespace, self.tag.source, PRESERVE, self.tag.insecure)


class Other(NamedTuple):
    """A tag about which nothing is to be done, its state, and why in words."""

    namespace: str
    stream: str
    tag: str
    source: str
    state: str
    why: str
    failure: ImportFailure | None = None


class Candidate(NamedTuple):
    """A tag that can change between one child and the whole list.

    ``image`` is what the registry serves, ``legacy`` the child that Legacy takes from it now, None if it is no list.
    ``platform`` is that of the image which the tag holds, if it is a child of this list.
    ``why`` says why it cannot be done, and is empty if it can.
    """

    question: Question
    image: Image
    legacy: Manifest | None
    platform: str
    followed_by: tuple[str, ...]
    triggers: tuple[ImageTrigger, ...]
    why: str = ""

    @property
    def back(self) -> bool:
        """Return whether this is about going back to one child."""
        return self.question.wanted is not None

    @property
    def platforms(self) -> tuple[str, ...]:
        """Return the platforms of the list, without its attestations."""
        return tuple(
            dict.fromkeys(
                platform
                for platform in (child.platform for child in self.image.manifests)
                if platform not in ("", _NO_PLATFORM)
            )
        )

    @property
    def difference(self) -> tuple[str, ...]:
        """Return the platforms that only the whole list has: gained by preserving it, lost on the way back."""
        one = (self.legacy.platform if self.legacy else "") if self.back or not self.platform else self.platform
        return tuple(platform for platform in self.platforms if platform != one)

    @property
    def legacy_digest(self) -> str:
        """Return the digest that an import under Legacy brings."""
        return self.legacy.digest if self.legacy else self.image.digest

    @property
    def digest_after(self) -> str:
        """Return the digest that the tag will have."""
        return self.legacy_digest if self.back else self.image.digest

    @property
    def moved(self) -> bool:
        """Return whether the registry serves another image than the tag was imported from."""
        known = {self.image.digest, *(child.digest for child in self.image.manifests)}
        return bool(self.question.tag.digest) and self.question.tag.digest not in known


def questions_there(streams: t.Iterable[ObservedStream], names: TagNames) -> tuple[list[Question], list[Other]]:
    """Divide the tags into those to look up, and those about which it is known already that nothing is to be done."""
    questions, others = [], []
    for stream in streams:
        if not names.has_stream(*stream.key):
            continue
        left_out = {one.tag: one for one in adopt(stream).left_out}
        for tag in sorted(stream.tags.values(), key=lambda tag: tag.name):
            if not names.has_tag(tag.name):
                continue
            if tag.name in left_out:
                reason = left_out[tag.name]
                others.append(_other(stream, tag, UNREADABLE if reason.odd else NOT_EXTERNAL, reason.reason))
            elif tag.import_mode == PRESERVE:
                others.append(_other(stream, tag, PRESERVED, "it preserves what the registry serves already"))
            else:
                questions.append(Question(stream, tag))
    return questions, others


def questions_back(
    recorded: t.Iterable[DesiredStream], observed: t.Mapping[tuple[str, str], ObservedStream]
) -> tuple[list[Question], list[Other]]:
    """Divide a record's tags into those that can go back, and those that are something else by now and are left
    alone."""
    questions, others = [], []
    for stream in recorded:
        found = observed.get(stream.key)
        if found is None:
            continue
        for wanted in stream.tags:
            tag = found.tags.get(wanted.name)
            if tag is None:
                missing = ObservedTag(wanted.name, source=str(wanted.source))
                others.append(_other(found, missing, GONE, "the stream does not have it any more", stream.name))
            elif tag.source != str(wanted.source):
                others.append(
                    _other(
                        found,
                        tag,
                        SOURCE_CHANGED,
                        f"the record is about {wanted.source}, which it does not follow any more",
                    )
                )
            elif tag.import_mode != PRESERVE:
                others.append(
                    _other(found, tag, NOT_PRESERVED, f"its import mode is {tag.import_mode or 'the default'} already")
                )
            else:
                questions.append(Question(found, tag, wanted))
    return questions, others


def judge(
    questions: t.Iterable[Question],
    answers: t.Mapping[Lookup, Answer],
    triggers: t.Mapping[StreamTag, t.Sequence[ImageTrigger]],
    control_plane_architecture: str,
) -> tuple[list[Candidate], list[Other]]:
    """Tell from what the registries serve which of the tags are candidates."""
    candidates, others = [], []
    for question in questions:
        answer = answers[question.lookup]
        if isinstance(answer, CollectionError):
            others.append(_other(question.stream, question.tag, UNREADABLE, str(answer)))
        elif isinstance(answer, ImportFailure):
            text = f"{answer.reason}: {answer.message}" if answer.reason else answer.message
            others.append(_other(question.stream, question.tag, UNREADABLE, text, failure=answer))
        elif not answer.manifests and question.wanted is None:
            others.append(
                _other(question.stream, question.tag, SINGLE, "the registry serves a single image, not a list")
            )
        else:
            candidates.append(_candidate(question, answer, triggers, control_plane_architecture))
    return candidates, others


def _candidate(
    question: Question,
    image: Image,
    triggers: t.Mapping[StreamTag, t.Sequence[ImageTrigger]],
    control_plane_architecture: str,
) -> Candidate:
    stream, tag = question.stream, question.tag
    current = [child for child in image.manifests if child.digest == tag.digest]
    followed_by = _followers(stream, tag.name)
    candidate = Candidate(
        question,
        image,
        _legacy(question, image, control_plane_architecture),
        current[0].platform if current else "",
        followed_by,
        tuple(
            trigger
            for name in (tag.name, *followed_by)
            for trigger in triggers.get(StreamTag(stream.namespace, stream.name, name), ())
        ),
        "" if question.wanted else _why_not(image),
    )
    if candidate.digest_after == tag.digest:
        return Candidate(question, image, candidate.legacy, candidate.platform, followed_by, (), candidate.why)
    return candidate


def _legacy(question: Question, image: Image, control_plane_architecture: str) -> Manifest | None:
    """Return what Legacy takes: a tag's annotations count for sources by tag only (server-behaviour.md 2.10)."""
    by_digest = bool(PullSpec.parse(question.tag.source).digest)
    preferred: ObservedTag | DesiredTag = question.wanted or question.tag
    architecture = "" if by_digest else preferred.prefer_architecture or ""
    operating_system = "" if by_digest else preferred.prefer_os or ""
    return legacy_choice(image.manifests, architecture or control_plane_architecture, operating_system or "linux")


def _why_not(image: Image) -> str:
    """Return why the list cannot be imported, "" if it can.

    The server refuses a whole list if an entry names no platform (contract case list_entry_without_platform)."""
    nameless = image.without_platform
    if not nameless:
        return ""
    entries = "an entry" if len(nameless) == 1 else f"{len(nameless)} entries"
    return (
        f"the list has {entries} without a platform ({', '.join(nameless)}), and the API server refuses to import such "
        "a list: publish it without them, or leave the tag at Legacy"
    )


def _followers(stream: ObservedStream, name: str) -> tuple[str, ...]:
    """Return the tags of the same stream that follow the tag, and so get its image too.

    They follow it directly or through each other.
    """
    found: list[str] = []
    waiting = [name]
    while waiting:
        followed = waiting.pop(0)
        for tag in sorted(stream.tags.values(), key=lambda tag: tag.name):
            inside = tag.kind == _STREAM_TAG and not tag.reference and tag.source_namespace in ("", stream.namespace)
            if (
                inside
                and tag.source in (followed, f"{stream.name}:{followed}")
                and tag.name != name
                and tag.name not in found
            ):
                found.append(tag.name)
                waiting.append(tag.name)
    return tuple(found)


def _other(
    stream: ObservedStream, tag: ObservedTag, state: str, why: str, name: str = "", failure: ImportFailure | None = None
) -> Other:
    return Other(stream.namespace, name or stream.name, tag.name, tag.source, state, why, failure)
