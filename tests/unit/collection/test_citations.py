# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comments and guides cite is there: sections of docs/server-behaviour.md, contract cases, pages of the
repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "server-behaviour.md").read_text(encoding="utf-8")
CASES = {path.stem for path in (ROOT / "tests" / "contract").rglob("cases/*.json")}
SECTIONS = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", PAGE, re.MULTILINE))
SOURCES = dict(re.findall(r"^\| (\w+) \| .+ \| `(\w+)` \|$", PAGE, re.MULTILINE))
# Each fact is a list item, with what it is known from in brackets at its end.
FACTS = re.findall(r"^- (.+?)(?=\n- |\n\n|\Z)", PAGE.partition("\n## ")[2], re.MULTILINE | re.DOTALL)
FOLDERS = ("plugins", "roles", "playbooks", "extensions", "tests", "tools", "docs")
NUMBERS = r"\d+(?:\.\d+)?(?:(?:, | and | to |, and )\d+(?:\.\d+)?)*"
NAMES = r"[a-z]\w*(?:(?:, | and |, and )[a-z]\w*_\w+)*"


def texts() -> Iterator[tuple[str, str]]:
    """Every text that may cite, in one line: comments go on in the next one."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".yml", ".rst", ".j2") and path != Path(__file__):
                yield str(path.relative_to(ROOT)), re.sub(r"\s*\n\s*(?:# ?)?", " ", path.read_text(encoding="utf-8"))


def cited(pattern: str, word: str) -> set[tuple[str, str]]:
    """Return what is cited, each with the file: ``pattern`` has one group, with one or several of ``word`` in it."""
    return {
        (name, one) for name, text in texts() for many in re.findall(pattern, text) for one in re.findall(word, many)
    }


def test_every_section_that_is_cited_is_there() -> None:
    citations = cited(rf"[Ss]erver-behaviour(?:\.md)?,? ({NUMBERS})", r"\d+(?:\.\d+)?")

    assert len(citations) > 30
    assert sorted(citation for citation in citations if citation[1] not in SECTIONS) == []


def test_every_section_and_case_of_the_traps_is_there() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \| .+::", (ROOT / "docs" / "traps.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert len(rows) > 50
    assert sorted({where for row in rows for where in row.split(", ") if where not in SECTIONS | CASES}) == []


def test_every_contract_case_that_is_cited_is_there() -> None:
    citations = cited(rf"[Cc]ontract cases? ({NAMES})", r"\b[a-z]\w*_\w+|\bdiscovery\b")

    assert len(citations) > 30
    assert sorted(citation for citation in citations if citation[1] not in CASES) == []


def test_every_page_that_the_collection_cites_is_there() -> None:
    pages = {
        path.name
        for path in (
            *ROOT.glob("*.md"),
            *ROOT.glob("docs/**/*.md"),
            *ROOT.glob("roles/*/*.md"),
            *ROOT.glob("tests/**/*.md"),
        )
    }
    citations = {
        citation for citation in cited(r"([\w-]+\.md)\b", r".+") if not citation[0].startswith(("tests", "tools"))
    }

    assert len(citations) > 20
    assert sorted(citation for citation in citations if citation[1] not in pages) == []


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact[:40])
def test_every_fact_says_what_it_is_known_from(fact: str) -> None:
    found = re.search(r"\[([^\]]+)\]$", " ".join(fact.split()))
    assert found, (
        "end the fact with its source in brackets, as in [case source_change] or [oas "
        "pkg/image/apiserver/importer/importer.go]"
    )
    for source in found[1].split("; "):
        kind, _blank, where = source.partition(" ")
        if kind == "case":
            assert where in CASES
        elif kind == "measured":
            assert not where
        else:
            assert SOURCES[kind]
            assert re.fullmatch(r"[\w./-]+\.(?:go|py|yaml)", where)


def test_every_case_is_the_source_of_a_fact() -> None:
    assert len(CASES) > 40
    assert sorted(case for case in CASES if not re.search(rf"case {case}\b", PAGE)) == []
