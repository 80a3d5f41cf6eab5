# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples as they stand in the documentation: which there are, and how they are made to fit the test's surroundings.

An example is a playbook or a list of tasks: a YAML block of a Markdown file, the tasks or the commands in a table that is marked
so, or the EXAMPLES of a module. They name registries and namespaces as a reader's would be called; ``fitted`` puts the test's in place.
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
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TASK_TABLE = re.compile(r"<!-- example: tasks -->\n((?:\|.*\n)+)")
_COMMAND_TABLE = re.compile(r"<!-- example: commands -->\n((?:\|.*\n)+)")
_CELL = re.compile(r"\| `([a-z_]+: \{.*\})` \|$")


@dataclass(frozen=True)
class Example:
    """An example with the place where it stands; ``text`` is YAML, a list of plays or of tasks."""

    origin: str
    text: str

    def playbook(self, replacements: Mapping[str, str], variables: Mapping[str, t.Any]) -> str:
        """The example as a playbook for the test's surroundings."""
        text = self.text
        for written, real in replacements.items():
            text = text.replace(written, real)
        content = yaml.safe_load(text)
        if not {"hosts", "import_playbook"} & set(content[0]):
            content = [{"name": self.origin, "hosts": "localhost", "gather_facts": False, "tasks": content}]
        for play in content:
            play["vars"] = {**variables, **play.get("vars", {})}
        return yaml.safe_dump(content, sort_keys=False, width=1000)


def examples() -> Iterator[Example]:
    """Every example of the collection's documentation."""
    for document in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]):
        yield from _of_document(document)
    for module in sorted(ROOT.glob("plugins/modules/*.py")):
        yield Example(f"module {module.stem}", _constant(module, "EXAMPLES"))


def _of_document(document: Path) -> Iterator[Example]:
    name = str(document.relative_to(ROOT))
    text = document.read_text(encoding="utf-8")
    playbooks: list[list[t.Any]] = []
    for block in _BLOCK.findall(text):
        content = yaml.safe_load(block)
        if playbooks and "hosts" not in content[0]:
            # Tasks by themselves go on with the play before them.
            playbooks[-1][-1].setdefault("tasks", []).extend(content)
        else:
            playbooks.append(content)
    for table in _TASK_TABLE.findall(text):
        playbooks.append([_task(row) for row in table.splitlines()[2:]])
    for table in _COMMAND_TABLE.findall(text):
        commands = [_command(row) for row in table.splitlines()[2:]]
        # Samples are on a cluster of their own.
        about_samples = [command for command in commands if any(name.startswith("samples_") for name in command["vars"])]
        playbooks += [part for part in (about_samples, [command for command in commands if command not in about_samples]) if part]
    for number, content in enumerate(playbooks, 1):
        yield Example(f"{name}, {number}", yaml.safe_dump(content, sort_keys=False, width=1000))


def _task(row: str) -> dict[str, t.Any]:
    cell = _CELL.search(row)
    assert cell, f"no task in the last column of: {row}"
    [(module, options)] = yaml.safe_load(cell.group(1)).items()
    return {"name": row.split("|")[1].strip().strip("`"), f"{COLLECTION}.{module}": options}


def _command(row: str) -> dict[str, t.Any]:
    """A playbook's command as a play; what it reads from files (``-e @FILE``) are variables of the test."""
    program, playbook, *options = shlex.split(row.split("|")[2].strip().strip("`"))
    assert program == "ansible-playbook", row
    assert options[::2] == ["-e"] * (len(options) // 2), row
    variables = dict(value.split("=", 1) for value in options[1::2] if not value.startswith("@"))
    return {"name": row.split("|")[1].strip(), "import_playbook": playbook, "vars": variables}


def _constant(module: Path, name: str) -> str:
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in statement.targets):
            return str(ast.literal_eval(statement.value))
    raise AssertionError(f"{module} has no {name}")
