# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/playbooks.md has every variable of every playbook, from one source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import ROOT
from tools.playbooks_page import PAGE, default, first_sentence, head, page, section

WRITTEN = (ROOT / PAGE).read_text(encoding="utf-8")


def test_the_page_is_what_playbooks_and_roles_say_of_themselves() -> None:
    assert page() == WRITTEN, "run: make playbooks-page"


@pytest.mark.parametrize("playbook", sorted(ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_every_variable_that_a_playbook_takes_is_on_the_page(playbook: Path) -> None:
    """A variable that has a default if it is used, or is asked for, is one that somebody may give."""
    text = playbook.read_text(encoding="utf-8")
    taken = set(re.findall(r"\b([a-z][a-z0-9_]+) \| default\(", text)) | set(
        re.findall(rf"\b({playbook.stem}_\w+) is (?:not )?defined", text)
    )
    set_inside = set(re.findall(r"^ {4,}([a-z][a-z0-9_]+):", text, re.MULTILINE)) | set(
        re.findall(r"register: (\w+)", text)
    )
    given = {
        name for name in taken - set_inside if name.startswith((f"{playbook.stem}_", "openshift_images_", "k8s_auth_"))
    }

    assert f"\n## {playbook.stem}\n" in WRITTEN
    assert sorted(name for name in given if f"`{name}`" not in WRITTEN) == []


def test_a_head_becomes_paragraphs_tables_and_code(tmp_path: Path) -> None:
    playbook = tmp_path / "some.yml"
    playbook.write_text(
        "---\n# SPDX\n\n# What it does. Then run\n#   ansible-playbook some\n# again.\n#\n#   some_file   path of the "
        "file, which\n#               goes on (some.yml)\n#   some_other  another one\n- name: Some\n"
    )

    assert section("some", head(playbook)).splitlines() == [
        "## some",
        "",
        "What it does. Then run",
        "",
        "    ansible-playbook some",
        "",
        "again.",
        "",
        "| variable | meaning |",
        "| --- | --- |",
        "| `some_file` | path of the file, which goes on (some.yml) |",
        "| `some_other` | another one |",
    ]


def test_a_playbook_without_a_head_is_refused(tmp_path: Path) -> None:
    playbook = tmp_path / "some.yml"
    playbook.write_text("---\n# SPDX\n- name: Some\n")

    with pytest.raises(ValueError, match=r"some.yml does not say what it is for"):
        head(playbook)


def test_options_of_roles_are_told_in_markdown_with_their_default() -> None:
    assert (
        first_sentence({"description": ["Entries of O(a.b.c#module:streams) | or V(x)."]})
        == "Entries of `streams` (`c`) \\| or `x`"
    )
    assert [default({"default": value}) for value in (True, 8, ["failures"], "", None)] == [
        " (true)",
        " (8)",
        " (failures)",
        "",
        "",
    ]
