# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a playbook of the collection the way a user does, and reads back what each task reported."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from registries.certificates import write_private

_CALLBACKS = Path(__file__).parent / "callback_plugins"
_TIMEOUT = 600
# settings of the person at the screen, which would make this another run
_PERSONAL = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG")


@dataclass(frozen=True)
class TaskResult:
    """One task, or one item of a loop."""

    task: str
    action: str
    item: str
    outcome: str
    changed: bool
    content: Mapping[str, t.Any]

    @property
    def title(self) -> str:
        """The task's name with its item."""
        return f"{self.task} ({self.item})" if self.item else self.task


@dataclass(frozen=True)
class TagChange:
    """A tag that a run changed or would change, and why."""

    stream: str
    tag: str
    reasons: tuple[str, ...]


@dataclass
class Run:
    """What one run of a playbook did, or in check mode would do."""

    exit_code: int
    output: str
    results: list[TaskResult] = field(default_factory=list)

    @property
    def changed(self) -> list[TaskResult]:
        """The results that report a change."""
        return [result for result in self.results if result.changed]

    def tag_changes(self) -> set[TagChange]:
        """Every tag that the image stream tasks report as changed."""
        return {
            TagChange(f"{stream['namespace']}/{stream['name']}", tag["name"], tuple(tag["reasons"]))
            for result in self.results
            for stream in result.content.get("streams", [])
            for tag in stream.get("tags", [])
            if tag["changed"]
        }

    def diffs(self, leave_out: frozenset[str] = frozenset()) -> list[tuple[str, t.Any]]:
        """Title and diff of each changed result, in order, without the keys of ``leave_out`` at any depth;
        ``image`` takes the digests of tags too."""
        return [(result.title, _without(leave_out, result.content.get("diff"))) for result in self.changed]

    def complaints(self) -> list[str]:
        """Warnings and deprecations of all tasks."""
        return [
            str(text)
            for result in self.results
            for kind in ("warnings", "deprecations")
            for text in result.content.get(kind, [])
        ]


@dataclass(frozen=True)
class Playbook:
    """A playbook with its variables. ``environment`` tells it the cluster; ``directory`` takes the files of its runs,
    readable by their owner only, for the variables hold passwords."""

    name: str
    variables: Mapping[str, t.Any]
    environment: Mapping[str, str]
    directory: Path

    def arguments(self, other: str = "") -> list[str]:
        """Return the command line of a run without options, or that of another playbook with the same variables."""
        program = Path(sys.executable).with_name("ansible-playbook")
        return [str(program), "-i", "localhost,", "-c", "local", "-e", f"@{self.variables_file}", other or self.name]

    @property
    def variables_file(self) -> Path:
        """Where the variables are kept."""
        return self.directory / "variables.yml"

    def write_variables(self) -> None:
        """Write the variables file."""
        write_private(self.variables_file, yaml.safe_dump(dict(self.variables), sort_keys=False).encode())

    def shown(self, *options: str, other: str = "") -> str:
        """Return the command as a person would type it."""
        return shlex.join(["ansible-playbook", other or self.name, "-e", f"@{self.variables_file.name}", *options])

    def run(self, *options: str, other: str = "") -> Run:
        """Run it, or another playbook with the same variables; a run that takes longer than ten minutes is a
        subprocess.TimeoutExpired."""
        record = self.directory / "record.jsonl"
        write_private(record, b"")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_PERSONAL)},
            **self.environment,
            "ANSIBLE_HOME": str(self.directory / "ansible-home"),
            "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "run_record",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "RUN_RECORD_PATH": str(record),
        }
        finished = subprocess.run(
            [*self.arguments(other), *options],
            # beside the variables there is no ansible.cfg of anybody's
            cwd=self.directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        lines = record.read_text(encoding="utf-8").splitlines()
        return Run(finished.returncode, finished.stdout, [_result(json.loads(line)) for line in lines])


def _without(keys: frozenset[str], value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _without(keys, entry) for key, entry in value.items() if key not in keys}
    if isinstance(value, list):
        return [_without(keys, entry) for entry in value]
    if isinstance(value, str) and "image" in keys:
        return re.sub(r"@sha256:[0-9a-f]{8}\b", "", value)
    return value


def _result(line: dict[str, t.Any]) -> TaskResult:
    return TaskResult(
        task=line["task"],
        action=line["action"],
        item=line["item"],
        outcome=line["outcome"],
        changed=bool(line.get("changed")),
        content=line,
    )
