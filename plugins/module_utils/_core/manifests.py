# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of manifest lists, as registries and the API server describe them, and which of them Legacy takes.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .errors import InputError

# The two import modes by their names in the API.
LEGACY = "Legacy"
PRESERVE = "PreserveOriginal"


class Manifest(NamedTuple):
    """A child of a manifest list or image index. ``size`` is in bytes."""

    os: str
    architecture: str
    variant: str
    digest: str
    size: int | None
    media_type: str = ""

    @property
    def platform(self) -> str:
        """Return its platform as ``linux/arm/v7``; empty if it names none."""
        return platform_text(self.os, self.architecture, self.variant)


def platform_text(os: str | None, architecture: str | None, variant: str | None) -> str:
    """Return a platform as ``linux/arm/v7``, without the parts that are not named."""
    return "/".join(part for part in (os, architecture, variant) if part)


def legacy_choice(manifests: t.Sequence[Manifest], architecture: str, operating_system: str) -> Manifest | None:
    """Return the child that Legacy takes for a wanted platform: that platform, else linux/amd64, else the first entry.

    Variants are not considered (server-behaviour.md 2.10; contract cases prefer_architecture, legacy_without_amd64).
    """
    for wanted in ((operating_system, architecture), ("linux", "amd64")):
        for manifest in manifests:
            if (manifest.os, manifest.architecture) == wanted:
                return manifest
    return manifests[0] if manifests else None


# What kernels and people call a platform, and what manifests call it.
_MANIFEST_NAMES = {
    "aarch64": "arm64",
    "arm64v8": "arm64",
    "armv8": "arm64",
    "armv8l": "arm64",
    "armhf": "arm",
    "armv5l": "arm",
    "armv6l": "arm",
    "armv7": "arm",
    "armv7l": "arm",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "macos": "darwin",
    "win": "windows",
    "win32": "windows",
    "win64": "windows",
    "x64": "amd64",
    "x86": "386",
    "x86-64": "amd64",
    "x86_64": "amd64",
}


def check_platform_name(option: str, value: str | None) -> None:
    """Raise ``InputError`` for an architecture or operating system that manifests call by another name."""
    name = _MANIFEST_NAMES.get((value or "").strip().lower())
    if name:
        raise InputError(f'{option} "{value}" is not what image manifests call it: write {name}')
