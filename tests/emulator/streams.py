# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams: defaults, validation, generations, tag history (server-behaviour.md 2.4, 2.9, 2.11, 3).

A stream is worked on as ``Stream``, with tags by name; it is stored as the API shows it, with sorted lists.
"""

from __future__ import annotations

import copy
import re
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .admission import INTERNAL_REGISTRY, Admission
from .gotext import now_text, quote
from .objects import REFERENCE_FIELDS, segment_problem
from .pullspec import BadReference, PullSpec
from .statuses import (
    FieldError,
    GroupName,
    StatusError,
    conflict,
    forbidden_value,
    internal_field_error,
    invalid,
    invalid_value,
    not_found,
    required_value,
    value_not_found,
)
from .store import Object

CHECK_ANNOTATION = "openshift.io/image.dockerRepositoryCheck"
IMPORT_MODES = ("", "Legacy", "PreserveOriginal")
_STREAM_NAME = "[a-z0-9]+(?:[._-][a-z0-9]+)*"
_REPOSITORY_LIMIT = 255
_MODE_TEXT = "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'"
_INSECURE_ANNOTATION = "openshift.io/image.insecureRepository"
_FROM_NAME_TEXT = "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>"


def stream_name_problem(name: str) -> str:
    """Return what is wrong with a stream's name; empty if nothing is."""
    return segment_problem(name) or ("" if re.fullmatch(_STREAM_NAME, name) else f"must match {quote(_STREAM_NAME)}")


@dataclass
class Stream:
    """A stream to work on. ``spec_tags``: TagReferences by name; ``status_tags``: {items, conditions} by tag."""

    metadata: Object
    lookup_local: bool = False
    repository: str = ""
    spec_tags: dict[str, Object] = field(default_factory=dict)
    status_tags: dict[str, Object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.metadata.get("namespace", ""))

    @property
    def generation(self) -> int:
        """``metadata.generation``, 0 before it was stored."""
        return int(self.metadata.get("generation", 0))

    @property
    def pull_repository(self) -> str:
        """Where the internal registry serves it."""
        return f"{INTERNAL_REGISTRY}/{self.namespace}/{self.name}"

    def copy(self) -> Stream:
        """Return a deep copy."""
        return copy.deepcopy(self)

    def spec(self) -> Object:
        """``spec`` as the API shows it: tags sorted by name."""
        spec: Object = {"lookupPolicy": {"local": self.lookup_local}}
        if self.repository:
            spec["dockerImageRepository"] = self.repository
        if self.spec_tags:
            spec["tags"] = [self.spec_tags[name] for name in sorted(self.spec_tags)]
        return spec

    def document(self) -> Object:
        """Return the whole as the API shows it."""
        status: Object = {"dockerImageRepository": self.pull_repository}
        if self.status_tags:
            status["tags"] = [_status_tag(name, self.status_tags[name]) for name in sorted(self.status_tags)]
        return {"metadata": self.metadata, "spec": self.spec(), "status": status}

    def latest(self, tag: str) -> Object | None:
        """Return the newest history item of a tag: the item itself, not a copy."""
        items = self.status_tags.get(tag, {}).get("items")
        return items[0] if items else None


def _status_tag(name: str, history: Object) -> Object:
    shown: Object = {"tag": name, "items": history.get("items") or None}
    if history.get("conditions"):
        shown["conditions"] = history["conditions"]
    return shown


class StreamReader:
    """Reads streams and tags from what clients send, and fills in the defaults of this cluster."""

    def __init__(self, default_mode: str = "Legacy") -> None:
        self.default_mode = default_mode

    def read(self, document: Object, metadata: Object) -> Stream:
        """Return a stream as sent or as stored."""
        spec, status = document.get("spec") or {}, document.get("status") or {}
        lookup = spec.get("lookupPolicy") or {}
        tags = [self.tag(entry) for entry in spec.get("tags") or []]
        histories = {}
        for entry in status.get("tags") or []:
            histories[entry["tag"]] = {key: entry[key] for key in ("items", "conditions") if entry.get(key)}
        return Stream(
            metadata,
            lookup_local=bool(lookup.get("local")),
            repository=spec.get("dockerImageRepository") or "",
            spec_tags={tag["name"]: tag for tag in tags},
            status_tags=histories,
        )

    def tag(self, entry: Object | None) -> Object:
        """Return a TagReference with every field that the API shows."""
        given = entry or {}
        tag: Object = {"name": given.get("name") or "", "annotations": given.get("annotations")}
        if given.get("from") is not None:
            tag["from"] = read_reference(given["from"])
        if given.get("reference"):
            tag["reference"] = True
        tag["generation"] = given.get("generation")
        tag["importPolicy"] = self.import_policy(given.get("importPolicy"))
        tag["referencePolicy"] = read_reference_policy(given.get("referencePolicy"))
        return tag

    def import_policy(self, policy: Object | None) -> Object:
        """``importPolicy``: flags that are false are absent, the mode is the cluster's if it is left out."""
        given = policy or {}
        filled: Object = {flag: True for flag in ("insecure", "scheduled") if given.get(flag)}
        filled["importMode"] = given.get("importMode") or self.default_mode
        return filled


