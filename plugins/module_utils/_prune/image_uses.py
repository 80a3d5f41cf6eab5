# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a workload names, read from its object: pods, pod templates and builds.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from functools import lru_cache
from typing import NamedTuple

from .._core.errors import InputError
from .._core.references import PullSpec
from .._workloads.kinds import WorkloadKind

Object = t.Mapping[str, t.Any]

# The name that every OpenShift cluster gives its own registry (contract case import_preserve_original).
CLUSTER_REGISTRY = "image-registry.openshift-image-registry.svc:5000"

_SCHEME = re.compile(r"\A[a-z][a-z0-9-]*://")
_BARE_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_CONTAINERS = (
    ("initContainers", "initContainerStatuses", "init"),
    ("containers", "containerStatuses", "container"),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
)
_BUILD_STRATEGIES = ("dockerStrategy", "sourceStrategy", "customStrategy")
_FINISHED_PHASES = {"Pod": ("Succeeded", "Failed"), "Build": ("Complete", "Failed", "Error", "Cancelled")}


class Workload(NamedTuple):
    """An object that uses images.

    ``owner`` is kind and name of its controller; a ``finished`` one pulls nothing any more.
    """

    kind: str
    namespace: str
    name: str
    owner: tuple[str, str] | None = None
    finished: bool = False


class ImageReference(NamedTuple):
    """An image as a workload names it. ``registry`` and ``repository`` are empty if only a digest is known."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def stream(self) -> tuple[str, str] | None:
        """Return namespace and name of the stream that the pruner takes this for: a host and a path of two parts.

        The host is not looked at (server-behaviour.md 5).
        """
        parts = self.repository.split("/")
        return (parts[0], parts[1]) if self.registry and len(parts) == 2 else None


class ImageUse(NamedTuple):
    """One image of one container.

    ``place`` is container, init, ephemeral, volume or build; ``image`` is the text in the object, ``reference`` what it
    says; ``running`` is what the node says that it runs (``image_id`` as written), where it says so.
    """

    workload: Workload
    container: str
    place: str
    image: str
    reference: ImageReference | None
    running: ImageReference | None = None
    image_id: str = ""


# The same few images are in most pods of a cluster.
@lru_cache(maxsize=4096)
def parse_image(text: str) -> ImageReference | None:
    """Take an image of a pod apart; None for what is no pull spec. Without tag and digest it is the tag ``latest``."""
    try:
        spec = PullSpec.parse(text.strip())
    except InputError:
        return None
    return ImageReference(spec.registry, spec.repository, spec.tag or ("" if spec.digest else "latest"), spec.digest)


def parse_image_id(text: str) -> ImageReference | None:
    """Take a container status's ``imageID`` apart; None if it holds no digest of a manifest.

    Container runtimes write ``repository@digest``, the digest alone, either with a scheme such as
    ``docker-pullable://`` before it, or the bare id of the image's configuration.
    """
    text = _SCHEME.sub("", text.strip(), count=1)
    if _BARE_DIGEST.fullmatch(text):
        return ImageReference("", "", "", text)
    reference = parse_image(text)
    return reference if reference is not None and reference.digest else None


def image_uses(kind: WorkloadKind, item: Object) -> list[ImageUse]:
    """Return every image that an object of the kind names."""
    metadata = item.get("metadata") or {}
    workload = Workload(
        kind.kind,
        metadata.get("namespace", ""),
        metadata.get("name", ""),
        _controller(metadata),
        _finished(kind.kind, item),
    )
    if not kind.template:
        return list(_build_uses(workload, item.get("spec") or {}))
    spec: t.Any = item
    for key in kind.template:
        spec = spec.get(key) or {}
    return list(_pod_uses(workload, spec, item.get("status") or {} if kind.kind == "Pod" else {}))


def _pod_uses(workload: Workload, spec: Object, status: Object) -> t.Iterator[ImageUse]:
    for field, statuses, place in _CONTAINERS:
        running = {one.get("name"): one.get("imageID") or "" for one in status.get(statuses) or ()}
        for container in spec.get(field) or ():
            name, image = container.get("name", ""), container.get("image") or ""
            image_id = running.get(name, "")
            yield ImageUse(workload, name, place, image, parse_image(image), parse_image_id(image_id), image_id)
    for volume in spec.get("volumes") or ():
        image = (volume.get("image") or {}).get("reference") or ""
        if image:
            yield ImageUse(workload, volume.get("name", ""), "volume", image, parse_image(image))


def _build_uses(workload: Workload, spec: Object) -> t.Iterator[ImageUse]:
    strategy = spec.get("strategy") or {}
    named = [((strategy.get(field) or {}).get("from"), "strategy") for field in _BUILD_STRATEGIES]
    named += [(source.get("from"), "source") for source in (spec.get("source") or {}).get("images") or ()]
    for origin, container in named:
        if origin:
            yield ImageUse(
                workload, container, "build", origin.get("name", ""), _build_reference(origin, workload.namespace)
            )


def _build_reference(origin: Object, namespace: str) -> ImageReference | None:
    """Return what the ``from`` of a build says; stream tags and stream images are given the form of a pull spec."""
    name = origin.get("name") or ""
    if origin.get("kind") == "DockerImage":
        return parse_image(name)
    repository, separator, rest = name.partition("@" if origin.get("kind") == "ImageStreamImage" else ":")
    if not separator:
        return None
    repository = f"{origin.get('namespace') or namespace}/{repository}"
    if separator == "@":
        return ImageReference(CLUSTER_REGISTRY, repository, "", rest)
    return ImageReference(CLUSTER_REGISTRY, repository, rest, "")


def _controller(metadata: Object) -> tuple[str, str] | None:
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            return owner.get("kind", ""), owner.get("name", "")
    return None


def _finished(kind: str, item: Object) -> bool:
    status = item.get("status") or {}
    if kind == "Job":
        return any(
            c.get("type") in ("Complete", "Failed") and c.get("status") == "True"
            for c in status.get("conditions") or ()
        )
    return status.get("phase") in _FINISHED_PHASES.get(kind, ())
