# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the remedies of failed imports.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.references import PullSpec
from .images import ImportFailure

if t.TYPE_CHECKING:
    from .remedies import Remedies


class RemedyFinder:
    """Finds what helps against failed imports."""

    def __init__(self, client: ClusterClient, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._remedies: Remedies | None = None

    def remedy(self, namespace: str, source: PullSpec, failure: ImportFailure) -> str:
        """Return what to do about ``failure`` of ``source``, or "" if nothing is known to help."""
        if self._remedies is None:
            from .remedies import Remedies  # noqa: PLC0415 - for a failed import only

            self._remedies = Remedies(self._client, self._mask)
        return self._remedies.remedy(namespace, source, failure)
