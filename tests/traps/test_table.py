# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

from tables import TRAPS

CONTRACT = Path(__file__).parents[1] / "contract"
CASES = {case.stem for folder in ("cases", "controller/cases") for case in (CONTRACT / folder).glob("*.json")}


def test_the_page_is_made_from_the_tests() -> None:
    assert TRAPS.patterns() == ["test_*.py"]
    assert TRAPS.path.read_text(encoding="utf-8") == TRAPS.text(), "run: cd tests && python -m tables"


def test_every_row_names_a_test_that_exists() -> None:
    rows = re.findall(r"`(test_\w+\.py)::(test_\w+)` \|$", TRAPS.path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows
    for file, test in rows:
        assert f"def {test}(" in (TRAPS.folder / file).read_text(encoding="utf-8")


def test_what_is_cited_is_a_section_or_a_recorded_case() -> None:
    for trap in TRAPS.rows():
        for cited in trap.cells[1].split(", "):
            assert re.fullmatch(r"\d+(\.\d+)?", cited) or cited in CASES, f"{trap.test} cites {cited}"


def test_every_section_with_traps_has_a_test() -> None:
    cited = {where for trap in TRAPS.rows() for where in trap.cells[1].split(", ")}
    assert {"1.3", *(f"2.{number}" for number in range(2, 13)), "7.1"} <= cited
