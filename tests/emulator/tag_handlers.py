# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``imagestreamtags`` and ``imagetags``: one tag of a stream as an object; ``imagestreamimages``."""

from __future__ import annotations

import abc
import json
from collections.abc import Iterator

from .generic import list_answer, require_namespace, selected
from .gotext import now_text
from .handling import Answer, Call
from .images import Images, empty_image
from .objects import (
    clean_metadata,
    fill_for_creation,
    fill_for_update,
    name_errors,
    require_names_of_path,
    segment_problem,
)
from .resources import IMAGE_TAGS, STREAM_IMAGES, STREAM_TAGS, STREAMS, ResourceType
from .statuses import (
    FieldError,
    GroupName,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    invalid_value,
    method_not_supported,
    not_found,
    required_value,
    success,
)
from .store import Object, Stored, encode
from .stream_handler import Streams
from .streams import Stream, digest_matches, is_insecure, reference_of, tag_errors


def _split(call: Call) -> tuple[str, str]:
    stream, colon, tag = call.name.partition(":")
    if not stream or not tag or not colon or ":" in tag or "@" in call.name:
        raise bad_request(f"{call.resource.kind}s must be retrieved with <name>:<tag>")
    return stream, tag


class _TagHandler(abc.ABC):
    """What both kinds of tag objects share. ``field`` holds the TagReference."""

    resource: ResourceType
    field: str

    def __init__(self, streams: Streams, images: Images) -> None:
        self._streams = streams
        self._images = images

    async def handle(self, call: Call) -> Answer:
        """Answer a call."""
        if call.verb == "list":
            return self._list(call)
        if call.verb == "create":
            return self._create(call)
        actions = {"get": self._get, "update": self._update, "patch": self._update, "delete": self._delete}
        if call.verb not in actions:
            raise method_not_supported()
        return actions[call.verb](call)

    # What the kinds do differently.

    @abc.abstractmethod
    def view(self, stream: Stream, tag: str, *, full: bool, force: bool = False) -> Object | None:
        """Return the tag as an object; None if it does not exist as one, unless ``force``. ``full``: with its
        image."""

    @abc.abstractmethod
    def tags_of(self, stream: Stream) -> list[str]:
        """Return the tags of a stream that a list considers, sorted."""

    def read(self, call: Call, document: Object, tag: str) -> Object:
        """Return what a client sent, without kind and apiVersion."""
        data: Object = {"metadata": clean_metadata(document.get("metadata"))}
        reference = document.get(self.field)
        if reference is not None:
            data[self.field] = self._streams.reader.tag(reference)
            data[self.field]["name"] = data[self.field]["name"] or tag
        return data

    @abc.abstractmethod
    def errors(self, data: Object, old: Object | None) -> list[FieldError]:
        """Return what validation says of a tag object."""

    @abc.abstractmethod
    def set_tag(self, stream: Stream, tag: str, data: Object) -> None:
        """Write the reference into the stream's spec."""

    def reference_errors(self, tag: Object, old: Object | None, metadata: Object) -> list[FieldError]:
        """Return what validation says of the reference; the repository that the tag has is never refused."""
        source = (old or {}).get("from") or {}
        known = [source.get("name", "")] if source.get("kind") == "DockerImage" else []
        return tag_errors(tag, self.field, self._streams.admission(known), insecure=is_insecure(metadata))

    # The verbs.

    def _open(self, call: Call, name: str) -> Stream:
        return self._streams.open(self._streams.stored(call, name))

    def _get(self, call: Call) -> Answer:
        name, tag = _split(call)
        shown = self.view(self._open(call, name), tag, full=True)
        if shown is None:
            raise not_found(call.group_resource, call.name)
        return self._answer(200, shown)

    def _answer(self, code: int, shown: Object) -> Answer:
        return Answer.object(code, self.resource, encode(shown))

    def _list(self, call: Call) -> Answer:
        items = list(selected(self._items(call), call.query, self.resource.kind))
        return list_answer(self.resource, items, call.query, None)

    def _items(self, call: Call) -> Iterator[Stored]:
        for stored in self._streams.store.items(STREAMS, call.namespace or None):
            stream = self._streams.open(stored)
            for tag in self.tags_of(stream):
                shown = self.view(stream, tag, full=False)
                if shown is not None:
                    yield Stored(shown, stored.revision)

    def _create(self, call: Call) -> Answer:
        require_namespace(self._streams.store, call)
        document = call.document()
        metadata = clean_metadata(document.get("metadata"))
        name, colon, tag = str(metadata.get("name", "")).partition(":")
        data = self.read(call, document, tag)
        fill_for_creation(data["metadata"], call.namespace, self.resource)
        errors = name_errors(data["metadata"], segment_problem) + self.errors(data, None)
        if errors:
            raise invalid(self.resource.group_kind, data["metadata"].get("name", ""), errors)
        if not colon:
            raise StatusError(500, "", f'"{name}" must be of the form <stream_name>:<tag>')
        stream = self._streams.find(call.namespace, name)
        if stream is not None and tag in stream.spec_tags:
            raise already_exists(self.taken, data["metadata"]["name"])
        stored = self._save(call, name, tag, stream, data)
        return self._show(201, stored, tag)

    @property
    def taken(self) -> GroupName:
        """What an existing tag is called when its name is taken."""
        return self.resource.group_resource

    def _save(self, call: Call, name: str, tag: str, stream: Stream | None, data: Object) -> Stored:
        if stream is None:
            new = Stream({"name": name, "namespace": call.namespace})
            self.set_tag(new, tag, data)
            return self._streams.create(call, new)
        self.set_tag(stream, tag, data)
        return self._streams.update(call, stream)

    def _show(self, code: int, stored: Stored, tag: str) -> Answer:
        shown = self.view(self._streams.open(stored), tag, full=True, force=True)
        return self._answer(code, shown or {})

    def _update(self, call: Call) -> Answer:
        """PUT and PATCH: create stream and tag if they are missing. Nothing can come between read and write here."""
        document = call.document() if call.verb == "update" else {}
        if call.verb == "update":
            require_names_of_path(document.get("metadata"), call.name, call.namespace)
        name, tag = _split(call)
        present = self._streams.find(call.namespace, name)
        if present is None:
            require_namespace(self._streams.store, call)
        stream = present or Stream({"name": name, "namespace": call.namespace})
        old = self.view(stream, tag, full=False, force=True) or {}
        if call.verb == "patch":
            document = call.patched({"kind": self.resource.kind, "apiVersion": self.resource.api_version, **old})
        data = self.read(call, document, tag)
        self._check_version(call, data["metadata"], stream, present)
        if present is None:
            fill_for_creation(data["metadata"], call.namespace, self.resource)
            errors = name_errors(data["metadata"], segment_problem) + self.errors(data, None)
        else:
            fill_for_update(data["metadata"], old["metadata"], call.group_resource, call.name)
            errors = self.errors(data, old)
        if errors:
            raise invalid(self.resource.group_kind, call.name, errors)
        existed = tag in stream.spec_tags
        stored = self._save(call, name, tag, present, data)
        return self._show(200 if existed else 201, stored, tag)

    def _check_version(self, call: Call, metadata: Object, stream: Stream, present: Stream | None) -> None:
        """404 or 409 if the client gave a version that does not fit; none fits always."""
        version = metadata.get("resourceVersion", "")
        if not version:
            return
        if present is None:
            raise not_found(call.group_resource, call.name)
        if version != stream.metadata["resourceVersion"]:
            why = f"another caller has updated the resource version to {stream.metadata['resourceVersion']}"
            raise conflict(call.group_resource, call.name, why)

    def _delete(self, call: Call) -> Answer:
        name, tag = _split(call)
        stream = self._open(call, name)
        options = json.loads(call.body) if call.body else {}
        uid = (options.get("preconditions") or {}).get("uid")
        if uid not in (None, stream.metadata["uid"]):
            raise conflict(call.group_resource, call.name, "the UID precondition was not met")
        if tag not in stream.spec_tags and tag not in stream.status_tags:
            raise not_found(call.group_resource, call.name)
        stream.spec_tags.pop(tag, None)
        stream.status_tags.pop(tag, None)
        self._streams.update(call, stream)
        return Answer.of(200, success())


