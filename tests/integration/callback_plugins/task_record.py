# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Appends the result of each task and loop item to a file, as JSON lines, for the tests to read."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_record
type: aggregate
short_description: Records task results for tests
description:
  - Appends one JSON object to a file for each result of a task, or of each of its loop items.
options:
  path:
    description: The file.
    type: path
    required: true
    env:
      - name: TASK_RECORD_PATH
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """What a user's own callback plugin would get to see."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_record"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._record(result, "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._record(result, "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._record(result, "unreachable")

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._record(result, "ok")

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._record(result, "failed")

    def _record(self, result: t.Any, outcome: str) -> None:
        content = result._result
        if result._task.loop and "results" in content:
            # its items are recorded already
            return
        line = {
            "host": result._host.get_name(),
            "task": result._task.get_name().rpartition(" : ")[2],
            "item": str(content.get("_ansible_item_label", "")),
            "outcome": outcome,
            "content": content,
        }
        with open(self.get_option("path"), "a", encoding="utf-8") as record:
            record.write(json.dumps(line, default=str) + "\n")
