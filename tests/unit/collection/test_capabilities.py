# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/capabilities.md promises a test for each row; this keeps the promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "capabilities.md").read_text(encoding="utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("| ")]
TABLES = [line for line in LINES if line.startswith("| Capability |")]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in LINES
    if line not in TABLES and not line.startswith("| ---")
]
# What people do with other tools too: those come before this collection's own column.
COMPARED = [row for row in ROWS if len(row) == 7]
TEST = re.compile(r"`(?P<file>[^`:]+\.py)::(?P<test>test_\w+)`")
NAME = re.compile(r"`(\w+)`")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_line_of_the_tables_is_a_row() -> None:
    assert len(TABLES) == 2
    assert {len(row) for row in ROWS} == {3, 7}
    assert len(COMPARED) == 37
    assert len({row[0] for row in ROWS}) == len(ROWS) > 60


def test_there_is_nothing_that_another_tool_does_and_the_collection_does_not() -> None:
    assert {row[4] for row in COMPARED} == {"yes"}
    assert {cell for row in COMPARED for cell in row[1:4]} == {"yes", "partly", "no"}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_test_of_the_row_exists_and_is_about_its_task(row: list[str]) -> None:
    named = TEST.fullmatch(row[-1])
    assert named, row
    file = ROOT / "tests" / named["file"]
    assert re.search(rf"^ *def {named['test']}\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    if "integration" in file.parts:
        # The playbooks beside the test, or the one that it names, use what the row names.
        beside = "".join(
            path.read_text(encoding="utf-8") for path in file.parent.iterdir() if path.suffix in (".py", ".yml")
        )
        assert [name for name in NAME.findall(row[-2]) if name not in beside] == []


@pytest.mark.parametrize("kind", ["modules", "roles", "playbooks"])
def test_everything_is_in_the_readme(kind: str) -> None:
    folder = ROOT / ("plugins/modules" if kind == "modules" else kind)
    names = [
        path.stem for path in folder.iterdir() if (path.is_dir() if kind == "roles" else path.suffix in (".py", ".yml"))
    ]
    assert len(names) > 3
    assert [name for name in names if f"| `{name}` |" not in README] == []
