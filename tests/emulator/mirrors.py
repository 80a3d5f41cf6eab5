# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where else imports look for an image: mirror sets, for digests and for tags (server-behaviour.md 2.7)."""

from __future__ import annotations

from collections.abc import Iterator

from .pullspec import PullSpec
from .resources import CONTENT_POLICIES, DIGEST_MIRRORS, TAG_MIRRORS, ResourceType
from .store import Store

_RULES: tuple[tuple[ResourceType, str, bool], ...] = (
    (DIGEST_MIRRORS, "imageDigestMirrors", True),
    (CONTENT_POLICIES, "repositoryDigestMirrors", True),
    (TAG_MIRRORS, "imageTagMirrors", False),
)


class Mirrors:
    """Mirrors by the registry or repository that they are for; the longest one that an image is in decides."""

    def __init__(self, store: Store) -> None:
        self._rules: dict[str, dict[bool, list[str]]] = {}
        for resource, field, by_digest in _RULES:
            for stored in store.items(resource, ""):
                for rule in (stored.data.get("spec") or {}).get(field) or []:
                    known = self._rules.setdefault(rule["source"], {True: [], False: []})[by_digest]
                    known += [mirror for mirror in rule.get("mirrors") or [] if mirror not in known]

    def __contains__(self, registry: str) -> bool:
        """Whether a whole registry has mirrors."""
        return registry in self._rules

    def sources(self, reference: PullSpec) -> Iterator[PullSpec]:
        """Yield the image in each mirror, then where it says."""
        repository = str(reference.with_defaults().as_repository())
        fitting = [source for source in self._rules if repository == source or repository.startswith(f"{source}/")]
        if fitting:
            source = max(fitting, key=len)
            for mirror in self._rules[source][bool(reference.digest)]:
                found = PullSpec.parse(mirror + repository[len(source) :])
                yield found.at_digest(reference.digest) if reference.digest else found.at_tag(reference.tag)
        yield reference