def read_reference(reference: Object | None) -> Object:
    """Return an ObjectReference."""
    given = reference or {}
    return {key: given[key] for key in REFERENCE_FIELDS if given.get(key)}


def read_reference_policy(policy: Object | None) -> Object:
    """``referencePolicy``, Source if it is left out."""
    return {"type": (policy or {}).get("type") or "Source"}


# Generations


def prepare_creation(stream: Stream) -> None:
    """Let a new stream and all its tags begin at generation 1."""
    stream.metadata["generation"] = 1
    for tag in stream.spec_tags.values():
        tag["generation"] = 1


def prepare_update(stream: Stream, old: Stream) -> None:
    """Clients may only set a tag's generation to 0; a changed spec raises the stream's, and some changes the tag's."""
    for name, history in list(stream.status_tags.items()):
        if not history.get("items") and not history.get("conditions"):
            del stream.status_tags[name]
    stream.metadata["generation"] = old.generation
    for name, tag in stream.spec_tags.items():
        if tag["generation"] != 0 and name in old.spec_tags:
            tag["generation"] = old.spec_tags[name]["generation"]
    if stream.spec() != old.spec() or not old.generation:
        stream.metadata["generation"] = old.generation + 1
    for name, tag in stream.spec_tags.items():
        earlier = old.spec_tags.get(name)
        if earlier is None or _asks_for_import(earlier, tag, stream.namespace) or not tag["generation"]:
            tag["generation"] = stream.generation


def _asks_for_import(old: Object, new: Object, namespace: str) -> bool:
    """Whether a change raises a tag's generation (contract case generation_and_patch)."""
    source = new.get("from")
    if not source or not (source.get("kind") or source.get("name")):
        return False
    earlier = old.get("from") or {}
    if (earlier.get("namespace") or namespace) != (source.get("namespace") or namespace):
        return True
    if earlier.get("name", "") != source.get("name", "") or bool(old.get("reference")) != bool(new.get("reference")):
        return True
    if old["importPolicy"]["importMode"] != new["importPolicy"]["importMode"]:
        return True
    return new["generation"] == 0 and old["generation"] not in (None, 0)


# History


def add_event(stream: Stream, tag: str, event: Object) -> bool:
    """Put an image in front of a tag's history; the same image or reference again changes the newest item in place."""
    event = dict(event)
    history = stream.status_tags.get(tag)
    if not history or not history.get("items"):
        stream.status_tags[tag] = {"items": [event]}
        return True
    newest = history["items"][0]
    same_reference = newest["dockerImageReference"] == event["dockerImageReference"]
    same_image = newest["image"] == event["image"]
    if same_reference and same_image and newest["generation"] == event["generation"]:
        return False
    history.pop("conditions", None)
    if not same_reference and not same_image:
        history["items"].insert(0, event)
        return True
    newest.update({key: event[key] for key in ("dockerImageReference", "image", "generation")})
    return True


def update_history(stream: Stream, old: Stream | None, find: StreamFinder) -> list[FieldError]:
    """Record what changed tags point at, and let tags follow the tags of this stream that they track."""
    errors: list[FieldError] = []
    for name in sorted(stream.spec_tags):
        tag = stream.spec_tags[name]
        earlier = old.spec_tags.get(name) if old else None
        if not tag.get("from") or (earlier and not _asks_for_import(earlier, tag, stream.namespace)):
            continue
        errors += _record_source(stream, name, tag, find)
    for name in sorted(stream.status_tags):
        event = stream.latest(name)
        if event is not None and (old is None or event != old.latest(name)):
            _update_followers(stream, name, event)
    return errors


StreamFinder = Callable[[str, str], "Stream | None"]
"""Another stream by namespace and name."""


