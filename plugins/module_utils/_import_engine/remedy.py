# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do about an image that could not be imported: one sentence for the person at the screen.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._cluster.client import ClusterClient
    from .._core.references import PullSpec
    from .observed import ImportFailure
    from .remedies import RemediesByWords


class RemedyFinder:
    """Finds remedies; reads a namespace's secrets at most once, and only for a failure that is about credentials."""

    def __init__(self, client: ClusterClient, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._by_words: RemediesByWords | None = None

    def remedy(self, namespace: str, source: PullSpec, failure: ImportFailure) -> str:
        """Return what to do about ``failure`` of ``source``, or "" where nothing is known to help."""
        if self._by_words is None:
            from .remedies import RemediesByWords

            self._by_words = RemediesByWords(self._client, self._mask)
        return self._by_words.remedy(namespace, source, failure)
