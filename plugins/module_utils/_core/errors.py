# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that can go wrong, as types: who refused (module, API server, registry), what, and what to do.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .outward import excerpt

# characters of a server's message that are kept
MESSAGE_LIMIT = 4000
# of the message of a 404 that is about the kind of object, not about one
NOT_SERVED = "could not find the requested resource"


class CollectionError(Exception):
    """Base of every error that a user is shown. ``str(error)`` is one complete sentence without any credential."""

    def __init__(self, message: str) -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        """Return the sentence."""
        return str(self)

    def results(self) -> dict[str, t.Any]:
        """Return keys for ``fail_json`` besides ``msg``; JSON types only, never a credential."""
        return {}


class InputError(CollectionError):
    """The module refused an option's value; raised before the first request."""


class MissingLibraryError(CollectionError):
    """A Python library that the chosen options need is not installed where the module runs."""


class ConfigurationError(CollectionError):
    """The access to the cluster cannot be set up: kubeconfig, context, certificate, exec plugin."""


class ApiUnreachable(CollectionError):
    """The API server was not reached at all: nothing was sent, so nothing was done there."""


class ApiOutcomeUnknown(CollectionError):
    """A request was sent and no complete answer came back: it may or may not have been carried out. Read again."""


class ApiError(CollectionError):
    """The API server answered with an error.

    ``status`` is the HTTP status code, ``reason`` and ``details`` are those of the Kubernetes ``Status`` object
    (``reason`` is ``""`` if the answer was not a ``Status``), ``server_message`` its message.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        server_message: str = "",
        details: dict[str, t.Any] | None = None,
        method: str = "",
        path: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.server_message = server_message
        self.details = details or {}
        self.method = method
        self.path = path

    def results(self) -> dict[str, t.Any]:
        return {"status": self.status, "reason": self.reason, "error": self.server_message}


class NotFound(ApiError):
    """404 with a ``Status`` object: the object, or its namespace (``details.kind == "namespaces"``), does not exist."""


class ApiNotServed(ApiError):
    """404 without a ``Status`` object: this API group is not served here (contract case not_openshift)."""


class Conflict(ApiError):
    """409: somebody else wrote the object in between, or it exists already. Read again, plan again."""


class Forbidden(ApiError):
    """403: the caller lacks the right."""


class Unauthorized(ApiError):
    """401: the token or certificate was not accepted."""


class Invalid(ApiError):
    """422: the API server refused the object; ``details["causes"]`` says which fields."""


class RegistryError(CollectionError):
    """A registry refused or could not be read, seen from where the module runs.

    ``status`` is its HTTP status code, or None if no answer came (connection, TLS).
    """

    def __init__(self, message: str, *, registry: str, status: int | None = None) -> None:
        super().__init__(message)
        self.registry = registry
        self.status = status

    def results(self) -> dict[str, t.Any]:
        return {"registry": self.registry, "status": self.status}


def may_have_been_done(error: CollectionError) -> bool:
    """Say whether the write that ended with ``error`` may have been carried out all the same.

    Only reading again can tell.
    """
    return isinstance(error, ApiOutcomeUnknown) or (isinstance(error, ApiError) and error.status in (500, 502, 504))


def status_facts(status: t.Mapping[str, t.Any]) -> tuple[str, str, dict[str, t.Any]]:
    """Return reason, message and details of a Kubernetes ``Status`` object, bounded and of the right types."""
    reason, message, details = status.get("reason"), status.get("message"), status.get("details")
    text = message if isinstance(message, str) else ""
    shown = excerpt(text, MESSAGE_LIMIT)
    if len(text) > MESSAGE_LIMIT:
        shown = f"{shown}..."
    return (
        excerpt(reason, MESSAGE_LIMIT) if isinstance(reason, str) else "",
        shown,
        details if isinstance(details, dict) else {},
    )


class InternalError(CollectionError):
    """A mistake in the module, met at one of many items: the others have results of their own."""


def internal_error(exc: Exception) -> InternalError:
    """Return the error for an exception that nobody expected.

    Its own message stays out, since it can hold any value.
    """
    place = exc.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f"{place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}"
        if place is not None
        else "an unknown place"
    )
    return InternalError(
        f"Internal error of the module ({type(exc).__name__} at {where}), nothing more is known about what was done to "
        "this one; please report it"
    )
