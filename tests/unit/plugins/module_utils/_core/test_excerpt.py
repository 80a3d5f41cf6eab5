# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.excerpt import excerpt
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.masking import register_secrets


class Module:
    """What is masked of a module's results."""

    def __init__(self) -> None:
        self.no_log_values: set[str] = set()


@pytest.mark.parametrize("limit", range(1, 60))
def test_a_secret_that_is_cut_off_is_not_shown(limit: int) -> None:
    register_secrets(Module(), ["correct-horse"])
    shown = excerpt("sent correct-horse, again correct-horse and once more correct-horse", limit)
    assert shown == "sent ********, again ******** and once more ********"[:limit]


def test_what_is_blotted_out_makes_place_for_no_rest_of_a_secret() -> None:
    secret = "correct-horse" * 10
    register_secrets(Module(), [secret])
    assert "correct" not in excerpt(secret * 100, 1000)


def test_text_without_a_secret_is_cut_alone() -> None:
    assert excerpt("abc", 2) == "ab"
    assert excerpt("abc", 3) == "abc"
