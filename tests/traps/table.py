# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``docs/traps.md`` from the words of the tests: ``python -m traps.table`` (in ``tests``) writes it.

The docstring of each test is a sentence with the trap and, in brackets, where it is written down: sections of
docs/server-behaviour.md, and contract cases. The paragraph after it says what the collection does.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "traps.md"
_DOCSTRING = re.compile(r"(?P<trap>.+) \((?P<where>[^()]+)\)\.\n\n(?P<answer>.+)", re.DOTALL)

_HEAD = """\
<!--
Copyright: Contributors to the quayside.openshift_images project
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later

Made by tests/traps/table.py from the tests. Change their words, then run: cd tests && python -m traps.table
-->
# Traps of the image API, and what the collection does

Each row is a behaviour of a real OpenShift API server that surprises its callers, and the test that shows how the
collection deals with it: against the emulator and real registries, check mode first, then the run, then the run again.
"Section" is a section of [What the API server does](server-behaviour.md) or, in words with underscores, a recorded exchange in
`tests/contract`.

| Trap | Section | What the collection does | Test |
|---|---|---|---|
"""


class BadDocstringError(Exception):
    """A test of a trap does not say what the table needs."""


@dataclass(frozen=True)
class Trap:
    """A row of the table."""

    trap: str
    where: str
    answer: str
    file: str
    test: str

    def row(self) -> str:
        """The row as Markdown."""
        cells = (self.trap, self.where, self.answer, f"`{self.file}::{self.test}`")
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def traps() -> list[Trap]:
    """All traps, in the order of the files and of the tests in them."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        if path.stem in ("test_table", "test_random_pasts"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.append(_trap(path.name, node))
    return found


def _trap(file: str, node: ast.FunctionDef) -> Trap:
    paragraphs = (ast.get_docstring(node) or "").strip().split("\n\n", 1)
    parts = _DOCSTRING.fullmatch("\n\n".join([" ".join(paragraphs[0].split()), *paragraphs[1:]]))
    if parts is None:
        raise BadDocstringError(f"{file}: {node.name} needs the docstring 'trap (where).', an empty line, what we do")
    return Trap(parts["trap"], parts["where"], parts["answer"], file, node.name)


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(trap.row() + "\n" for trap in traps())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
