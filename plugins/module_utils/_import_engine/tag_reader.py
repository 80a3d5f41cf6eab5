# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lists the tags of whole repositories.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.references import PullSpec


class TagReader(t.Protocol):
    """Reads a repository's tags without the cluster's help."""

    def tags(self, namespace: str, source: PullSpec, *, insecure: bool) -> list[str]:
        """Return all tags, as an import in the namespace may read them. Raises CollectionError."""