class StreamTagHandler(_TagHandler):
    """``imagestreamtags``: tags that have an image; ``metadata.annotations`` are the tag's."""

    resource = STREAM_TAGS
    field = "tag"

    @property
    def taken(self) -> GroupName:
        """The singular, unlike elsewhere."""
        return GroupName(STREAM_TAGS.group, "imagestreamtag")

    def tags_of(self, stream: Stream) -> list[str]:
        """Those with a history."""
        return sorted(stream.status_tags)

    def view(self, stream: Stream, tag: str, *, full: bool, force: bool = False) -> Object | None:
        """Return the tag with its newest image."""
        event = stream.latest(tag)
        if event is None or not event.get("image"):
            if not force:
                return None
            event = None
        reference = stream.spec_tags.get(tag)
        annotations = (reference or {}).get("annotations") or None
        shown: Object = {
            "metadata": self._metadata(stream, tag, event, annotations),
            "tag": reference,
            "generation": event["generation"] if event else 0,
            "lookupPolicy": {"local": stream.lookup_local},
        }
        conditions = stream.status_tags.get(tag, {}).get("conditions")
        if conditions:
            shown["conditions"] = conditions
        pull_spec = reference_of(stream, tag, event) if event else ""
        if full:
            shown["image"] = self._images.within_tag(event, pull_spec, annotations)
        else:
            shown["image"] = empty_image(event["image"] if event else "")
            if pull_spec:
                shown["image"]["dockerImageReference"] = pull_spec
        return shown

    @staticmethod
    def _metadata(stream: Stream, tag: str, event: Object | None, annotations: Object | None) -> Object:
        source = stream.metadata
        metadata: Object = {"name": f"{stream.name}:{tag}", "namespace": stream.namespace}
        for key in ("uid", "resourceVersion"):
            if source.get(key):
                metadata[key] = source[key]
        metadata["creationTimestamp"] = event["created"] if event else source.get("creationTimestamp") or now_text()
        if source.get("labels"):
            metadata["labels"] = source["labels"]
        if annotations:
            metadata["annotations"] = annotations
        return metadata

    def errors(self, data: Object, old: Object | None) -> list[FieldError]:
        """Return the reference; annotations in one place only; nothing else may change."""
        errors: list[FieldError] = []
        tag, annotations = data.get("tag"), data["metadata"].get("annotations")
        if tag is not None:
            if old is not None:
                tag["annotations"] = annotations
            errors += self.reference_errors(tag, (old or {}).get("tag"), data["metadata"])
            if tag["annotations"] and tag["annotations"] != annotations:
                why = "tag annotations must not be provided or must be equal to the object meta annotations"
                errors.append(invalid_value("tag.annotations", "<map>", why))
        if old is not None:
            labels = old["metadata"].get("labels")
            if (data["metadata"].get("labels") or labels) != labels:
                errors.append(invalid_value("metadata", "", "may not update fields other than metadata.annotations"))
        return errors

    def set_tag(self, stream: Stream, tag: str, data: Object) -> None:
        """Replace the whole reference; a body without one changes annotations only."""
        if data.get("tag") is not None:
            stream.spec_tags[tag] = {**data["tag"], "name": tag}
        elif tag not in stream.spec_tags:
            raise bad_request(
                f"imagestreamtag {tag} is not a spec tag in imagestream {stream.namespace}/{stream.name}, cannot be "
                "updated"
            )
        stream.spec_tags[tag]["annotations"] = data["metadata"].get("annotations")


