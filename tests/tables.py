# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the tables of ``docs/traps.md`` and ``docs/reliability.md`` from the docstrings of the tests that show it.

``python -m tables`` (in ``tests``) writes them. A table stands between ``<!-- tests of FILES -->`` and
``<!-- end -->``; the rest of a page is written by hand. A row has the parts of a docstring in order, then the name of
the test.

- traps: a sentence with the trap and, in brackets, where it is written down: sections of docs/server-behaviour.md, and
  contract cases. The paragraph after it says what the collection does.
- reliability: three paragraphs: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
_TABLE = re.compile(r"(?<=<!-- tests of )(?P<files>\S+)(?P<close> -->\n)(?P<rows>.*?)(?=<!-- end -->)", re.DOTALL)
_TRAP = re.compile(r"(?P<trap>.+) \((?P<where>[^()]+)\)\.\n\n(?P<answer>.+)", re.DOTALL)


class BadDocstringError(Exception):
    """The docstring of a test is not what a table needs."""


@dataclass(frozen=True)
class Row:
    """A row of a table: the parts of a docstring, and the test that has it."""

    cells: tuple[str, ...]
    file: str
    test: str

    def text(self) -> str:
        """Return the row as Markdown."""
        cells = (*self.cells, f"`{self.file}::{self.test}`")
        return (
            "| "
            + " | ".join(" ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;") for cell in cells)
            + " |\n"
        )


@dataclass(frozen=True)
class Page:
    """A page with tables: its columns, what the docstrings are to be, and how their parts are told apart."""

    path: Path
    folder: Path
    columns: tuple[str, ...]
    wanted: str
    split: Callable[[str], tuple[str, ...]]

    def files(self, pattern: str) -> list[Path]:
        """Return the files with the tests of a table."""
        return [
            path for path in sorted(self.folder.glob(pattern)) if path.stem not in ("test_table", "test_random_pasts")
        ]

    def rows(self, pattern: str = "test_*.py") -> list[Row]:
        """Return the rows for the tests of some files, in the order of the tests."""
        found = []
        for path in self.files(pattern):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    cells = self.split((ast.get_docstring(node) or "").strip())
                    if len(cells) != len(self.columns):
                        raise BadDocstringError(f"{path.name}: {node.name} needs a docstring with {self.wanted}")
                    found.append(Row(cells, path.name, node.name))
        return found

    def patterns(self) -> list[str]:
        """Return the files that the tables are made of."""
        return [table["files"] for table in _TABLE.finditer(self.path.read_text(encoding="utf-8"))]

    def text(self) -> str:
        """Return the page with its tables made from the tests."""
        head = f"| {' | '.join((*self.columns, 'Test'))} |\n|{'---|' * (len(self.columns) + 1)}\n"

        def fill(table: re.Match[str]) -> str:
            rows = "".join(row.text() for row in self.rows(table["files"]))
            return f"{table['files']}{table['close']}\n{head}{rows}\n"

        return _TABLE.sub(fill, self.path.read_text(encoding="utf-8"))


def _trap(docstring: str) -> tuple[str, ...]:
    first, *others = docstring.split("\n\n", 1)
    parts = _TRAP.fullmatch("\n\n".join([" ".join(first.split()), *others]))
    return parts.groups() if parts else ()


def _fault(docstring: str) -> tuple[str, ...]:
    return tuple(docstring.split("\n\n"))


TRAPS = Page(
    DOCS / "traps.md",
    TESTS / "traps",
    ("Trap", "Section", "What the collection does"),
    "'trap (where).', an empty line, what the collection does",
    _trap,
)
RELIABILITY = Page(
    DOCS / "reliability.md",
    TESTS / "reliability",
    ("Fault", "What the user sees", "What is guaranteed"),
    "three paragraphs: the fault, what is seen, what is guaranteed",
    _fault,
)


def main() -> int:
    """Write both pages."""
    for page in (TRAPS, RELIABILITY):
        page.path.write_text(page.text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
