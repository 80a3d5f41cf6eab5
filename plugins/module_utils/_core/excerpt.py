# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Foreign text as people may see it: it may hold what it was sent, and what commands a terminal.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

from .masking import SECRETS_MET, without

# characters that are looked at beyond the limit: what is blotted out becomes shorter
_MARGIN = 64 * 1024
# control characters but the line end, what turns the direction of writing, halves of characters
_COMMANDS = r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def excerpt(text: str, limit: int) -> str:
    """Return up to ``limit`` characters that can be shown, with every secret that was met blotted out before: in what is left of one
    that was cut off nobody would find it any more."""
    return printable(without(text[: limit + _MARGIN], SECRETS_MET)[:limit])


def printable(text: str) -> str:
    """Return the text with a question mark for each character that is none to read: Ansible writes messages to terminals as they are."""
    return re.sub(_COMMANDS, "?", text)
