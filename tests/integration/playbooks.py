# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs playbooks as a user does, and reads back what they printed and what each task reported."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from registries.certificates import write_private

from .warm_ansible import WarmAnsible

_HERE = Path(__file__).resolve().parent
_COLLECTION = _HERE.parents[1]
# Older releases of Ansible break a long warning into lines.
_COMPLAINT = re.compile(r"\[(?:DEPRECATION )?WARNING\].*(?:\n(?!\[|[A-Z]{4}|\w+: \[).+)*")
_LONGEST_RUN = 300
# Names the Python that modules run with, if it is not to be Ansible's own.
_MODULE_PYTHON = "QUAYSIDE_TEST_MODULE_PYTHON"
# Settings of the person at the screen that would change what a run does.
_PERSONAL = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "TEST_REGISTRY_")
# What the process that runs tests has to close before it ends.
AT_THE_END = contextlib.ExitStack()


@dataclass(frozen=True)
class TaskResult:
    """What one task, or one item of its loop, reported."""

    host: str
    task: str
    item: str
    outcome: str
    content: Mapping[str, t.Any]

    @property
    def changed(self) -> bool:
        """Whether it reports a change."""
        return bool(self.content.get("changed"))

    @property
    def title(self) -> str:
        """Task and item."""
        return f"{self.task} ({self.item})" if self.item else self.task


@dataclass(frozen=True)
class TagReport:
    """What an image stream task said of a tag."""

    stream: str
    tag: str
    changed: bool
    reasons: tuple[str, ...]
    digest: str | None


@dataclass
class Run:
    """One run of a playbook."""

    arguments: tuple[str, ...]
    exit_code: int
    output: str
    results: list[TaskResult] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """Ansible's warnings and deprecations, each in one line."""
        return [" ".join(complaint.split()) for complaint in _COMPLAINT.findall(self.output)]

    def changed(self) -> list[str]:
        """Titles of the results that report a change."""
        return [result.title for result in self.results if result.changed]

    def diffs(self) -> dict[str, t.Any]:
        """Return the diffs of the results that report a change, by title."""
        return {result.title: result.content.get("diff") for result in self.results if result.changed}

    def messages(self) -> dict[str, str]:
        """Return the messages of the results that failed, by title."""
        return {result.title: str(result.content["msg"]) for result in self.results if result.outcome == "failed"}

    def of(self, task: str) -> Mapping[str, t.Any]:
        """Return what the task with that title reported."""
        (result,) = [result for result in self.results if task in (result.title, result.task)]
        return result.content

    def tags(self) -> list[TagReport]:
        """Return what the image stream tasks said of each tag, in order."""
        return [
            TagReport(
                f"{stream['namespace']}/{stream['name']}",
                tag["name"],
                tag["changed"],
                tuple(tag["reasons"]),
                tag["digest"],
            )
            for result in self.results
            for stream in result.content.get("streams", [])
            for tag in stream["tags"]
            # A module that only reads has nothing to say about changes.
            if "changed" in tag
        ]

    def changed_tags(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the reasons for each tag that is reported as changed, by stream and tag."""
        return {(tag.stream, tag.tag): tag.reasons for tag in self.tags() if tag.changed}


@dataclass(frozen=True)
class Playbooks:
    """Runs playbooks with the files of the runs below ``directory``; ``environment`` names the cluster."""

    directory: Path
    environment: Mapping[str, str]

    def with_environment(self, environment: Mapping[str, str]) -> Playbooks:
        """Return the same with another cluster, or another way to it."""
        return Playbooks(self.directory, environment)

    def variables_file(self, variables: Mapping[str, t.Any]) -> Path:
        """Return a file for the variables, readable by its owner only: they hold passwords."""
        handle, name = tempfile.mkstemp(prefix="variables-", suffix=".yml", dir=self.directory)
        os.close(handle)
        write_private(Path(name), yaml.safe_dump(dict(variables), sort_keys=False).encode())
        return Path(name)

    def run(
        self,
        playbook: Path | str,
        *options: str,
        variables: Mapping[str, t.Any] | None = None,
        inventory: Path | str = "",
        settings: Mapping[str, str] | None = None,
    ) -> Run:
        """Run a playbook, by path or full name; ``settings`` are more variables of the environment."""
        where = ("-i", str(inventory)) if inventory else ()
        python = os.environ.get(_MODULE_PYTHON)
        chosen = ("-e", f"ansible_python_interpreter={python}") if python else ()
        given = ("-e", f"@{self.variables_file(variables)}") if variables else ()
        arguments = [*where, *chosen, *given, *options, str(playbook)]
        with (
            tempfile.NamedTemporaryFile(prefix="record-", suffix=".jsonl", dir=self.directory) as record,
            tempfile.NamedTemporaryFile(prefix="output-", dir=self.directory) as output,
        ):
            environment = {**impersonal(), "TASK_RECORD_PATH": record.name, **self.environment, **(settings or {})}
            start = self._start_anew if any(name.startswith("ANSIBLE_") for name in environment) else self._fork
            exit_code = start(arguments, environment, Path(output.name))
            lines = record.read().decode().splitlines()
            text = output.read().decode()
        return Run(options, exit_code, text, [TaskResult(**json.loads(line)) for line in lines])

    def _fork(self, arguments: list[str], environment: Mapping[str, str], output: Path) -> int:
        return _warm_ansible().run(arguments, environment, self.directory, output, _LONGEST_RUN)

    def _start_anew(self, arguments: list[str], environment: Mapping[str, str], output: Path) -> int:
        """For a run with settings of Ansible of its own, which are read when it starts."""
        program = Path(sys.executable).with_name("ansible-playbook")
        with output.open("wb") as file:
            finished = subprocess.run(
                [str(program), *arguments],
                env={**_ansible_settings(self.directory), **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                timeout=_LONGEST_RUN,
                check=False,
            )
        return finished.returncode


@functools.cache
def _warm_ansible() -> WarmAnsible:
    """One process for all runs with the usual settings."""
    directory = AT_THE_END.enter_context(tempfile.TemporaryDirectory(prefix="quayside-ansible-"))
    warm = WarmAnsible({**impersonal(), **_ansible_settings(Path(directory))})
    AT_THE_END.callback(warm.stop)
    return warm


def _ansible_settings(directory: Path) -> dict[str, str]:
    """Return the settings for a run, with what Ansible writes below ``directory``."""
    configuration = directory / "ansible.cfg"
    configuration.touch()
    return {
        "ANSIBLE_CALLBACKS_ENABLED": "task_record",
        "ANSIBLE_CALLBACK_PLUGINS": str(_HERE / "callback_plugins"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path(directory)),
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_HOME": str(directory / "ansible-home"),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "true",
    }


def collections_path(directory: Path) -> Path:
    """Where Ansible finds the collection: the tree that this file is in, or one of links below ``directory``."""
    place = ("ansible_collections", "quayside", "openshift_images")
    if _COLLECTION.parts[-3:] == place:
        return _COLLECTION.parents[2]
    link = directory.joinpath("collections", *place)
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(_COLLECTION)
    return directory / "collections"


def impersonal() -> dict[str, str]:
    """Return the environment of this process without what would change a run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_PERSONAL)}
