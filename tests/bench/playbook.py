# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks of the benches: for the time of their tasks, and for the files that Ansible makes of modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from registries.certificates import write_private

from .processes import ProgramFailed

_HERE = Path(__file__).resolve().parent
_LONGEST = 3600


def run_playbook(
    directory: Path, tasks: Sequence[Mapping[str, t.Any]], *, keep_files: bool = False, collections: Path | None = None
) -> dict[str, float]:
    """Run tasks on this machine; returns the seconds that each took. Raises ProgramFailed."""
    directory.mkdir(parents=True, exist_ok=True)
    play = directory / "play.json"
    play.unlink(missing_ok=True)
    write_private(
        play,
        json.dumps(
            [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": list(tasks)}]
        ).encode(),
    )
    times = directory / "times.jsonl"
    times.unlink(missing_ok=True)
    (directory / "ansible.cfg").touch()
    paths = [str(_HERE.parents[4]), *([str(collections)] if collections else [])]
    settings = {
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
        "ANSIBLE_CALLBACK_PLUGINS": str(_HERE / "callback_plugins"),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(paths),
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_HOME": str(directory / "ansible-home"),
        "ANSIBLE_KEEP_REMOTE_FILES": str(keep_files),
        "ANSIBLE_LIBRARY": str(_HERE / "library"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_PIPELINING": str(not keep_files),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "TASK_TIMES_PATH": str(times),
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG"))
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), str(play)],
        env=kept | settings,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_LONGEST,
    )
    if done.returncode:
        raise ProgramFailed(done.stdout[-3000:])
    return {
        record["task"]: record["seconds"] for record in map(json.loads, times.read_text(encoding="utf-8").splitlines())
    }


def module_files(
    directory: Path, tasks: Mapping[str, tuple[str, Mapping[str, t.Any]]], collections: Path | None = None
) -> dict[str, Path]:
    """Run modules once, by name of the task: (module, options). Returns the files that Ansible made of them, which
    do the same when they are run again."""
    folders = {name: directory / "modules" / name for name in tasks}
    listed = [
        {"name": name, module: dict(options), "vars": {"ansible_remote_tmp": str(folders[name])}}
        for name, (module, options) in tasks.items()
    ]
    run_playbook(directory, listed, keep_files=True, collections=collections)
    files = {}
    for name, folder in folders.items():
        (files[name],) = folder.glob("*/AnsiballZ_*.py")
    return files
