# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where imports look for an image before they look at the registry that it names: the cluster's mirror sets.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A digest is looked for in the mirrors of digests, a tag in those of tags; of the sources that an image is in the
longest one decides, and the image's own registry is always tried last (server-behaviour.md 2.7).
"""

from __future__ import annotations

import typing as t

from .._cluster.facts import ReadingClient
from .._cluster.paths import api_path
from .._core.errors import ApiNotServed, Forbidden, InputError
from .._core.references import PullSpec

# Group and version, plural, the list in its spec, and whether it is for digests.
_KINDS = (
    ("config.openshift.io/v1", "imagedigestmirrorsets", "imageDigestMirrors", True),
    ("operator.openshift.io/v1alpha1", "imagecontentsourcepolicies", "repositoryDigestMirrors", True),
    ("config.openshift.io/v1", "imagetagmirrorsets", "imageTagMirrors", False),
)


class Mirrors:
    """The mirrors of a cluster by the registry or repository that they are for."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[bool, list[str]]] = {}

    def add(self, for_digests: bool, source: str, mirrors: t.Iterable[str]) -> None:
        """Add what one mirror set says of one source."""
        known = self._rules.setdefault(source, {True: [], False: []})[for_digests]
        known += [mirror for mirror in mirrors if mirror not in known]

    def of(self, image: str) -> list[str]:
        """Return what the pull spec ``image`` is called in each mirror, in the order in which they are tried."""
        spec = PullSpec.parse(image)
        tail = f"@{spec.digest}" if spec.digest else f":{spec.tag or 'latest'}"
        found = (place + tail for place in self.places(spec.location, for_digests=bool(spec.digest)))
        return [text for text in found if _is_pull_spec(text)]

    def places(self, location: str, *, for_digests: bool) -> list[str]:
        """Return where images of ``location``, a registry and repository, are looked for first, in that order."""
        sources = [source for source in self._rules if f"{location}/".startswith(f"{source}/")]
        if not sources:
            return []
        source = max(sources, key=len)
        return [mirror + location[len(source) :] for mirror in self._rules[source][for_digests]]


def observe_mirrors(client: ReadingClient, *, tags_only: bool = False) -> Mirrors | None:
    """Read the mirror sets of the cluster, or only those that are for tags.

    Return None if the caller may not list one of the kinds.
    """
    mirrors = Mirrors()
    for group_version, plural, rules, for_digests in _KINDS:
        if tags_only and for_digests:
            continue
        try:
            items = client.list_items(api_path(group_version, None, plural))
        except ApiNotServed:
            continue
        except Forbidden:
            return None
        for item in items:
            for rule in (item.get("spec") or {}).get(rules) or ():
                mirrors.add(for_digests, str(rule.get("source") or ""), map(str, rule.get("mirrors") or ()))
    return mirrors


def _is_pull_spec(text: str) -> bool:
    try:
        PullSpec.parse(text)
    except InputError:
        return False
    return True
