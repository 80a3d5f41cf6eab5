# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry serves under a pull spec, described: the image or list, its platforms, and what Legacy would take
of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.concurrency import concurrent_map
from .._core.errors import CollectionError, RegistryError
from .._core.manifests import Manifest, legacy_choice, platform_text
from .._core.references import PullSpec
from .._core.report import Report, without_dot
from .documents import ImageConfig, ServedManifest
from .repository import RegistryRepository

if t.TYPE_CHECKING:
    from .._credentials.sources import Credential

TAG_ANNOTATION = "tag_annotation"
CONTROL_PLANE_ARCHITECTURE = "control_plane_architecture"
LINUX_AMD64 = "linux_amd64"
FIRST_ENTRY = "first_entry"

Open = t.Callable[[PullSpec], "OpenedRepository"]
Item = t.TypeVar("Item")
_NO_DETAILS: dict[str, t.Any] = {
    "os": None,
    "architecture": None,
    "variant": None,
    "created": None,
    "labels": {},
    "layers": None,
    "layers_size": None,
}


class OpenedRepository(NamedTuple):
    """A repository, and the credential that it is read with; None if none matches."""

    repository: RegistryRepository
    credential: Credential | None


class LegacyPreference(NamedTuple):
    """What steers Legacy's choice: the tag's annotations ("" if it has none), and the control plane's
    architecture."""

    architecture: str = ""
    os: str = ""
    control_plane_architecture: str = "amd64"


class LegacyChoice(NamedTuple):
    """The child that Legacy would take, by which rule, and why in a sentence."""

    child: Manifest
    rule: str
    why: str

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "digest": self.child.digest,
            "os": self.child.os,
            "architecture": self.child.architecture,
            "variant": self.child.variant or None,
            "rule": self.rule,
            "why": self.why,
        }


def explain_legacy(
    children: t.Sequence[Manifest], preference: LegacyPreference, *, by_digest: bool
) -> LegacyChoice | None:
    """Return the child of a list that an import with Legacy would take; None for an empty list.

    A pull spec by digest ignores the annotations (server-behaviour.md 2.10; contract cases prefer_architecture,
    legacy_without_amd64).
    """
    annotated = bool(preference.architecture or preference.os) and not by_digest
    system = preference.os if annotated and preference.os else "linux"
    architecture = (
        preference.architecture if annotated and preference.architecture else preference.control_plane_architecture
    )
    child = legacy_choice(children, architecture, system)
    if child is None:
        return None
    wanted, taken = f"{system}/{architecture}", f"{child.os}/{child.architecture}"
    ignored = (
        " (the preference does not count, because the image is named by digest)"
        if by_digest and (preference.architecture or preference.os)
        else ""
    )
    asked = "that the tag's annotations prefer" if annotated else "of the control plane"
    if taken == wanted and annotated:
        return LegacyChoice(child, TAG_ANNOTATION, f"The first entry for {wanted}, {asked}.")
    if taken == wanted:
        return LegacyChoice(
            child, CONTROL_PLANE_ARCHITECTURE, f"The first entry for {wanted}, the platform {asked}{ignored}."
        )
    if taken == "linux/amd64":
        return LegacyChoice(
            child,
            LINUX_AMD64,
            f"There is no entry for {wanted}, {asked}{ignored}, so the first one for linux/amd64 is taken.",
        )
    named = f"{wanted}, {asked}{ignored}, nor for linux/amd64" if wanted != "linux/amd64" else f"{wanted}{ignored}"
    return LegacyChoice(
        child, FIRST_ENTRY, f"There is no entry for {named}, so the first one of the list is taken, {taken}."
    )


def describe_image(
    text: str, open_repository: Open, preference: LegacyPreference, *, with_tags: bool
) -> dict[str, t.Any]:
    """Return all that the registry says of the pull spec ``text``; what could not be read is in ``error``."""
    spec = PullSpec.parse(text)
    found: dict[str, t.Any] = {
        "image": text,
        "digest": None,
        "media_type": None,
        "size": None,
        "platforms": [],
        "manifests": [],
        **_NO_DETAILS,
        "tags": None,
        "legacy_choice": None,
        "credential": None,
        "error": None,
    }
    errors: list[CollectionError] = []
    try:
        opened = open_repository(spec)
        found["credential"] = opened.credential.as_dict() if opened.credential else None
        try:
            _describe_manifest(spec, opened.repository, preference, found)
        except RegistryError as error:
            errors.append(error)
            # if the image is missing, the tags that are there say more; what was refused would be refused again
            with_tags = with_tags and (found["digest"] is not None or error.status == 404)
        if with_tags:
            found["tags"] = opened.repository.tags()
    except CollectionError as error:
        errors.append(error)
    found["error"] = "; ".join(str(error) for error in errors) or None
    return found


