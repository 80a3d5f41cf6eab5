# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/reliability.md has a row for every test, in the words of the test."""

from __future__ import annotations

from tables import RELIABILITY


def test_the_page_is_made_from_the_tests() -> None:
    assert RELIABILITY.path.read_text(encoding="utf-8") == RELIABILITY.text(), "run: cd tests && python -m tables"


def test_every_file_has_its_section() -> None:
    assert {path.name for path in RELIABILITY.files("test_*.py")} == set(RELIABILITY.patterns())
