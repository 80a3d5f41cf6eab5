# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleError
from ansible_collections.quayside.openshift_images.plugins.action.drift_result import ActionModule


def act(**options: t.Any) -> dict[str, t.Any]:
    task = MagicMock(args=options, async_val=0)
    return ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock()).run(task_vars={})


def test_the_file_holds_the_result_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "harbour.json"
    path.write_text("what an earlier run has left, which is longer")

    result = act(content={"cluster": "harbour"}, path=str(path))

    assert result == {"changed": False, "path": str(path)}
    assert json.loads(path.read_text()) == {"cluster": "harbour"}


def test_a_new_file_is_private(tmp_path: Path) -> None:
    act(content={}, path=str(tmp_path / "new.json"))

    assert tmp_path.joinpath("new.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_and_a_missing_option_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnsibleError, match=r"lost/harbour\.json cannot be written: No such file or directory"):
        act(content={}, path=str(tmp_path / "lost" / "harbour.json"))
    with pytest.raises(AnsibleError, match="missing required arguments: path"):
        act(content={})
