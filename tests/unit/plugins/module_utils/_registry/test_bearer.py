# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.bearer import parse_challenges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", {}),
        ("Basic", {"basic": {}}),
        ('Basic realm="a, b"', {"basic": {"realm": "a, b"}}),
        (
            'Bearer realm="https://t/token",service="s",scope="repository:a/b:pull,push"',
            {"bearer": {"realm": "https://t/token", "service": "s", "scope": "repository:a/b:pull,push"}},
        ),
        (
            'BEARER realm=https://t/token , Basic realm="x"',
            {"bearer": {"realm": "https://t/token"}, "basic": {"realm": "x"}},
        ),
        (r'Basic realm="say \"x\""', {"basic": {"realm": 'say "x"'}}),
    ],
)
def test_challenges(header: str, expected: dict[str, dict[str, str]]) -> None:
    assert parse_challenges(header) == expected


def test_a_challenge_of_a_million_letters() -> None:
    """Each of them is looked at once: else this would take hours."""
    assert parse_challenges(f'Bearer {"a" * 1_000_000},realm="https://t/token"') == {
        "bearer": {"realm": "https://t/token"}
    }
