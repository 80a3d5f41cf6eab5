# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes ``Status`` objects: every refusal of the API server, with its words."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .gotext import quote, value_text

_INTERNAL = "Internal error occurred: "
OPTIMISTIC_LOCK = "the object has been modified; please apply your changes to the latest version and try again"


@dataclass(frozen=True)
class GroupName:
    """A kind or a resource within its API group; ``str()`` is ``name.group``, or the name alone in the core group."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.name}.{self.group}" if self.group else self.name


class StatusError(Exception):
    """A request that ends with a ``Status`` of failure."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, t.Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    @property
    def cause(self) -> str:
        """The error as it was before it became a status: an internal error without the words that begin one."""
        return self.message.removeprefix(_INTERNAL)

    def embedded(self) -> dict[str, t.Any]:
        """Return the status as a field of another object (``status.images[].status``)."""
        document: dict[str, t.Any] = {"metadata": {}, "status": "Failure", "message": self.message}
        if self.reason:
            document["reason"] = self.reason
        if self.details is not None:
            document["details"] = dict(self.details)
        document["code"] = self.code
        return document

    def document(self) -> dict[str, t.Any]:
        """Return the status as the body of an answer."""
        return {"kind": "Status", "apiVersion": "v1", **self.embedded()}


def success(details: Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Return the answer to a deletion."""
    document: dict[str, t.Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details is not None:
        document["details"] = dict(details)
    return document


def object_details(subject: GroupName, name: str = "", **more: t.Any) -> dict[str, t.Any]:
    """``details`` that name an object; empty fields are left out."""
    fields = {"name": name, "group": subject.group, "kind": subject.name, **more}
    return {key: value for key, value in fields.items() if value}


def not_found(resource: GroupName, name: str) -> StatusError:
    """404: there is no such object."""
    return StatusError(404, "NotFound", f"{resource} {quote(name)} not found", object_details(resource, name))


def already_exists(resource: GroupName, name: str) -> StatusError:
    """409: the name is taken."""
    message = f"{resource} {quote(name)} already exists"
    return StatusError(409, "AlreadyExists", message, object_details(resource, name))


def conflict(resource: GroupName, name: str, why: str = OPTIMISTIC_LOCK) -> StatusError:
    """409: the object is not in the state that the caller thinks it is in."""
    message = f"Operation cannot be fulfilled on {resource} {quote(name)}: {why}"
    return StatusError(409, "Conflict", message, object_details(resource, name))


def bad_request(message: str) -> StatusError:
    """400."""
    return StatusError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    """401."""
    return StatusError(401, "Unauthorized", message)


def forbidden(resource: GroupName, name: str, why: str) -> StatusError:
    """403."""
    if not resource.name:
        message = f"forbidden: {why}"
    elif name:
        message = f"{resource} {quote(name)} is forbidden: {why}"
    else:
        message = f"{resource} is forbidden: {why}"
    return StatusError(403, "Forbidden", message, object_details(resource, name))


def method_not_supported() -> StatusError:
    """405: the resource does not have this verb."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def no_such_resource() -> StatusError:
    """404: an API group that is served does not have this resource."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def too_large(limit: int) -> StatusError:
    """413: a body of more than ``limit`` bytes."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}", {})


def unsupported_media_type(accepted: Iterable[str]) -> StatusError:
    """415."""
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    return StatusError(415, "UnsupportedMediaType", message)


def rejected_patch() -> StatusError:
    """422 for a JSON patch that could not be applied (contract case service_account_lists)."""
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def too_large_patch(limit: int, count: int) -> StatusError:
    """413 for a JSON patch of too many operations."""
    message = f"Request entity too large: The allowed maximum operations in a JSON patch is {limit}, got {count}"
    return StatusError(413, "RequestEntityTooLarge", message, {})


def internal_error(message: str) -> StatusError:
    """500."""
    details = {"causes": [{"message": message}]}
    return StatusError(500, "InternalError", f"{_INTERNAL}{message}", details)


def timeout() -> StatusError:
    """504: the handler did not end within the request's time."""
    message = "Timeout: request did not complete within requested timeout - context deadline exceeded"
    return StatusError(504, "Timeout", message, {})


@dataclass(frozen=True)
class FieldError:
    """One field that validation refuses."""

    reason: str
    field: str
    body: str

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"

    def cause(self) -> dict[str, str]:
        """Return the error as an entry of ``details.causes``."""
        cause = {"reason": self.reason, "message": self.body}
        if self.field:
            cause["field"] = self.field
        return cause


def invalid_value(field: str, value: object, why: str) -> FieldError:
    """Return a value that is not accepted."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {value_text(value)}: {why}")


def required_value(field: str, why: str = "") -> FieldError:
    """Return a missing value."""
    return FieldError("FieldValueRequired", field, "Required value" + (f": {why}" if why else ""))


def forbidden_value(field: str, why: str) -> FieldError:
    """Return a value that may not be set."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {why}")


def value_not_found(field: str, value: object) -> FieldError:
    """Return a reference to something that does not exist."""
    return FieldError("FieldValueNotFound", field, f"Not found: {value_text(value)}")


def unsupported_value(field: str, value: object, supported: Iterable[str]) -> FieldError:
    """Return a value that is none of the few that there are."""
    return FieldError(
        "FieldValueNotSupported",
        field,
        f"Unsupported value: {value_text(value)}: supported values: {', '.join(map(quote, supported))}",
    )


def internal_field_error(field: str, why: str) -> FieldError:
    """Return a failure of validation itself."""
    return FieldError("InternalError", field, f"Internal error: {why}")


def invalid(kind: GroupName, name: str, errors: Iterable[FieldError]) -> StatusError:
    """422 with one cause a field; equal messages are named once."""
    errors = list(errors)
    texts = list(dict.fromkeys(str(error) for error in errors))
    summary = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    message = f"{kind} {quote(name)} is invalid" + (f": {summary}" if texts else "")
    details = object_details(kind, name, causes=[error.cause() for error in errors])
    return StatusError(422, "Invalid", message, details)
