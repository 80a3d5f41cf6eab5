# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.filter.visible import FilterModule


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shop", "shop"),
        ("sh\x1b[2Jop\r\nPLAY RECAP", "sh\u241b[2Jop\u240d\u240aPLAY RECAP"),
        ("\x9b2J\u202e", "\ufffd2J\ufffd"),
        (3, "3"),
    ],
)
def test_text_of_others_is_shown_in_one_line(text: object, shown: str) -> None:
    assert FilterModule().filters()["visible"](text) == shown