def _record_source(stream: Stream, name: str, tag: Object, find: StreamFinder) -> list[FieldError]:
    source = tag["from"]
    path = f"spec.tags[{name}].from"
    if source.get("kind") == "DockerImage" and source.get("name"):
        if tag.get("reference"):
            event = {
                "created": now_text(),
                "dockerImageReference": source["name"],
                "image": "",
                "generation": stream.generation,
            }
            tag["generation"] = stream.generation
            add_event(stream, name, event)
        return []
    parsed = split_source(stream.name, source)
    if parsed is None:
        return [invalid_value(f"{path}.name", source.get("name", ""), _FROM_NAME_TEXT)]
    stream_name, tag_or_digest = parsed
    namespace = source.get("namespace") or stream.namespace
    origin: Stream | None = stream
    if (namespace, stream_name) != (stream.namespace, stream.name):
        origin = find(namespace, stream_name)
        if origin is None:
            return [value_not_found(f"{path}.name", source.get("name", ""))]
    try:
        found = _source_event(t.cast(Stream, origin), source["kind"], tag_or_digest)
    except StatusError as error:
        return [invalid_value(f"{path}.name", source.get("name", ""), f"error generating tag event: {error}")]
    if found is None:
        return []
    # An item of this very stream is changed too, not a copy: contract case tags_between_streams.
    found["generation"] = stream.generation
    local = t.cast(Stream, origin).pull_repository + "@"
    if not tag.get("reference") and found["dockerImageReference"].startswith(local):
        found["dockerImageReference"] = found["dockerImageReference"].replace(local, stream.pull_repository + "@", 1)
    tag["generation"] = stream.generation
    add_event(stream, name, found)
    return []


def split_source(own_name: str, source: Object) -> tuple[str, str] | None:
    """Stream and tag (or digest) of ``from``: ``tag``, ``stream:tag``, ``digest``, ``stream@digest``."""
    separator = {"ImageStreamTag": ":", "ImageStreamImage": "@"}.get(source.get("kind", ""))
    if separator is None:
        return None
    parts = source.get("name", "").split(separator)
    if len(parts) == 1:
        return own_name, parts[0]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _source_event(origin: Stream, kind: str, tag_or_digest: str) -> Object | None:
    if kind == "ImageStreamTag":
        return origin.latest(tag_or_digest or "latest")
    found: dict[str, Object] = {}
    for history in origin.status_tags.values():
        for item in history.get("items") or []:
            if digest_matches(item["image"], tag_or_digest):
                found[item["image"]] = item
    resource = GroupName("image.openshift.io", "imagestreamimage")
    if not found:
        raise not_found(resource, tag_or_digest)
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise conflict(resource, tag_or_digest, f"multiple images match the prefix {quote(tag_or_digest)}: {names}")
    item = next(iter(found.values()))
    return {
        "created": now_text(),
        "dockerImageReference": item["dockerImageReference"],
        "image": item["image"],
        "generation": 0,
    }


def digest_matches(digest: str, prefix: str) -> bool:
    """Whether a digest, or its hexadecimal part, begins with ``prefix``."""
    return bool(digest) and (digest.startswith(prefix) or digest.partition(":")[2].startswith(prefix))


def _update_followers(stream: Stream, tag: str, event: Object) -> None:
    for name, follower in stream.spec_tags.items():
        source = follower.get("from") or {}
        if source.get("kind") != "ImageStreamTag":
            continue
        if (source.get("namespace") or stream.namespace) != stream.namespace:
            continue
        stream_name, _colon, followed = source.get("name", "").rpartition(":")
        if (stream_name or stream.name) == stream.name and (followed or "latest") == tag:
            add_event(stream, name, event)


def reference_of(stream: Stream, tag: str, event: Object) -> str:
    """Return the pull spec that a tag resolves to: through the internal registry under reference policy Local."""
    policy = stream.spec_tags.get(tag, {}).get("referencePolicy", {}).get("type")
    if policy == "Local" and event.get("image"):
        return f"{stream.pull_repository}@{event['image']}"
    return str(event.get("dockerImageReference", ""))


# Validation


def known_images(stream: Stream) -> Iterator[str]:
    """Every pull spec that a stream has."""
    yield stream.repository
    for tag in stream.spec_tags.values():
        if (tag.get("from") or {}).get("kind") == "DockerImage":
            yield tag["from"].get("name", "")
    for history in stream.status_tags.values():
        for item in history.get("items") or []:
            yield item["dockerImageReference"]


def is_insecure(metadata: Object) -> bool:
    """Whether annotations say so of a whole stream."""
    return bool((metadata.get("annotations") or {}).get(_INSECURE_ANNOTATION) == "true")


