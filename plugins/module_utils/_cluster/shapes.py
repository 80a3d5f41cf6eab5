# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the API's objects, as far as the collection reads them: an answer of another shape is none of the API.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.foreign import Each, Name, Needed, misfit

_METADATA = {
    "name": Needed(Name()),
    "namespace": Name(),
    "resourceVersion": str,
    "uid": str,
    "generation": int,
    "creationTimestamp": str,
    "deletionTimestamp": str,
    "finalizers": [str],
    "labels": Each(str),
    "annotations": Each(str),
    "ownerReferences": [{"apiVersion": str, "kind": str, "name": str, "controller": bool}],
}
_OBJECT = {"metadata": Needed(_METADATA)}
_REFERENCE = {"kind": str, "name": str, "namespace": str}
_POLICIES = {"importPolicy": {"importMode": str, "scheduled": bool, "insecure": bool}, "referencePolicy": {"type": str}}
_CONDITION = {"type": str, "status": str, "reason": str, "message": str, "generation": int, "lastTransitionTime": str}
_PLATFORM = {"digest": str, "mediaType": str, "architecture": str, "os": str, "variant": str, "manifestSize": int}
_IMAGE_FIELDS = {
    "dockerImageReference": str,
    "dockerImageManifestMediaType": str,
    "dockerImageMetadata": {"Architecture": str, "Os": str},
    "dockerImageManifests": [_PLATFORM],
}
_IMAGE = {"metadata": {"name": str, "creationTimestamp": str, "annotations": Each(str)}, **_IMAGE_FIELDS}
_STREAM = {
    **_OBJECT,
    "spec": {
        "dockerImageRepository": str,
        "lookupPolicy": {"local": bool},
        "tags": [
            {
                "name": Needed(str),
                "from": _REFERENCE,
                "annotations": Each(str),
                "generation": int,
                "reference": bool,
                **_POLICIES,
            }
        ],
    },
    "status": {
        "dockerImageRepository": str,
        "publicDockerImageRepository": str,
        "tags": [
            {
                "tag": Needed(str),
                "items": [{"created": str, "dockerImageReference": str, "image": str, "generation": int}],
                "conditions": [_CONDITION],
            }
        ],
    },
}
_ANSWER = {
    "status": {"status": str, "reason": str, "message": str, "code": int},
    "image": _IMAGE,
    "manifests": [_IMAGE],
    "tag": str,
}
_STREAM_IMPORT = {
    "spec": {"images": [_POLICIES]},
    "status": {
        "import": _STREAM,
        "images": [_ANSWER],
        "repository": {
            "status": {"status": str, "reason": str, "message": str},
            "images": [_ANSWER],
            "additionalTags": [str],
        },
    },
}
_NAMES = [{"name": str}]
_CONTAINER = {"name": str, "image": str}
_POD = {
    **_OBJECT,
    "spec": {"containers": [_CONTAINER], "initContainers": [_CONTAINER]},
    "status": {"phase": str, "containerStatuses": [{"name": str, "image": str, "imageID": str}]},
}
_MIRRORS = [{"source": str, "mirrors": [str]}]

# by the kind that an answer names; of a list its items
SHAPES: dict[str, t.Any] = {
    "ImageStream": _STREAM,
    "ImageStreamImport": _STREAM_IMPORT,
    "Image": _IMAGE,
    "Secret": {**_OBJECT, "type": str, "data": Each(str), "immutable": bool},
    "ServiceAccount": {**_OBJECT, "secrets": _NAMES, "imagePullSecrets": _NAMES},
    "Namespace": _OBJECT,
    "Project": _OBJECT,
    "Node": {**_OBJECT, "status": {"nodeInfo": {"architecture": str, "operatingSystem": str}}},
    "Pod": _POD,
    "Infrastructure": {**_OBJECT, "status": {"controlPlaneTopology": str}},
    "Config": {
        **_OBJECT,
        "spec": {
            "managementState": str,
            "samplesRegistry": str,
            "skippedImagestreams": [str],
            "skippedTemplates": [str],
        },
        "status": {
            "conditions": [_CONDITION],
            "managementState": str,
            "samplesRegistry": str,
            "skippedImagestreams": [str],
            "skippedTemplates": [str],
            "version": str,
        },
    },
    "ImageTagMirrorSet": {**_OBJECT, "spec": {"imageTagMirrors": _MIRRORS}},
    "ImageDigestMirrorSet": {**_OBJECT, "spec": {"imageDigestMirrors": _MIRRORS}},
    "ImageContentSourcePolicy": {**_OBJECT, "spec": {"repositoryDigestMirrors": _MIRRORS}},
}
_LIST = "List"


def flaw_of(answer: t.Mapping[str, t.Any]) -> str:
    """Return why an answer is not of the shape of its kind, as the end of a sentence about it.

    Return "" if it is, or if its kind is not read.
    """
    kind = answer.get("kind")
    if not isinstance(kind, str):
        return ""
    shape = SHAPES.get(kind)
    if shape is None and kind.endswith(_LIST):
        shape = {"metadata": {"continue": str}, "items": [SHAPES.get(kind[: -len(_LIST)], _OBJECT)]}
    flaw = misfit(answer, shape)
    return "" if flaw is None else f"is no {kind} of the API: {flaw}"