class ImageTagHandler(_TagHandler):
    """``imagetags``: spec and status of a tag, also of one that has no image yet."""

    resource = IMAGE_TAGS
    field = "spec"

    def tags_of(self, stream: Stream) -> list[str]:
        """All."""
        return sorted({*stream.spec_tags, *stream.status_tags})

    def view(self, stream: Stream, tag: str, *, full: bool, force: bool = False) -> Object | None:
        """Return the tag; absent parts are null."""
        spec, history = stream.spec_tags.get(tag), stream.status_tags.get(tag)
        if spec is None and history is None and not force:
            return None
        status: Object | None = None
        if history is not None:
            status = {"tag": tag, "items": history.get("items") or None}
            if history.get("conditions"):
                status["conditions"] = history["conditions"]
        event = stream.latest(tag)
        image = None
        if full and event and event.get("image") and self._images.get(event["image"]):
            image = self._images.within_tag(event, reference_of(stream, tag, event), None)
        metadata = {**stream.metadata, "name": f"{stream.name}:{tag}"}
        return {"metadata": metadata, "spec": spec, "status": status, "image": image}

    def read(self, call: Call, document: Object, tag: str) -> Object:
        """Read the tag: the name within ``spec`` has to be given, and the status is that of the body."""
        data = super().read(call, document, tag)
        if data.get("spec") is not None:
            data["spec"]["name"] = document["spec"].get("name") or ""
        data["status"] = document.get("status")
        return data

    def errors(self, data: Object, old: Object | None) -> list[FieldError]:
        """Return the reference, and the name in both places."""
        spec, tag = data.get("spec"), data["metadata"].get("name", "").partition(":")[2]
        errors: list[FieldError] = []
        if spec is None and old is None:
            errors.append(required_value("spec", "spec is a required field during creation"))
        if spec is not None:
            if old is None:
                spec["name"] = spec["name"] or tag
            if spec["name"] != tag:
                errors.append(invalid_value("spec.name", spec["name"], "must match image tag name"))
            errors += self.reference_errors(spec, (old or {}).get("spec"), data["metadata"])
        if old is not None:
            only_spec = "may not update fields other than spec"
            if any(data["metadata"].get(key) != old["metadata"].get(key) for key in ("labels", "annotations")):
                errors.append(invalid_value("metadata", "", only_spec))
            if data["status"] != old["status"]:
                errors.append(invalid_value("status", "", only_spec))
        return errors

    def set_tag(self, stream: Stream, tag: str, data: Object) -> None:
        """Without ``spec`` the tag leaves the stream's spec and keeps its history."""
        if data.get("spec") is not None:
            stream.spec_tags[tag] = {**data["spec"], "name": tag}
        else:
            stream.spec_tags.pop(tag, None)


class StreamImageHandler:
    """``imagestreamimages``: an image of a stream's history, or a child of one, by ``stream@digest``."""

    def __init__(self, streams: Streams, images: Images) -> None:
        self._streams = streams
        self._images = images

    async def handle(self, call: Call) -> Answer:
        """Answer a GET."""
        if call.verb != "get":
            raise method_not_supported()
        name, at, digest = call.name.partition("@")
        if not name or not at or not digest:
            raise bad_request("ImageStreamImages must be retrieved with <name>@<id>")
        stream = self._streams.stored(call, name).data
        _layers, known = self._images.layers(stream)
        found = [image for image in known if digest_matches(image, digest)]
        stored = self._images.get(found[-1]) if found else None
        if stored is None:
            raise not_found(GroupName(STREAM_IMAGES.group, "imagestreamimage"), call.name)
        metadata: Object = {
            "name": call.name,
            "namespace": call.namespace,
            "creationTimestamp": stored.data["metadata"]["creationTimestamp"],
        }
        if stream["metadata"].get("annotations"):
            metadata["annotations"] = stream["metadata"]["annotations"]
        return Answer.object(200, STREAM_IMAGES, encode({"metadata": metadata, "image": stored.data}))
