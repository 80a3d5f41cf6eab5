# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/capabilities.md promises a test for each row; this keeps the promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| (?P<capability>[^|]+) \| (?P<task>[^|]+) \| `(?P<file>[^`:]+)(?:::(?P<test>\w+))?` \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "capabilities.md").read_text(encoding="utf-8")
ROWS = [match.groupdict() for match in ROW.finditer(PAGE)]


def test_every_line_of_the_table_is_a_row() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 2 > 30


@pytest.mark.parametrize("row", ROWS, ids=[row["capability"] for row in ROWS])
def test_the_test_of_the_row_exists(row: dict[str, str]) -> None:
    text = (ROOT / "tests" / row["file"]).read_text(encoding="utf-8")
    assert f"def {row['test'] or 'test_'}" in text


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")))
def test_every_module_is_in_the_readme(module: str) -> None:
    assert f"| `{module}` |" in (ROOT / "README.md").read_text(encoding="utf-8")
