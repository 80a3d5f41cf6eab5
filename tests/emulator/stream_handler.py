# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image streams as objects: create, update by users and by the server itself, layers, secrets, status."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import replace

from .access import Access, Action, User
from .admission import Admission
from .generic import GenericHandler, Strategy
from .handling import Answer, Call
from .images import Images
from .keyring import is_candidate
from .limits import exceeded_limit
from .objects import map_errors, name_errors
from .resources import IMAGES, SECRETS, STREAM_MAPPINGS, STREAMS
from .statuses import (
    FieldError,
    already_exists,
    conflict,
    internal_field_error,
    invalid,
    method_not_supported,
    not_found,
)
from .store import Object, Store, Stored
from .streams import (
    Stream,
    StreamReader,
    history_errors,
    known_images,
    prepare_creation,
    prepare_update,
    stream_errors,
    stream_name_problem,
)


class StreamStrategy(Strategy):
    """Image streams are read, defaulted and numbered by ``streams``; updates need a resourceVersion."""

    unconditional_update = False

    def __init__(self, reader: StreamReader) -> None:
        super().__init__(STREAMS)
        self.reader = reader

    def name_problem(self, name: str) -> str:
        """Return a repository's name."""
        return stream_name_problem(name)

    def read(self, document: Object) -> Object:
        """Return the stream in the form in which it is stored."""
        metadata = super().read({"metadata": document.get("metadata")})["metadata"]
        return self.reader.read(document, metadata).document()


class Streams:
    """The stored streams, with the two ways to write them: for a user, and for the server's own use."""

    def __init__(self, store: Store, access: Access, reader: StreamReader) -> None:
        self.store = store
        self.reader = reader
        self._access = access

    def stored(self, call: Call, name: str) -> Stored:
        """Return the stored stream; a missing one is reported as the resource of the request
        (resource_version_conflict)."""
        stored = self.store.get(STREAMS, call.namespace, name)
        if stored is None:
            raise not_found(call.group_resource, name)
        return stored

    def find(self, namespace: str, name: str) -> Stream | None:
        """Return a copy of a stream, to work on."""
        stored = self.store.get(STREAMS, namespace, name)
        return self.open(stored) if stored else None

    def open(self, stored: Stored) -> Stream:
        """Return a stored stream, to work on."""
        data = stored.copy()
        return self.reader.read(data, data["metadata"])

    def create(self, call: Call, stream: Stream, *, keep_status: bool = False) -> Stored:
        """Store a new stream; ``keep_status``: with the history that an import gave it."""
        if not keep_status:
            stream.status_tags = {}
        prepare_creation(stream)
        errors = name_errors(stream.metadata, stream_name_problem) + self._errors(call, stream, None)
        if errors:
            raise invalid(STREAMS.group_kind, stream.name, errors)
        if self.store.get(STREAMS, stream.namespace, stream.name) is not None:
            raise already_exists(call.group_resource, stream.name)
        data = stream.document()
        if call.dry_run:
            scratch = Store()
            stored = scratch.create(STREAMS, stream.namespace, data)
            del data["metadata"]["resourceVersion"]
            return stored
        return self.store.create(STREAMS, stream.namespace, data)

    def update(self, call: Call, stream: Stream) -> Stored:
        """Store spec and status of a stream that was read before; 409 when it was written since."""
        stored = self.stored(call, stream.name)
        if stored.data["metadata"]["resourceVersion"] != stream.metadata.get("resourceVersion"):
            raise conflict(call.group_resource, stream.name)
        return self.write(call, stored, stream)

    def write(self, call: Call, stored: Stored, stream: Stream) -> Stored:
        """Give the next version its numbers, validate and store it; an unchanged stream is not written."""
        old = self.open(stored)
        prepare_update(stream, old)
        errors = map_errors(stream.metadata) + self._errors(call, stream, old)
        if errors:
            raise invalid(STREAMS.group_kind, stream.name, errors)
        data = stream.document()
        if data == stored.data:
            return stored
        if call.dry_run:
            return Stored(data, stored.revision)
        return self.store.replace(STREAMS, stream.namespace, data)

    def _errors(self, call: Call, stream: Stream, old: Stream | None) -> list[FieldError]:
        def may_pull(namespace: str, name: str) -> bool:
            action = Action("get", STREAMS, "layers", namespace, name)
            return self._access.allows(call.user, action)

        admission = self.admission(known_images(old) if old else ())
        errors = history_errors(stream, old, self.find, may_pull)
        exceeded = None if errors else exceeded_limit(self.store, stream, old)
        if exceeded is not None:
            errors = [internal_field_error("", str(exceeded))]
        return errors + stream_errors(stream, admission)

    def admission(self, known: Iterable[str] = ()) -> Admission:
        """Which images the cluster takes, beside ``known`` ones."""
        return Admission.of(self.store, known)

    def may_import_anything(self, user: User) -> bool:
        """Whether imports do not ask where the caller's images come from (imagestreamimport/rest.go)."""
        mapping = replace(STREAM_MAPPINGS, plural="imagestreammapping")
        return any(self._access.allows(user, Action("create", resource)) for resource in (IMAGES, mapping))


class StreamHandler(GenericHandler):
    """``imagestreams`` and their subresources."""

    def __init__(self, streams: Streams, images: Images) -> None:
        super().__init__(streams.store, StreamStrategy(streams.reader))
        self._streams = streams
        self._images = images

    async def handle(self, call: Call) -> Answer:
        """Answer a call."""
        if call.subresource == "layers":
            return self._layers(call)
        if call.subresource == "secrets":
            return self._secrets(call)
        return await super().handle(call)

    def insert(self, call: Call, data: Object) -> Stored:
        """POST by a user: the status is the server's."""
        return self._streams.create(call, self._streams.reader.read(data, data["metadata"]))

    def write(self, call: Call, stored: Stored, data: Object) -> Stored:
        """PUT or PATCH by a user: of the spec, or (``status``) of the status."""
        sent = self._streams.reader.read(data, data["metadata"])
        present = self._streams.open(stored)
        if call.subresource == "status":
            present.status_tags = sent.status_tags
            _number_items(present)
            return self._streams.write(call, stored, present)
        sent.status_tags = present.status_tags
        return self._streams.write(call, stored, sent)

    def _layers(self, call: Call) -> Answer:
        if call.verb != "get":
            raise method_not_supported()
        stored = self._streams.stored(call, call.name)
        blobs, images = self._images.layers(stored.data)
        head = {"kind": "ImageStreamLayers", "apiVersion": STREAMS.api_version}
        return Answer.of(200, {**head, "metadata": stored.data["metadata"], "blobs": blobs, "images": images})

    def _secrets(self, call: Call) -> Answer:
        if call.verb != "get":
            raise method_not_supported()
        secrets = [stored.data for stored in self.store.items(SECRETS, call.namespace) if is_candidate(stored.data)]
        metadata = {"resourceVersion": str(self.store.revision)}
        head = {"kind": "SecretList", "apiVersion": STREAMS.api_version, "metadata": metadata}
        return Answer.of(200, {**head, "items": secrets})


def _number_items(stream: Stream) -> None:
    """History items that a status update brings without a generation get the tag's, or the stream's."""
    for name, history in stream.status_tags.items():
        items: list[dict[str, t.Any]] = history.get("items") or []
        if items and not items[0].get("generation"):
            items[0]["generation"] = stream.spec_tags.get(name, {}).get("generation") or stream.generation
