# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/reliability.md has a row for every test, in the words of the test."""

from __future__ import annotations

from .table import HERE, PAGE, SECTIONS, page


def test_the_page_is_made_from_the_tests() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_file_has_its_section() -> None:
    assert {path.name for path in HERE.glob("test_*.py")} - {"test_table.py"} == set(SECTIONS)
