# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``docs/reliability.md`` from the words of the tests: ``python -m reliability.table`` (in ``tests``) writes it.

The docstring of each test has three paragraphs: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reliability.md"
SECTIONS = {
    "test_api_faults.py": "The API server, met by each module that writes",
    "test_batches.py": "In the middle of a task",
    "test_registry_faults.py": "Registries",
    "test_kills.py": "The run is killed",
    "test_writers.py": "Many writers at once",
}
_COLUMNS = "| Fault | What the user sees | What is guaranteed | Test |\n|---|---|---|---|\n"
_HEAD = """\
<!--
Copyright: Contributors to the quayside.openshift_images project
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later

Made by tests/reliability/table.py from the tests. Change their words, then run: cd tests && python -m reliability.table
-->
# Reliability: faults, conflicts, a sudden end

What happens when something goes wrong in the middle, row by row, with the test that shows it. The tests run the modules against
the emulator and a registry that misbehave on request; each message is compared word by word.

    make reliability        the short form, which is a part of make test
    make soak               the long form: 50 kills of each job, 200 rounds of twenty writers

What holds everywhere:

- A write names the version of the object that was read. So it can be sent again, and a late one does no harm: where it was carried out,
  or somebody else came between, the server refuses it with a conflict, and the module reads and plans again.
- Where it is not known whether a write was carried out (no answer, 500, 502, 504), the object is read before it is written again, and
  once more before the error is told. A task that fails reports what it has done.
- Tries are bounded: eight for 429, for 503 and for a server that was there before and refuses connections now, four where a connection
  breaks or 500 and 502 are answered, two where each costs its whole time; a minute of waiting at most for one request. A write that is
  not known to be done is looked at and sent again, three times at most (an import: once, after the tries of its request). Modules that
  read a registry themselves try three times. Each wait is twice the one before, or what Retry-After asks for up to 20 seconds, as a
  number or as a date, and differs by chance, so that many who wait do not come back together.
- An answer is bounded in time from its first byte to its last one, headers included, however slowly it comes: by the time of the
  request and two minutes.
- An error of one stream, namespace or service account does not stop the others. Once the server is out of reach, or does not accept the
  token, the rest is not tried, and named.
- A run that is killed leaves no object half written: each request carries a whole change, and the next run does the rest. A secret that
  has to be deleted and created again (`recreate`) is first kept as `NAME.former` beside it, and the next run creates it with what
  that copy holds besides, if a run with the same credentials has written it. A tag that `purge_tags` removes leaves the spec in one
  request, by the version that was read, and its history in another: between the two the tag is gone and its history stays, which to
  the next run may be that of a pushed image. `image_stream_tag` with `state: absent` removes it.
"""


class BadDocstringError(Exception):
    """A test does not say what the table needs."""


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    fault: str
    seen: str
    guaranteed: str
    test: str

    def text(self) -> str:
        """The row as Markdown."""
        cells = (self.fault, self.seen, self.guaranteed, f"`{self.test}`")
        return (
            "| "
            + " | ".join(" ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;") for cell in cells)
            + " |\n"
        )


def rows(file: str) -> list[Row]:
    """The rows of one file, in the order of its tests."""
    found = []
    for node in ast.parse((HERE / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            parts = (ast.get_docstring(node) or "").strip().split("\n\n")
            if len(parts) != 3:
                raise BadDocstringError(
                    f"{file}: {node.name} needs a docstring of three paragraphs: fault, what is seen, what is "
                    "guaranteed"
                )
            found.append(Row(*parts, f"{file}::{node.name}"))
    return found


def page() -> str:
    """The whole page."""
    tables = [
        f"\n## {title}\n\n{_COLUMNS}" + "".join(row.text() for row in rows(file)) for file, title in SECTIONS.items()
    ]
    return _HEAD + "".join(tables)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
