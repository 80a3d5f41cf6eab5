# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy of a secret that is about to be recreated: kept beside it until the new one is there.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A run that is killed between deletion and creation loses nothing: a later run that finds the copy and no secret
creates the secret with what the copy holds besides, and says so.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import typing as t

from .._cluster.facts import WritingClient
from .._cluster.optimistic import RetryNeeded
from .._cluster.paths import core_path
from .._core.errors import CollectionError, Conflict, Forbidden, NotFound
from .._core.report import without_dot
from .._credentials.auth_document import Login
from .._credentials.registry_secrets import secret_texts
from .observed import ObservedSecret

_COPY_ENDING = ".former"
COPY_ANNOTATION = "quayside.openshift-images/former-content-of"
COPY_KEY = "secret.json"
COPY_MARKS = "marks"
# Nothing in a cluster reads secrets of this type.
COPY_TYPE = "quayside.openshift-images/former-secret"
_LONGEST_NAME = 253
_SET_BY_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink", "generation")


class RecreationFailed(CollectionError):
    """The secret could not be recreated: the message says what became of the former one."""


def former_copy_name(name: str) -> str:
    """Return what the copy of the secret ``name`` is called."""
    beginning = name if len(name) + len(_COPY_ENDING) <= _LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()
    return f"{beginning}{_COPY_ENDING}"


class FormerCopy:
    """The copy of a secret that is about to be recreated: a secret beside it that no import and no pod reads,
    ``NAME.former``.

    Whoever may create secrets in the namespace can create one of that name, too. So the copy carries a mark for each
    credential of the task that wrote it, and nothing is taken from a copy without the mark of a credential that the
    task has.
    """

    def __init__(
        self, client: WritingClient, namespace: str, name: str, logins: t.Iterable[Login], mask: t.Callable[..., None]
    ) -> None:
        self._client = client
        self._mask = mask
        self._collection_path = core_path(namespace, "secrets")
        self._name = former_copy_name(name)
        self._path = core_path(namespace, "secrets", self._name)
        self._of = name
        self._namespace = namespace
        self._logins = tuple(logins)
        self._version = ""
        self.former: ObservedSecret | None = None
        self.created = ""
        self.distrusted = False

    def look(self) -> None:
        """Read the copy, if there is one.

        ``former`` is the secret as it was, if it can be trusted, and ``distrusted`` says if not.
        """
        self.former, self.distrusted, self._version = None, False, ""
        try:
            raw = self._client.get(self._path)
        except (NotFound, Forbidden):
            return
        if not self._is_ours(raw):
            return
        metadata = raw["metadata"]
        self._version, self.created = metadata["resourceVersion"], str(metadata.get("creationTimestamp") or "")
        text, marks = raw["data"][COPY_KEY], raw["data"].get(COPY_MARKS) or ""
        self._mask(text)
        former = _readable_copy(text)
        if former is None or former["metadata"].get("name") != self._of or not self._is_marked(text, marks):
            self.distrusted = True
            return
        self._mask(*secret_texts([former]))
        self.former = ObservedSecret(former)

    @property
    def is_there(self) -> bool:
        """Return whether there is a copy, as far as was looked."""
        return bool(self._version)

    def keep(self, former: ObservedSecret) -> None:
        """Write the copy. An older one is overwritten, since the secret itself is there."""
        text = base64.b64encode(json.dumps(former.raw).encode()).decode()
        self._mask(text)
        marks = base64.b64encode(" ".join(_mark(text, login) for login in self._logins).encode()).decode()
        metadata: dict[str, t.Any] = {
            "name": self._name,
            "namespace": self._namespace,
            "annotations": {COPY_ANNOTATION: self._of},
        }
        data = {COPY_KEY: text, COPY_MARKS: marks}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": COPY_TYPE, "data": data}
        try:
            try:
                written = self._client.request("POST", self._collection_path, body=body)
            except Conflict:
                present = self._client.get(self._path)
                if not self._is_ours(present):
                    raise RecreationFailed(
                        f'The secret "{self._of}" in the namespace "{self._namespace}" was not deleted to be '
                        "recreated, because its content "
                        f'would be kept meanwhile as "{self._name}", which is another secret; rename that one'
                    ) from None
                metadata["resourceVersion"] = present["metadata"]["resourceVersion"]
                written = self._client.request("PUT", self._path, body=body)
        except (Conflict, NotFound):
            raise RetryNeeded from None
        self._version = written["metadata"]["resourceVersion"]

    def remove(self) -> str:
        """Delete the copy that was read or written, if any; return a warning if it stays."""
        if not self._version:
            return ""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": self._version}}
        try:
            self._client.request("DELETE", self._path, body=body)
        except (NotFound, Conflict):
            # It is gone, or another run has come to need it.
            return ""
        except CollectionError as exc:
            return (
                f'The secret "{self._name}" in the namespace "{self._namespace}" holds the former content of '
                f'"{self._of}" and could not be '
                f"deleted: {without_dot(exc)}; delete it."
            )
        return ""

    def _is_ours(self, raw: t.Mapping[str, t.Any]) -> bool:
        annotations = (raw.get("metadata") or {}).get("annotations") or {}
        return (
            raw.get("type") == COPY_TYPE
            and annotations.get(COPY_ANNOTATION) == self._of
            and COPY_KEY in (raw.get("data") or {})
        )

    def _is_marked(self, text: str, marks: str) -> bool:
        try:
            found = base64.b64decode(marks).decode("ascii").split()
        except ValueError:
            return False
        return any(hmac.compare_digest(one, _mark(text, login)) for login in self._logins for one in found)


def _mark(text: str, login: Login) -> str:
    """Return the mark that a copy with the content ``text`` gets for a credential.

    Only who has that credential can make it.
    """
    key = "\0".join((login.username, login.password, login.identity_token)).encode("utf-8", "surrogateescape")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def as_new(former: ObservedSecret) -> dict[str, t.Any]:
    """Return the object for a POST that creates the secret as it was."""
    metadata = {name: value for name, value in former.metadata.items() if name not in _SET_BY_THE_SERVER}
    return {"apiVersion": "v1", "kind": "Secret", **former.raw, "metadata": metadata}


def _readable_copy(text: str) -> dict[str, t.Any] | None:
    """Return the Secret object of a copy.

    Return None for what is none, since whoever may write secrets may have written it.
    """
    try:
        former = json.loads(base64.b64decode(text))
    except (ValueError, RecursionError):
        return None
    metadata = former.get("metadata") if isinstance(former, dict) else None
    if not isinstance(metadata, dict):
        return None
    mappings = (former.get("data") or {}, metadata.get("labels") or {}, metadata.get("annotations") or {})
    readable = all(
        isinstance(mapping, dict) and all(isinstance(value, str) for value in mapping.values()) for mapping in mappings
    )
    return former if readable and isinstance(former.get("type") or "", str) else None
