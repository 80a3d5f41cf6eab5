# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples as they stand in the documentation: which there are, and how they are made to fit the test's
surroundings.

An example is a playbook: all that a Markdown file shows (its YAML blocks, the tasks in tables that are marked so),
the commands in tables that are marked so, or the EXAMPLES of a module. They name registries and namespaces as a
reader's would be called; ``playbook`` puts the test's in place.
"""

from __future__ import annotations

import ast
import re
import shlex
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "quayside.openshift_images"
_FENCED = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
_TASK_TABLE = re.compile(r"<!-- example: tasks -->\n((?:\|.*\n)+)")
_COMMAND_TABLE = re.compile(r"<!-- example: commands -->\n((?:\|.*\n)+)")
# A block with this mark is a file that the commands around it use; another test follows those.
_FILE = "file: "
_PLAY = {"hosts", "import_playbook"}
_CELL = re.compile(r"\| `([a-z_]+: \{.*\})` \|$")


class Block(t.NamedTuple):
    """A fenced block of a document, with the mark that stands before it as a comment ("" without one)."""

    mark: str
    language: str
    text: str

    @property
    def file(self) -> str:
        """The name of the file that the block is, or ""."""
        return self.mark.removeprefix(_FILE) if self.mark.startswith(_FILE) else ""


@dataclass(frozen=True)
class Example:
    """An example with the place where it stands; ``text`` is YAML, a list of plays or of tasks."""

    origin: str
    text: str

    def playbook(self, replacements: Mapping[str, str], variables: Mapping[str, t.Any]) -> str:
        """Return the example as a playbook for the test's surroundings."""
        text = self.text
        for written, real in replacements.items():
            text = text.replace(written, real)
        content = yaml.safe_load(text)
        if not _PLAY & set(content[0]):
            content = [{"name": self.origin, "hosts": "localhost", "gather_facts": False, "tasks": content}]
        for play in content:
            play["vars"] = {**variables, **play.get("vars", {})}
        return yaml.safe_dump(content, sort_keys=False, width=1000)


def examples() -> Iterator[Example]:
    """Every example of the collection's documentation."""
    for document in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]):
        yield from _of_document(document)
    for kind, folder in (("module", "modules"), ("filter", "filter")):
        for plugin in sorted(ROOT.glob(f"plugins/{folder}/*.py")):
            yield Example(f"{kind} {plugin.stem}", _constant(plugin, "EXAMPLES"))


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    found = _FENCED.finditer(document.read_text(encoding="utf-8"))
    return [Block(block["mark"] or "", block["language"], block["text"]) for block in found]


def _of_document(document: Path) -> Iterator[Example]:
    """One playbook for a whole document, since the start of one costs more than what it does."""
    name = str(document.relative_to(ROOT))
    plays: list[t.Any] = []
    for block in blocks(document):
        if block.language != "yaml" or block.file:
            continue
        content = yaml.safe_load(block.text)
        if _PLAY & set(content[0]):
            plays += content
        else:
            # Tasks by themselves go on with the play before them.
            _last_play(plays, name).setdefault("tasks", []).extend(content)
    text = document.read_text(encoding="utf-8")
    tasks = [_task(row) for row in _rows(_TASK_TABLE, text)]
    if tasks:
        plays.append({"name": f"The tables of {name}", "hosts": "localhost", "gather_facts": False, "tasks": tasks})
    commands = [_command(row) for row in _rows(_COMMAND_TABLE, text)]
    # Samples are on a cluster of their own.
    of_samples = [
        command for command in commands if any(variable.startswith("samples_") for variable in command["vars"])
    ]
    others = [command for command in commands if command not in of_samples]
    for about, content in (("", plays), (", commands", others), (", commands for samples", of_samples)):
        if content:
            yield Example(name + about, yaml.safe_dump(content, sort_keys=False, width=1000))


def _rows(table: re.Pattern[str], text: str) -> list[str]:
    return [row for found in table.findall(text) for row in found.splitlines()[2:]]


def _last_play(plays: list[t.Any], name: str) -> dict[str, t.Any]:
    if not plays:
        plays.append({"name": f"The tasks of {name}", "hosts": "localhost", "gather_facts": False})
    return t.cast("dict[str, t.Any]", plays[-1])


def _task(row: str) -> dict[str, t.Any]:
    cell = _CELL.search(row)
    assert cell, f"no task in the last column of: {row}"
    [(module, options)] = yaml.safe_load(cell.group(1)).items()
    return {"name": row.split("|")[1].strip().strip("`"), f"{COLLECTION}.{module}": options}


def _command(row: str) -> dict[str, t.Any]:
    """Return a playbook's command as a play; what it reads from files (``-e @FILE``) are variables of the test."""
    program, playbook, *options = shlex.split(row.split("|")[2].strip().strip("`"))
    assert program == "ansible-playbook", row
    assert options[::2] == ["-e"] * (len(options) // 2), row
    variables = dict(value.split("=", 1) for value in options[1::2] if not value.startswith("@"))
    return {"name": row.split("|")[1].strip(), "import_playbook": playbook, "vars": variables}


def _constant(module: Path, name: str) -> str:
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in statement.targets
        ):
            return str(ast.literal_eval(statement.value))
    raise AssertionError(f"{module} has no {name}")
