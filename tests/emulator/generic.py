# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stored objects with the verbs that all kinds share; a ``Strategy`` says what is special about a kind."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Callable, Iterable, Mapping

from .handling import Answer, Call
from .objects import (
    clean_metadata,
    fill_for_creation,
    fill_for_update,
    map_errors,
    name_errors,
    require_names_of_path,
    subdomain_problem,
)
from .resources import NAMESPACES, ResourceType
from .selectors import field_test, label_test
from .statuses import (
    FieldError,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    invalid_value,
    method_not_supported,
    not_found,
    object_details,
    success,
)
from .store import Object, Store, Stored, encode


class Strategy:
    """The rules of a kind; these are those of a kind without any of its own."""

    unconditional_update = True
    fields: tuple[str, ...] = ()
    """The fields besides metadata that the kind has; empty ones are left out. Without any: kept as they come."""

    def __init__(self, resource: ResourceType) -> None:
        self.resource = resource

    def name_problem(self, name: str) -> str:
        """Return what is wrong with a name; empty if nothing is."""
        return subdomain_problem(name)

    def read(self, document: Object) -> Object:
        """Return what a client sent, as it is stored: with defaults, without kind and apiVersion."""
        data = {
            key: value for key, value in document.items() if key not in ("kind", "apiVersion") and value is not None
        }
        if self.fields:
            data = {key: data[key] for key in self.fields if data.get(key) not in (None, "", [], {})}
        data["metadata"] = clean_metadata(document.get("metadata"))
        return data

    def prepare_create(self, _call: Call, data: Object) -> None:
        """Set what only the server sets."""
        if any(name == "status" for name, *_others in self.resource.subresources):
            data.pop("status", None)
        if self.resource.counts_generations:
            data["metadata"]["generation"] = 1

    def prepare_update(self, call: Call, data: Object, old: Object) -> None:
        """Keep what this request may not change."""
        if call.subresource == "status":
            status = data.get("status")
            kept = {**old, "metadata": {**old["metadata"], "resourceVersion": data["metadata"].get("resourceVersion")}}
            data.clear()
            data.update({**kept, "status": status} if status is not None else kept)
            return
        if any(name == "status" for name, *_others in self.resource.subresources):
            data.pop("status", None)
            if "status" in old:
                data["status"] = old["status"]
        if self.resource.counts_generations:
            generation = old["metadata"].get("generation", 1)
            data["metadata"]["generation"] = generation + (data.get("spec") != old.get("spec"))

    def errors(self, _call: Call, _data: Object, _old: Object | None) -> list[FieldError]:
        """Return what validation says, besides the name."""
        return []


