# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was pushed, and where to look for what tracks it: options become typed, checked values. No cluster access.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.references import PullSpec, check_digest, check_namespace, check_tag_name
from .._import_engine.observed import Selection

_HTTPS = ":443"


class Push(NamedTuple):
    """A tag that a registry was told to move.

    Without a tag, any tag of the repository; "" is a digest that is not known.
    """

    locations: tuple[str, ...]
    tag: str
    digest: str


class RegistryNames(NamedTuple):
    """Names that mean the same registry, or the same part of one. Each group's first name stands for the others."""

    groups: tuple[tuple[str, ...], ...] = ()

    def location(self, text: str) -> str:
        """Return registry and repository by the one name that stands for all of its group."""
        registry, slash, repository = text.partition("/")
        location = registry.lower().removesuffix(_HTTPS) + slash + repository
        for group in self.groups:
            for name in sorted(group, key=len, reverse=True):
                if is_within(location, name):
                    return group[0] + location[len(name) :]
        return location


class DesiredRefresh(NamedTuple):
    """Everything that the task says."""

    pushes: tuple[Push, ...]
    names: RegistryNames
    selection: Selection
    only_scheduled: bool


def is_within(location: str, place: str) -> bool:
    """Return whether ``location`` is ``place``, a registry or repository, or lies below it."""
    return location == place or location.startswith(f"{place}/")


def desired_refresh(params: t.Mapping[str, t.Any]) -> DesiredRefresh:
    """Turn the options of image_stream_refresh into values; ``InputError`` names the entry at fault."""
    namespaces = params.get("namespaces")
    if namespaces is not None and not namespaces:
        raise InputError("namespaces is empty: list at least one, or leave it out")
    for namespace in namespaces or ():
        check_namespace(namespace)
    names = _registry_names(params.get("registry_names") or ())
    pushes = tuple(_push(index, entry, names) for index, entry in enumerate(params["pushes"]))
    selection = Selection(tuple(dict.fromkeys(namespaces or ())), (), ",".join(params.get("label_selectors") or ()))
    return DesiredRefresh(pushes, names, selection, bool(params.get("only_scheduled", True)))


def _registry_names(given: t.Sequence[t.Any]) -> RegistryNames:
    groups: list[tuple[str, ...]] = []
    seen: dict[str, int] = {}
    for index, group in enumerate(given):
        if not group:
            raise InputError(f"registry_names[{index}] is empty: list the names of one registry")
        names = []
        for name in group:
            text = str(name).rstrip("/")
            try:
                spec = PullSpec.parse(f"{text}/name")
            except InputError:
                spec = None
            if spec is None or not spec.registry or spec.tag or spec.digest:
                raise InputError(
                    f'registry_names[{index}]: "{name}" is not a registry as pull specs name it: write its host, with '
                    ":port and /path if it has them"
                )
            location = RegistryNames().location(spec.location)[: -len("/name")]
            if seen.setdefault(location, index) != index:
                raise InputError(f'registry_names: "{name}" is listed for two registries: join their lists')
            names.append(location)
        groups.append(tuple(dict.fromkeys(names)))
    return RegistryNames(tuple(groups))


def _push(index: int, entry: t.Mapping[str, t.Any], names: RegistryNames) -> Push:
    registry, repository = entry.get("registry") or "", entry["repository"]
    tag, digest = entry.get("tag") or "", entry.get("digest") or ""
    try:
        if tag:
            check_tag_name(tag)
        if digest:
            check_digest(digest, digest)
        spec = PullSpec.parse(f"{registry or 'localhost'}/{repository}")
        if registry and spec.registry != registry:
            raise InputError(
                f'"{registry}" is not a registry as pull specs name it: write its host, with :port if it has one'
            )
        if spec.repository != repository:
            raise InputError(f'"{repository}" is not a repository: give the tag as tag, and the digest as digest')
    except InputError as error:
        raise InputError(f"pushes[{index}]: {error.message}") from error
    if registry:
        return Push((names.location(spec.location),), tag, digest)
    if not names.groups:
        raise InputError(
            f'pushes[{index}]: the notification for "{repository}" does not name its registry: give it as registry '
            "(the event filter registry_push has an option for it), or list the registry's names in registry_names"
        )
    return Push(tuple(f"{group[0]}/{repository}" for group in names.groups), tag, digest)
