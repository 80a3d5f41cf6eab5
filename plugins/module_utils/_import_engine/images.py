# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an import or a lookup asks for one image, and what became of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from typing import NamedTuple

from .._core.manifests import Manifest

# The kinds that a tag's source can have.
EXTERNAL = "DockerImage"
STREAM_TAG = "ImageStreamTag"
STREAM_IMAGE = "ImageStreamImage"
# What requests are called that are not about one stream.
NOBODYS_NAME = "lookup"


class Image(NamedTuple):
    """What the registry served for a pull spec: the list itself under PreserveOriginal, one child of it under Legacy.

    ``reference`` is repository@digest as the stream's history records it, ``import_mode`` the one the server used,
    ``architecture`` that of a single image.
    """

    digest: str
    reference: str
    media_type: str
    manifests: tuple[Manifest, ...]
    import_mode: str
    architecture: str = ""

    @property
    def is_known(self) -> bool:
        """Return False if check mode can tell that an import will be made, but not what the registry will serve."""
        return bool(self.digest)

    @property
    def without_platform(self) -> list[str]:
        """Return the digests of entries that name no platform.

        An import of such a list fails (contract case list_entry_without_platform).
        """
        return [child.digest for child in self.manifests if not (child.os and child.architecture)]


@dataclass(frozen=True)
class ImportFailure:
    """Why an image could not be imported or looked up, in the server's words.

    ``reason`` is the server's (NotFound, Unauthorized, InternalError, ...), and empty if it gave none.
    ``import_mode`` is the mode that the server used, if its answer told; it does not tell failures apart.
    """

    reason: str
    message: str
    import_mode: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """Return reason and message in one line."""
        return f"{self.reason}: {self.message}" if self.reason else self.message

    @property
    def may_pass(self) -> bool:
        """Return whether the registry failed in a way that often is over a moment later.

        The words are those of the server's library.
        """
        return any(words in self.message for words in ("received unexpected HTTP status: 5", "EOF", "connection reset"))

    @property
    def of_forbidden_registry(self) -> bool:
        """Return whether the cluster's administrators do not allow imports from the image's registry
        (server-behaviour.md 2.7)."""
        return self.reason == "Invalid" and "importing images from registry" in self.message


Outcome = t.Union[Image, ImportFailure]


class ImportItem(NamedTuple):
    """One image of an import or lookup. ``None`` leaves a field out, so that the cluster's default applies."""

    source: str
    to: str
    import_mode: str | None
    insecure: bool
    scheduled: bool = False
    reference_policy: str | None = None

    def body(self) -> dict[str, t.Any]:
        """Return the ``spec.images[]`` entry.

        The import policy is complete: the server does not merge it (contract case policy_fields_overwritten); ``to`` is
        always sent, or nothing is recorded (contract case source_without_tag).
        """
        policy: dict[str, t.Any] = {"insecure": self.insecure, "scheduled": self.scheduled}
        if self.import_mode:
            policy["importMode"] = self.import_mode
        entry: dict[str, t.Any] = {
            "from": {"kind": EXTERNAL, "name": self.source},
            "to": {"name": self.to},
            "importPolicy": policy,
        }
        if self.reference_policy:
            entry["referencePolicy"] = {"type": self.reference_policy}
        return entry


class Lookup(NamedTuple):
    """A question to the registry, asked through the cluster. Equal questions are asked once in a run.

    ``stream`` and ``tag`` are set only if the answer depends on the preference that the cluster's tag carries.
    """

    namespace: str
    source: str
    import_mode: str | None
    insecure: bool
    stream: str = ""
    tag: str = ""


def parse_image(image: t.Mapping[str, t.Any], import_mode: str) -> Image:
    """Turn an Image object of the API into an ``Image``."""
    children = tuple(
        Manifest(
            child.get("os", ""),
            child.get("architecture", ""),
            child.get("variant", ""),
            child.get("digest", ""),
            child.get("manifestSize"),
            child.get("mediaType", ""),
        )
        for child in image.get("dockerImageManifests") or ()
    )
    return Image(
        (image.get("metadata") or {}).get("name", ""),
        image.get("dockerImageReference", ""),
        image.get("dockerImageManifestMediaType", ""),
        children,
        import_mode,
        (image.get("dockerImageMetadata") or {}).get("Architecture", ""),
    )


def shown_manifests(image: Image) -> list[dict[str, t.Any]]:
    """Return the children of a manifest list as the modules return them; ``size`` in bytes."""
    return [
        {
            "os": child.os,
            "architecture": child.architecture,
            "variant": child.variant or None,
            "digest": child.digest,
            "size": child.size,
        }
        for child in image.manifests
    ]