class GenericHandler:
    """create, get, list, update, patch, delete and deletecollection of one stored kind."""

    def __init__(self, store: Store, strategy: Strategy) -> None:
        self.store = store
        self.strategy = strategy
        self.resource = strategy.resource

    async def handle(self, call: Call) -> Answer:
        """Answer a call."""
        actions: dict[str, Callable[[Call], Answer]] = {
            "create": self.create,
            "get": self.get,
            "list": self.list,
            "update": self.update,
            "patch": self.patch,
            "delete": self.delete,
            "deletecollection": self.delete_all,
        }
        if call.verb not in actions:
            raise method_not_supported()
        return actions[call.verb](call)

    def find(self, call: Call) -> Stored:
        """Return the stored object of a call; 404 if there is none."""
        stored = self.store.get(self.resource, call.namespace, call.name)
        if stored is None:
            raise not_found(call.group_resource, call.name)
        return stored

    def get(self, call: Call) -> Answer:
        """GET one."""
        return Answer.object(200, self.resource, self.find(call).encoded)

    def list(self, call: Call) -> Answer:
        """GET all of a namespace, or of the cluster."""
        items = self.store.items(
            self.resource, call.namespace if call.namespace or not self.resource.namespaced else None
        )
        chosen = list(selected(items, call.query, self.resource.kind))
        return list_answer(self.resource, chosen, call.query, self.store.revision)

    def create(self, call: Call) -> Answer:
        """POST."""
        require_namespace(self.store, call)
        data = self.strategy.read(call.document(self.resource))
        fill_for_creation(data["metadata"], call.namespace, self.resource)
        return Answer.object(201, self.resource, self.insert(call, data).encoded)

    def insert(self, call: Call, data: Object) -> Stored:
        """Validate and store a new object."""
        self.strategy.prepare_create(call, data)
        name = data["metadata"].get("name", "")
        errors = name_errors(data["metadata"], self.strategy.name_problem) + self.strategy.errors(call, data, None)
        if errors:
            raise invalid(self.resource.group_kind, name, errors)
        if self.store.get(self.resource, call.namespace, name) is not None:
            raise already_exists(call.group_resource, name)
        if call.dry_run:
            scratch = Store()
            scratch.create(self.resource, call.namespace, data)
            del data["metadata"]["resourceVersion"]
            return Stored(data, 0)
        return self.store.create(self.resource, call.namespace, data)

    def update(self, call: Call) -> Answer:
        """PUT. It could be a creation, so the namespace is looked at before the object."""
        document = call.document(self.resource)
        require_names_of_path(document.get("metadata"), call.name, call.namespace)
        require_namespace(self.store, call)
        return Answer.object(200, self.resource, self.change(call, lambda _current: document).encoded)

    def patch(self, call: Call) -> Answer:
        """PATCH."""
        return Answer.object(200, self.resource, self.change(call, call.patched).encoded)

    def change(self, call: Call, edit: Callable[[Object], Object]) -> Stored:
        """Replace the stored object by an edited one. What does not change anything is not written."""
        stored = self.find(call)
        old = stored.data
        head = {"kind": self.resource.kind, "apiVersion": self.resource.api_version}
        data = self.strategy.read(edit({**head, **stored.copy()}))
        metadata = data["metadata"]
        fill_for_update(metadata, old["metadata"], call.group_resource, call.name)
        version = metadata.get("resourceVersion", "")
        if not version and not self.strategy.unconditional_update:
            problem = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(self.resource.group_resource, call.name, [problem])
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict(call.group_resource, call.name)
        metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
        if "generation" in old["metadata"]:
            metadata["generation"] = old["metadata"]["generation"]
        self.strategy.prepare_update(call, data, old)
        return self.write(call, stored, data)

    def write(self, call: Call, stored: Stored, data: Object) -> Stored:
        """Validate and store the next version, unless it equals the present one."""
        errors = map_errors(data["metadata"]) + self.strategy.errors(call, data, stored.data)
        if errors:
            raise invalid(self.resource.group_kind, call.name, errors)
        if data == stored.data:
            return stored
        if call.dry_run:
            return Stored(data, stored.revision)
        return self.store.replace(self.resource, call.namespace, data)

    def delete(self, call: Call) -> Answer:
        """DELETE one."""
        stored = self.find(call)
        self.check_preconditions(call, stored)
        if not call.dry_run:
            self.store.delete(self.resource, call.namespace, call.name)
        if self.resource.returns_deleted:
            return Answer.object(200, self.resource, stored.encoded)
        details = object_details(call.group_resource, call.name, uid=stored.data["metadata"]["uid"])
        return Answer.of(200, success(details))

    def check_preconditions(self, call: Call, stored: Stored) -> None:
        """409 if the body's preconditions do not hold."""
        options = json.loads(call.body) if call.body else {}
        wished = options.get("preconditions") or {} if isinstance(options, dict) else {}
        metadata = stored.data["metadata"]
        for field, shown, what in (("uid", "UID", "UID"), ("resourceVersion", "ResourceVersion", "ResourceVersion")):
            if wished.get(field) not in (None, metadata[field]):
                why = (
                    f"Precondition failed: {shown} in precondition: {wished[field]}, {what} in object meta: "
                    f"{metadata[field]}"
                )
                raise conflict(call.group_resource, call.name, why)

    def delete_all(self, call: Call) -> Answer:
        """DELETE all that a selector chooses; answers with the list of them."""
        items = self.store.items(self.resource, call.namespace if self.resource.namespaced else "")
        chosen = list(selected(items, call.query, self.resource.kind))
        if not call.dry_run:
            for stored in chosen:
                self.store.delete(self.resource, call.namespace, stored.data["metadata"]["name"])
        return list_answer(self.resource, chosen, {}, self.store.revision)


def require_namespace(store: Store, call: Call) -> None:
    """404 for a creation in a namespace that does not exist (contract case invalid_requests)."""
    if call.namespace and store.get(NAMESPACES, "", call.namespace) is None:
        raise not_found(NAMESPACES.group_resource, call.namespace)


def selected(items: Iterable[Stored], query: Mapping[str, str], kind: str) -> Iterable[Stored]:
    """Return the items of a kind that label and field selectors choose."""
    tests = []
    if query.get("labelSelector"):
        tests.append(label_test(query["labelSelector"]))
    if query.get("fieldSelector"):
        tests.append(field_test(query["fieldSelector"], kind))
    return (item for item in items if all(test(item.data) for test in tests)) if tests else items


def list_answer(resource: ResourceType, items: list[Stored], query: Mapping[str, str], revision: int | None) -> Answer:
    """Return a list, or a page of it if ``limit`` asks for one. ``revision`` None: a list made up from other
    objects, which has no version and whose items are null if there are none."""
    metadata: Object = {} if revision is None else {"resourceVersion": str(revision)}
    page, rest, last = _page(items, query)
    if rest:
        token = {"v": "meta.k8s.io/v1", "rv": revision, "start": last}
        metadata["continue"] = base64.urlsafe_b64encode(encode(token)).decode().rstrip("=")
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = rest
    head = encode({"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata})
    entries = b"[" + b",".join(item.encoded for item in page) + b"]" if page or revision is not None else b"null"
    return Answer(200, head[:-1] + b',"items":' + entries + b"}")


def _page(items: list[Stored], query: Mapping[str, str]) -> tuple[list[Stored], int, str]:
    start = 0
    if query.get("continue"):
        after = _continue_after(query["continue"])
        start = next((index for index, item in enumerate(items) if _key(item) > after), len(items))
    limit = query.get("limit") or "0"
    if not limit.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{limit}": invalid syntax')
    end = start + int(limit) if int(limit) else len(items)
    page = items[start:end]
    return page, max(0, len(items) - end), _key(page[-1]) if page else ""


def _key(item: Stored) -> str:
    metadata = item.data["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def _continue_after(token: str) -> str:
    try:
        decoded = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return str(t.cast(Object, decoded)["start"])
    except (ValueError, KeyError, TypeError):
        raise StatusError(400, "BadRequest", "continue key is not valid: cannot decode") from None
