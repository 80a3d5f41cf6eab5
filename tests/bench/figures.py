# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a bench found, as a line of the table and of the result file."""

from __future__ import annotations

import json
import operator
import typing as t
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_COMPARE: dict[str, t.Callable[[float, float], bool]] = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True)
class Figure:
    """One ratio. ``sense`` is ``≥`` or ``≤``; ``details`` are the numbers behind it, for the result file."""

    bench: str
    what: str
    ours: str
    other: str
    sense: str
    wanted: float
    measured: float
    details: dict[str, t.Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether it is as wanted."""
        return _COMPARE[self.sense](self.measured, self.wanted)

    @property
    def line(self) -> str:
        """For the screen."""
        verdict = "ok  " if self.met else "MISS"
        return (
            f"{verdict} {self.bench:15} {self.measured:9.3g} (wanted {self.sense} {self.wanted:g})  {self.what}: "
            f"{self.ours} / {self.other}"
        )

    @property
    def row(self) -> str:
        """For the page."""
        cells = (
            self.what,
            self.ours,
            self.other,
            f"{self.sense} {self.wanted:g}",
            f"{self.measured:.3g}",
            f"`make bench ARGS={self.bench}`",
        )
        return "| " + " | ".join(cells) + " |"


def write_results(path: Path, figures: Sequence[Figure], surroundings: t.Mapping[str, str]) -> None:
    """Write the result file; figures of benches that were not run stay."""
    known: list[dict[str, t.Any]] = []
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))["figures"]
    ran = {figure.bench for figure in figures}
    kept = [figure for figure in known if figure["bench"] not in ran]
    document = {"surroundings": dict(surroundings), "figures": kept + [asdict(figure) for figure in figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_table(page: Path, results: Path, order: Sequence[str]) -> None:
    """Bring the table of a page in line with the result file."""
    document = json.loads(results.read_text(encoding="utf-8"))
    figures = sorted((Figure(**figure) for figure in document["figures"]), key=lambda figure: order.index(figure.bench))
    machine = ", ".join(f"{name} {value}" for name, value in document["surroundings"].items())
    head = "| What | Ours | Other way | Ratio wanted | Ratio measured | Command |\n|---|---|---|---|---|---|\n"
    table = head + "\n".join(figure.row for figure in figures) + f"\n\nMeasured with {machine}.\n"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    page.write_text(f"{before}{_BEGIN}\n\n{table}\n{_END}{after}", encoding="utf-8")
