# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/security.md promises has the test that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROWS = [
    line
    for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| ---")
]
PROMISES = [row for row in ROWS if row != "| What | Test |"]
TEST = re.compile(r"`(?P<file>[^`:]+\.py)(?:::(?P<test>test_\w+))?` \|\Z")


def test_the_page_has_promises() -> None:
    assert len(PROMISES) >= 40


@pytest.mark.parametrize("row", PROMISES)
def test_the_test_of_the_row_exists(row: str) -> None:
    named = TEST.search(row)
    assert named, row
    text = (ROOT / "tests" / named["file"]).read_text(encoding="utf-8")
    assert re.search(rf"^ *def {named['test'] or 'test_'}", text, re.MULTILINE)


def test_every_test_of_security_is_named() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    files = [path.name for path in (ROOT / "tests" / "security").glob("test_*.py")]
    assert [name for name in files if f"security/{name}" not in page] == []