def describe_repository(text: str, open_repository: Open) -> dict[str, t.Any]:
    """Return the tags of a repository; why they could not be read is in ``error``."""
    found: dict[str, t.Any] = {"repository": text, "tags": None, "credential": None, "error": None}
    try:
        opened = open_repository(PullSpec.parse(text))
        found["credential"] = opened.credential.as_dict() if opened.credential else None
        found["tags"] = opened.repository.tags()
    except CollectionError as error:
        found["error"] = str(error)
    return found


def side_by_side(
    texts: t.Sequence[Item], describe: t.Callable[[Item], dict[str, t.Any]], concurrency: int
) -> list[dict[str, t.Any]]:
    """Describe each different text once, ``concurrency`` at a time; the descriptions are in the order of ``texts``."""
    different = list(dict.fromkeys(texts))
    described = dict(zip(different, concurrent_map(describe, different, concurrency)))
    return [described[text] for text in texts]


def registry_report(images: list[dict[str, t.Any]], repositories: list[dict[str, t.Any]]) -> Report:
    """Return the report: everything that was read, and a failure that names all that was not."""
    failed = {entry["image"]: entry["error"] for entry in images if entry["error"]}
    failed.update({entry["repository"]: entry["error"] for entry in repositories if entry["error"]})
    counts = {
        "image": len({entry["image"] for entry in images}),
        "repository": len({entry["repository"] for entry in repositories}),
    }
    failure = None
    if failed:
        lines = [f"- {name}: {without_dot(error)}" for name, error in failed.items()]
        failure = f"{len(failed)} of {_counted(counts)} could not be read:\n" + "\n".join(lines)
    return Report(changed=False, results={"images": images, "repositories": repositories}, failure=failure)


def _counted(counts: t.Mapping[str, int]) -> str:
    """Return how many images and repositories there are, in words."""
    plurals = {"image": "images", "repository": "repositories"}
    return " and ".join(f"{count} {noun if count == 1 else plurals[noun]}" for noun, count in counts.items() if count)


def _describe_manifest(
    spec: PullSpec, repository: RegistryRepository, preference: LegacyPreference, found: dict[str, t.Any]
) -> None:
    top = repository.manifest(spec.digest or spec.tag or "latest")
    found.update(digest=top.digest, media_type=top.media_type, size=top.size)
    single: ServedManifest | None = top
    if top.is_list:
        found["manifests"] = [_shown(child) for child in top.children]
        choice = explain_legacy(top.children, preference, by_digest=bool(spec.digest))
        found["legacy_choice"] = choice.as_dict() if choice else None
        single = repository.manifest(choice.child.digest) if choice else None
        if single is not None and single.is_list:
            text = (
                f"{spec}: the entry {single.digest}, which Legacy would take, is a list itself; only lists of images "
                "can be imported"
            )
            raise RegistryError(text, registry=spec.registry)
    if single is not None:
        config = repository.config(single)
        found.update(_details(single, config))
    platforms = (
        [child.platform for child in top.children if child.os]
        if top.is_list
        else [platform_text(found["os"], found["architecture"], found["variant"])]
    )
    found["platforms"] = [platform for platform in platforms if platform]


def _details(manifest: ServedManifest, config: ImageConfig) -> dict[str, t.Any]:
    return {
        "os": config.os or None,
        "architecture": config.architecture or None,
        "variant": config.variant or None,
        "created": config.created or None,
        "labels": dict(config.labels),
        "layers": len(manifest.layers),
        "layers_size": sum(layer.size for layer in manifest.layers),
    }


def _shown(child: Manifest) -> dict[str, t.Any]:
    return {
        "os": child.os,
        "architecture": child.architecture,
        "variant": child.variant or None,
        "digest": child.digest,
        "size": child.size,
        "media_type": child.media_type,
    }