def stream_errors(stream: Stream, admission: Admission) -> list[FieldError]:
    """Return what validation says of a stream, besides its name."""
    insecure = is_insecure(stream.metadata)
    errors: list[FieldError] = []
    if len(f"{stream.namespace}/{stream.name}") > _REPOSITORY_LIMIT:
        why = f"'namespace/name' cannot be longer than {_REPOSITORY_LIMIT} characters"
        errors.append(invalid_value("metadata.name", stream.name, why))
    if stream.repository:
        errors += _repository_errors(stream.repository, admission, insecure=insecure)
    for name in sorted(stream.spec_tags):
        errors += tag_errors(stream.spec_tags[name], f"spec.tags[{name}]", admission, insecure=insecure)
    for name in sorted(stream.status_tags):
        trusted = insecure or bool(stream.spec_tags.get(name, {}).get("importPolicy", {}).get("insecure"))
        for index, item in enumerate(stream.status_tags[name].get("items") or []):
            errors += _event_errors(
                item["dockerImageReference"],
                f"status.tags[{name}].items[{index}].dockerImageReference",
                admission,
                insecure=trusted,
            )
    return errors


def _event_errors(image: str, path: str, admission: Admission, *, insecure: bool) -> list[FieldError]:
    if not image:
        return [required_value(path)]
    try:
        why = admission.refusal(PullSpec.parse(image), insecure=insecure)
    except BadReference as error:
        return [invalid_value(path, image, str(error))]
    return [forbidden_value(path, why)] if why else []


def _repository_errors(repository: str, admission: Admission, *, insecure: bool) -> list[FieldError]:
    path = "spec.dockerImageRepository"
    try:
        reference = PullSpec.parse(repository)
    except BadReference as error:
        return [invalid_value(path, repository, str(error))]
    errors = []
    if reference.tag:
        errors.append(invalid_value(path, repository, "the repository name may not contain a tag"))
    if reference.digest:
        errors.append(invalid_value(path, repository, "the repository name may not contain an ID"))
    why = "" if errors else admission.refusal(reference, insecure=insecure)
    return [*errors, forbidden_value(path, why)] if why else errors


def tag_errors(tag: Object, path: str, admission: Admission, *, insecure: bool) -> list[FieldError]:
    """Return what validation says of a TagReference; ``insecure``: all images of its stream are."""
    errors: list[FieldError] = []
    source = tag.get("from")
    if source is not None:
        name = source.get("name", "")
        if not name:
            errors.append(required_value(f"{path}.from.name"))
        errors += _source_errors(tag, source.get("kind", ""), name, path)
        if source.get("kind") == "DockerImage" and name and not errors:
            why = admission.refusal(
                PullSpec.parse(name), insecure=insecure or bool(tag["importPolicy"].get("insecure"))
            )
            errors += [forbidden_value(f"{path}.from.name", why)] if why else []
    policy = tag["referencePolicy"]["type"]
    if policy not in ("Source", "Local"):
        errors.append(invalid_value(f"{path}.referencePolicy.type", policy, 'valid values are "Source", "Local"'))
    return errors + mode_errors(tag["importPolicy"]["importMode"], path)


def mode_errors(mode: str, path: str) -> list[FieldError]:
    """Return what validation says of an import mode."""
    return [] if mode in IMPORT_MODES else [invalid_value(f"{path}.importPolicy.importMode", mode, _MODE_TEXT)]


def _source_errors(tag: Object, kind: str, name: str, path: str) -> list[FieldError]:
    if kind == "DockerImage":
        try:
            if name:
                PullSpec.parse(name)
        except BadReference as error:
            return [invalid_value(f"{path}.from.name", name, str(error))]
        return []
    if kind in ("ImageStreamTag", "ImageStreamImage"):
        if tag["importPolicy"].get("scheduled"):
            why = "only tags pointing to Docker repositories may be scheduled for background import"
            return [invalid_value(f"{path}.importPolicy.scheduled", True, why)]
        return []
    return [required_value(f"{path}.from.kind", "valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'")]


MayPull = Callable[[str, str], bool]
"""Whether the caller may get the layers of a stream, by namespace and name."""


def history_errors(stream: Stream, old: Stream | None, find: StreamFinder, may_pull: MayPull) -> list[FieldError]:
    """Update the history; what cannot be resolved or may not be read is one error without a field."""
    errors: list[FieldError] = []
    for name in sorted(stream.spec_tags):
        tag = stream.spec_tags[name]
        source = tag.get("from") or {}
        namespace = source.get("namespace")
        earlier = old.spec_tags.get(name) if old else None
        if not namespace or namespace == stream.namespace:
            continue
        if earlier and not _asks_for_import(earlier, tag, stream.namespace):
            continue
        parsed = split_source(stream.name, source)
        if parsed is None:
            errors.append(invalid_value(f"spec.tags[{name}].from.name", source.get("name", ""), _FROM_NAME_TEXT))
        elif not may_pull(namespace, parsed[0]):
            errors.append(forbidden_value(f"spec.tags[{name}].from", f'{namespace}/{parsed[0]}: "" ""'))
    errors += update_history(stream, old, find)
    if not errors:
        return []
    why = invalid(GroupName("", "imagestreams"), stream.name, errors)
    return [internal_field_error("", str(why))]
