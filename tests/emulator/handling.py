# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request to a resource, and what every handler of a resource answers."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from . import gojson
from .access import User
from .gotext import json_error, quote
from .json_patch import apply_json_patch
from .patches import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, merge, strategic_merge
from .resources import BY_PATH, IMAGE, ResourceType, is_custom
from .shapes import misfit
from .statuses import GroupName, StatusError, bad_request, invalid, invalid_value, unsupported_media_type
from .store import Object, encode, typed

_SUMMARY_LENGTH = 30


async def _nothing() -> None:
    """Do nothing, which is what happens in the middle of most requests."""


@dataclass
class Call:
    """One request after authentication and authorization. ``resource`` and ``subresource`` are those of its path."""

    user: User
    verb: str
    resource: ResourceType
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    query: t.Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    body: bytes = b""
    meanwhile: Callable[[], Awaitable[t.Any]] = _nothing
    """Awaited once in the middle of the work."""

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored."""
        return self.query.get("dryRun") == "All"

    @property
    def group_resource(self) -> GroupName:
        """What messages call the resource."""
        return self.resource.group_resource

    def document(self, resource: ResourceType | None = None) -> Object:
        """Return the body as an object of the resource's kind; 400 in the server's words."""
        kind = resource or self.resource
        text = self.body.decode(errors="replace")
        problem = json_error(text)
        if problem is not None:
            raise bad_request(
                f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind;"
                f" json parse error: {problem} ({_summary(self.body)})"
            )
        document = json.loads(text) if is_custom(kind.group) else gojson.decode(text)
        if not isinstance(document, dict):
            raise bad_request(
                f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind;"
                f" json parse error: json: cannot unmarshal into Go value of type struct ({_summary(self.body)})"
            )
        given = document.get("apiVersion") or kind.api_version, document.get("kind") or kind.kind
        if given != (kind.api_version, kind.kind):
            raise bad_request(_other_kind(*given, kind))
        why = misfit(kind.kind, document)
        if why:
            raise bad_request(f"{kind.kind} in version {quote(kind.version)} cannot be handled as a {kind.kind}: {why}")
        return document

    def patched(self, current: Object) -> Object:
        """Return ``current`` (with kind and apiVersion) after the patch in the body."""
        kinds: dict[str, Callable[[t.Any], t.Any]] = {
            JSON_PATCH: lambda patch: apply_json_patch(current, patch),
            MERGE_PATCH: lambda patch: merge(current, patch),
        }
        if self.resource.merge_keys is not None:
            kinds[STRATEGIC_MERGE_PATCH] = lambda patch: strategic_merge(current, patch, self.resource.rules)
        apply = kinds.get(self.content_type)
        if apply is None:
            raise unsupported_media_type([*kinds, "application/apply-patch+yaml"])
        problem = json_error(self.body.decode(errors="replace"))
        if problem is not None:
            raise bad_request(f"error decoding patch: {problem}")
        patched = apply(json.loads(self.body))
        if not isinstance(patched, dict):
            raise bad_request("the patch does not leave an object")
        why = misfit(self.resource.kind, patched)
        if why:
            # Really the whole object is quoted (apiserver, endpoints/handlers/patch.go).
            raise invalid(GroupName("", ""), "", [invalid_value("patch", encode(patched).decode(), why)])
        return patched


def _other_kind(version: str, kind: str, wanted: ResourceType) -> str:
    """Why an object of another kind is refused: the server cannot make the wanted one of it, or does not know it."""
    if is_custom(wanted.group):
        return f"the API version in the data ({version}) does not match the expected API version ({wanted.api_version})"
    short = version.rpartition("/")[2]
    known = [resource for resource in BY_PATH.values() if (resource.api_version, resource.kind) == (version, kind)]
    if known and not is_custom(known[0].group):
        why = f"converting ({short}.{kind}) to ({_package(wanted.group)}.{wanted.kind}): unknown conversion"
    else:
        scheme = f"{'k8s.io/kubernetes/' if wanted.group == IMAGE else ''}pkg/api/legacyscheme/scheme.go:30"
        why = f"no kind {quote(kind)} is registered for version {quote(version)} in scheme {quote(scheme)}"
    return f"{kind} in version {quote(short)} cannot be handled as a {wanted.kind}: {why}"


def _package(group: str) -> str:
    return group.partition(".")[0] or "core"


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    shown = body[:_SUMMARY_LENGTH]
    text = shown.decode(errors="replace") if body.startswith(b"{") else shown.hex()
    return text + (" ..." if len(body) > _SUMMARY_LENGTH else "")


@dataclass(frozen=True)
class Answer:
    """The code and encoded body of an answer."""

    code: int
    body: bytes
    content_type: str = "application/json"
    headers: t.Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, code: int, document: t.Any) -> Answer:
        """Return an answer with a document."""
        return cls(code, encode(document))

    @classmethod
    def object(cls, code: int, resource: ResourceType, encoded: bytes) -> Answer:
        """Return an answer with an encoded object, which gets its kind here."""
        return cls(code, typed(resource, encoded))

    @classmethod
    def refusal(cls, error: StatusError) -> Answer:
        """Return a ``Status``."""
        return cls(error.code, encode(error.document()), headers=error.headers)


class Handler(t.Protocol):
    """Serves a resource."""

    async def handle(self, call: Call) -> Answer:
        """Answer a call; refusals are raised as StatusError."""
