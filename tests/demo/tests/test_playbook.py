# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook's run as the demo reads it back: results, tag changes, complaints, and passwords kept to their file."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
import yaml
from demo.playbook import Playbook, TagChange
from demo.scenes import secret_forms

PLAY = """
- name: Report
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Streams
      ansible.builtin.command: "true"
      changed_when: item.changed
      loop: "{{ reported }}"
      loop_control:
        label: "{{ item.name }}"
    - name: Hidden
      ansible.builtin.debug:
        msg: "{{ secret }}"
      no_log: true
    - name: Wrong
      ansible.builtin.fail:
        msg: no further
"""


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    (tmp_path / "play.yml").write_text(PLAY)
    reported = [{"name": "first", "changed": True}, {"name": "second", "changed": False}]
    playbook = Playbook(
        str(tmp_path / "play.yml"),
        {"reported": reported, "secret": "pa55word"},
        {},
        tmp_path,
    )
    playbook.write_variables()
    return playbook


def test_each_item_and_task_is_read_back_with_its_outcome(playbook: Playbook) -> None:
    run = playbook.run()
    assert run.exit_code == 2
    assert [(result.title, result.outcome, result.changed) for result in run.results] == [
        ("Streams (first)", "ok", True),
        ("Streams (second)", "ok", False),
        ("Hidden", "ok", False),
        ("Wrong", "failed", False),
    ]
    assert [result.title for result in run.changed] == ["Streams (first)"]
    assert run.complaints() == []
    assert "pa55word" not in run.output + str(run.results)


def test_variables_are_in_a_file_of_the_owner_and_not_in_the_arguments(playbook: Playbook) -> None:
    assert stat.S_IMODE(os.stat(playbook.variables_file).st_mode) == 0o600
    assert yaml.safe_load(playbook.variables_file.read_text())["secret"] == "pa55word"
    assert "pa55word" not in " ".join(playbook.arguments())
    assert playbook.arguments("other.yml") == [*playbook.arguments()[:-1], "other.yml"]


def test_tag_changes_are_those_the_modules_report(playbook: Playbook) -> None:
    run = playbook.run()
    tags = [
        {"name": "v1", "changed": True, "reasons": ["upstream_moved"]},
        {"name": "v2", "changed": False, "reasons": []},
    ]
    stream = {"namespace": "shop", "name": "web", "tags": tags}
    run.results[0].content["streams"] = [stream]  # type: ignore[index]
    assert run.tag_changes() == {TagChange("shop/web", "v1", ("upstream_moved",))}


@pytest.mark.parametrize("around", ["puller:{}", "a{}b", "ab{}c", "{}"])
def test_a_password_is_found_in_any_base64(around: str) -> None:
    secret = "pa55word-of-some-length"
    text = base64.b64encode(around.format(secret).encode()).decode()
    assert any(form in text for form in secret_forms(secret))
