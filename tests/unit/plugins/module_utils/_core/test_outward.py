# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.masking import register_secrets
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import (
    LINE_LIMIT,
    TEXT_LIMIT,
    OutwardWall,
    excerpt,
    visible,
)


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


def test_a_line_end_in_foreign_text_begins_no_line_of_ours() -> None:
    assert excerpt("denied\nPLAY RECAP ***\r\n\tok", 100) == "denied PLAY RECAP *** ok"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "a\rb", "\x7f", "\x9b1m", "\u202eabc", "\u2028", "\ud800"])
def test_each_command_has_one_visible_character_in_its_place(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert shown.isprintable()


def test_the_wall_looks_into_everything_keys_included() -> None:
    wall = OutwardWall({"s3cret", "s3cret-longer"})
    given = {"user:s3cret@host": [{"deep": ("x s3cret-longer", 1, None, True)}], "b\x1b": "line\nend", 3: 4.5}
    assert wall.value(given) == {
        "user:********@host": [{"deep": ["x ********", 1, None, True]}],
        "b\u241b": "line\u240aend",
        3: 4.5,
    }


def test_our_messages_and_diffs_keep_their_lines_and_nothing_else_does() -> None:
    shown = OutwardWall(()).value({"msg": "a\nb\x1b", "diff": [{"before": "", "after": "c\nd\n"}], "error": "e\nf"})
    assert shown == {"msg": "a\nb\u241b", "diff": [{"before": "", "after": "c\nd\n"}], "error": "e\u240af"}


def test_strings_are_bounded_and_lists_are_not() -> None:
    wall = OutwardWall(())
    assert wall.text("x" * (TEXT_LIMIT + 1)) == "x" * (TEXT_LIMIT - 3) + "..."
    assert wall.text("x" * TEXT_LIMIT) == "x" * TEXT_LIMIT
    assert wall.text("y" * (LINE_LIMIT + 1) + "\nz", multiline=True) == "y" * (LINE_LIMIT - 3) + "...\nz"
    assert len(wall.value(["x"] * 100_000)) == 100_000
