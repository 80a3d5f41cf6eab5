# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Go types behind the kinds in use, and what Kubernetes' JSON decoder says of a value that does not fit one.

Only fields whose type can be got wrong by a client of these kinds are here; others are taken as they come.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .gotext import json_type


@dataclass(frozen=True)
class Scalar:
    """A value of one JSON type: ``kind`` is ``string``, ``bool``, ``number`` or ``bytes`` (base64 text)."""

    kind: str
    go: str


@dataclass(frozen=True)
class Struct:
    """An object with known fields."""

    name: str
    fields: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def go(self) -> str:
        """The type as Go prints it."""
        return f"v1.{self.name}"


@dataclass(frozen=True)
class Many:
    """A list, or (``keyed``) an object with any keys, of values of one shape."""

    element: Shape
    keyed: bool = False

    @property
    def go(self) -> str:
        """The type as Go prints it."""
        return ("map[string]" if self.keyed else "[]") + self.element.go


Shape = Scalar | Struct | Many

_TEXT, _FLAG, _NUMBER = Scalar("string", "string"), Scalar("bool", "bool"), Scalar("number", "int64")
_TEXTS = Many(_TEXT, keyed=True)
_META = Struct(
    "ObjectMeta",
    {
        **dict.fromkeys(("name", "generateName", "namespace", "resourceVersion"), _TEXT),
        "uid": Scalar("string", "types.UID"),
        "generation": _NUMBER,
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": Many(_TEXT),
    },
)
_REFERENCE = Struct(
    "ObjectReference", dict.fromkeys(("kind", "namespace", "name", "apiVersion", "resourceVersion", "fieldPath"), _TEXT)
)
_LOCAL_REFERENCE = Struct("LocalObjectReference", {"name": _TEXT})
_IMPORT_POLICY = Struct(
    "TagImportPolicy", {"insecure": _FLAG, "scheduled": _FLAG, "importMode": Scalar("string", "v1.ImportModeType")}
)
_REFERENCE_POLICY = Struct("TagReferencePolicy", {"type": Scalar("string", "v1.TagReferencePolicyType")})
_LOOKUP_POLICY = Struct("ImageLookupPolicy", {"local": _FLAG})
_TAG = Struct(
    "TagReference",
    {
        "name": _TEXT,
        "annotations": _TEXTS,
        "from": _REFERENCE,
        "reference": _FLAG,
        "generation": _NUMBER,
        "importPolicy": _IMPORT_POLICY,
        "referencePolicy": _REFERENCE_POLICY,
    },
)
_EVENT = Struct("TagEvent", {"dockerImageReference": _TEXT, "image": _TEXT, "generation": _NUMBER})
_CONDITION = Struct("TagEventCondition", {"reason": _TEXT, "message": _TEXT, "generation": _NUMBER})
_HISTORY = Struct("NamedTagEventList", {"tag": _TEXT, "items": Many(_EVENT), "conditions": Many(_CONDITION)})
_SOURCE: dict[str, Shape] = {
    "from": _REFERENCE,
    "importPolicy": _IMPORT_POLICY,
    "referencePolicy": _REFERENCE_POLICY,
    "includeManifest": _FLAG,
}

_FIELDS: dict[str, dict[str, Shape]] = {
    "ImageStream": {
        "spec": Struct(
            "ImageStreamSpec", {"lookupPolicy": _LOOKUP_POLICY, "dockerImageRepository": _TEXT, "tags": Many(_TAG)}
        ),
        "status": Struct("ImageStreamStatus", {"dockerImageRepository": _TEXT, "tags": Many(_HISTORY)}),
    },
    "ImageStreamImport": {
        "spec": Struct(
            "ImageStreamImportSpec",
            {
                "import": _FLAG,
                "repository": Struct("RepositoryImportSpec", _SOURCE),
                "images": Many(Struct("ImageImportSpec", {**_SOURCE, "to": _LOCAL_REFERENCE})),
            },
        ),
    },
    "ImageStreamTag": {"tag": _TAG, "generation": _NUMBER, "lookupPolicy": _LOOKUP_POLICY},
    "ImageTag": {"spec": _TAG, "status": _HISTORY},
    "Secret": {
        "data": Many(Scalar("bytes", "[]uint8"), keyed=True),
        "stringData": _TEXTS,
        "type": Scalar("string", "v1.SecretType"),
        "immutable": _FLAG,
    },
    "ServiceAccount": {
        "secrets": Many(_REFERENCE),
        "imagePullSecrets": Many(_LOCAL_REFERENCE),
        "automountServiceAccountToken": _FLAG,
    },
}
_PYTHON: dict[str, type] = {"string": str, "bytes": str, "bool": bool, "number": int}


def misfit(kind: str, document: Mapping[str, t.Any]) -> str:
    """Why the first value that does not fit is refused, in the decoder's words; "" if all fit."""
    return _misfit(document, Struct(kind, {"metadata": _META, **_FIELDS.get(kind, {})}), "", ())


def _misfit(value: t.Any, shape: Shape, struct: str, path: tuple[str, ...]) -> str:
    if value is None:
        return ""
    if isinstance(shape, Scalar):
        # A bool is an int for Python, but not for the decoder.
        if value.__class__ is not _PYTHON[shape.kind]:
            return _words(value, shape, struct, path)
        return _bad_base64(value) if shape.kind == "bytes" else ""
    if isinstance(shape, Many):
        if not isinstance(value, dict if shape.keyed else list):
            return _words(value, shape, struct, path)
        entries = value.values() if shape.keyed else value
        return next(filter(None, (_misfit(entry, shape.element, struct, path) for entry in entries)), "")
    if not isinstance(value, dict):
        return _words(value, shape, struct, path)
    known = ((key, entry) for key, entry in value.items() if key in shape.fields)
    return next(filter(None, (_misfit(entry, shape.fields[key], shape.name, (*path, key)) for key, entry in known)), "")


def _words(value: t.Any, shape: Shape, struct: str, path: tuple[str, ...]) -> str:
    given = f"number {value}" if isinstance(value, float) and shape.go == "int64" else json_type(value)
    return f"json: cannot unmarshal {given} into Go struct field {struct}.{'.'.join(path)} of type {shape.go}"


def _bad_base64(value: str) -> str:
    """Where Go's decoder stops."""
    found = re.search(r"[^A-Za-z0-9+/]", value.rstrip("="))
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return f"illegal base64 data at input byte {found.start() if found else len(value) - len(value) % 4}"
    return ""
