# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks reach a cluster in one and the same way: Ansible cannot share module_defaults between plays, so a test compares them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
GROUP = "group/quayside.openshift_images.openshift"
INTERPRETER = "ansible_python_interpreter"
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
# They have no play of their own for it: the roles say what they take.
OF_ROLES = ("site", "drift", "drift_merge")
WITHOUT_CLUSTER = ("drift_merge", "awx_setup")


def play_of(playbook: Path) -> dict[str, t.Any]:
    """The only play of a playbook."""
    (play,) = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", play)


def access_of(play: dict[str, t.Any]) -> dict[str, t.Any]:
    """What decides which cluster is reached, as whom, and with which Python."""
    return {
        **{name: play.get(name) for name in ("hosts", "gather_facts", "connection")},
        INTERPRETER: play["vars"][INTERPRETER],
        GROUP: play["module_defaults"][GROUP],
    }


@pytest.mark.parametrize("playbook", [path for path in PLAYBOOKS if path.stem not in WITHOUT_CLUSTER], ids=lambda path: path.stem)
def test_every_playbook_reaches_its_clusters_as_site_does(playbook: Path) -> None:
    assert access_of(play_of(playbook)) == access_of(play_of(ROOT / "playbooks" / "site.yml"))


@pytest.mark.parametrize("playbook", [path for path in PLAYBOOKS if path.stem not in OF_ROLES], ids=lambda path: path.stem)
def test_variables_of_a_playbook_carry_its_name_and_are_described_at_its_head(playbook: Path) -> None:
    play = play_of(playbook)
    registered = [task["register"] for task in _tasks(play["tasks"]) if "register" in task]
    described = [line.split()[1] for line in playbook.read_text(encoding="utf-8").splitlines() if line.startswith(f"#   {playbook.stem}_")]

    assert described
    assert [name for name in [*play["vars"], *registered] if name != INTERPRETER and not name.startswith(f"{playbook.stem}_")] == []
    assert [name for name in described if playbook.read_text(encoding="utf-8").count(name) < 2] == []


def _tasks(tasks: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part, []))
