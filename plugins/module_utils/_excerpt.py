# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The beginning of foreign text, which may hold what it was sent.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.quayside.openshift_images.plugins.module_utils._masking import SECRETS_MET, without

# characters that are looked at beyond the limit: what is blotted out becomes shorter
_MARGIN = 64 * 1024


def excerpt(text: str, limit: int) -> str:
    """Return up to ``limit`` characters, with every secret that was met blotted out before: in what is left of one that was cut off
    nobody would find it any more."""
    return without(text[: limit + _MARGIN], SECRETS_MET)[:limit]
