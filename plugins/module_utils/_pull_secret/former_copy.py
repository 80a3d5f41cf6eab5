# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy of a secret that is about to be recreated: kept beside it until the new one is there.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A run that is killed between deletion and creation loses nothing: a later run that finds the copy and no secret puts the former one
back first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

from .._cluster.facts import WritingClient
from .._cluster.optimistic import RetryNeeded
from .._cluster.paths import core_path
from .._core.errors import CollectionError, Conflict, Forbidden, NotFound
from .._core.report import without_dot
from .._credentials.registry_secrets import secret_texts
from .observed import ObservedSecret

_COPY_ENDING = ".former"
COPY_ANNOTATION = "quayside.openshift-images/former-content-of"
COPY_KEY = "secret.json"
_LONGEST_NAME = 253
_SET_BY_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink", "generation")


class RecreationFailed(CollectionError):
    """The former secret was deleted and the new one could not be created."""


def former_copy_name(name: str) -> str:
    """Return what the copy of the secret ``name`` is called."""
    beginning = name if len(name) + len(_COPY_ENDING) <= _LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()
    return f"{beginning}{_COPY_ENDING}"


class FormerCopy:
    """The copy of a secret that is about to be created anew: a secret beside it that no import and no pod reads, ``NAME.former``."""

    def __init__(self, client: WritingClient, namespace: str, name: str, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._collection_path = core_path(namespace, "secrets")
        self._name = former_copy_name(name)
        self._path = core_path(namespace, "secrets", self._name)
        self._of = name
        self._namespace = namespace
        self._version = ""

    def read(self) -> ObservedSecret | None:
        """Return the secret as it was; None where there is no copy, or none that can be read."""
        try:
            raw = self._client.get(self._path)
        except (NotFound, Forbidden):
            return None
        if not self._is_ours(raw):
            return None
        text = raw["data"][COPY_KEY]
        self._mask(text)
        former = _readable_copy(text)
        if former is None or former["metadata"].get("name") != self._of:
            return None
        self._mask(*secret_texts([former]))
        self._version = raw["metadata"]["resourceVersion"]
        return ObservedSecret(former)

    def keep(self, former: ObservedSecret) -> None:
        """Write the copy. An older one is overwritten, since the secret itself is there."""
        text = base64.b64encode(json.dumps(former.raw).encode()).decode()
        self._mask(text)
        metadata: dict[str, t.Any] = {"name": self._name, "namespace": self._namespace, "annotations": {COPY_ANNOTATION: self._of}}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {COPY_KEY: text}}
        try:
            try:
                written = self._client.request("POST", self._collection_path, body=body)
            except Conflict:
                present = self._client.get(self._path)
                if not self._is_ours(present):
                    raise RecreationFailed(
                        f'The secret "{self._of}" in the namespace "{self._namespace}" was not deleted to be created anew, because its content '
                        f'would be kept meanwhile as "{self._name}", which is another secret; rename that one'
                    ) from None
                metadata["resourceVersion"] = present["metadata"]["resourceVersion"]
                written = self._client.request("PUT", self._path, body=body)
        except (Conflict, NotFound):
            raise RetryNeeded from None
        self._version = written["metadata"]["resourceVersion"]

    def remove(self) -> str:
        """Delete the copy that was read or written, if any; return a warning where it stays."""
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
                f'The secret "{self._name}" in the namespace "{self._namespace}" holds the former content of "{self._of}" and could not be '
                f"deleted: {without_dot(exc)}; delete it."
            )
        return ""

    def _is_ours(self, raw: t.Mapping[str, t.Any]) -> bool:
        annotations = (raw.get("metadata") or {}).get("annotations") or {}
        return annotations.get(COPY_ANNOTATION) == self._of and COPY_KEY in (raw.get("data") or {})


def as_new(former: ObservedSecret) -> dict[str, t.Any]:
    """Return the object for a POST that creates the secret as it was."""
    metadata = {name: value for name, value in former.metadata.items() if name not in _SET_BY_THE_SERVER}
    return {"apiVersion": "v1", "kind": "Secret", **former.raw, "metadata": metadata}


def _readable_copy(text: str) -> dict[str, t.Any] | None:
    """The Secret object of a copy; None for what is none, since whoever may write secrets may have written it."""
    try:
        former = json.loads(base64.b64decode(text))
    except (ValueError, RecursionError):
        return None
    metadata = former.get("metadata") if isinstance(former, dict) else None
    if not isinstance(metadata, dict):
        return None
    mappings = (former.get("data") or {}, metadata.get("labels") or {}, metadata.get("annotations") or {})
    readable = all(isinstance(mapping, dict) and all(isinstance(value, str) for value in mapping.values()) for mapping in mappings)
    return former if readable and isinstance(former.get("type") or "", str) else None
