# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo claims, it verifies: a claim that does not hold ends the demo with its sentence."""

from __future__ import annotations


class ClaimBrokenError(Exception):
    """Something that the demo says is not so; the message is one sentence."""


def claim(holds: bool, otherwise: str) -> None:
    """Go on when ``holds``; else end the demo with the sentence ``otherwise``."""
    if not holds:
        raise ClaimBrokenError(otherwise)
