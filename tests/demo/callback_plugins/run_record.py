# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the result of every task and loop item of a run as JSON lines, for a program that verifies the run."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: run_record
type: aggregate
short_description: Records task results as JSON lines
description:
  - Appends one JSON object for each task result, and for each item of a loop, to a file.
  - Results of tasks with C(no_log) arrive here without their content, as everywhere else.
options:
  path:
    description: The file to append to.
    type: path
    required: true
    env:
      - name: RUN_RECORD_PATH
"""

_KEPT = ("changed", "failed", "skipped", "msg", "diff", "streams", "failed_tags", "warnings", "deprecations")


class CallbackModule(CallbackBase):
    """One line for each result; a loop's own result is left out, its items are there."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "run_record"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Note a task that succeeded."""
        self._record(result, "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Note a task that failed."""
        self._record(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Note a host that was not reached."""
        self._record(result, "unreachable")

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """Note a loop item that succeeded."""
        self._record(result, "ok")

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """Note a loop item that failed."""
        self._record(result, "failed")

    def _record(self, result: t.Any, outcome: str) -> None:
        content = result._result
        if "results" in content and result._task.loop:
            return
        line = {
            "task": result._task.get_name(),
            "action": result._task.action,
            "item": str(content.get("_ansible_item_label", "")),
            "outcome": outcome,
            **{key: content[key] for key in _KEPT if key in content},
        }
        with open(self.get_option("path"), "a", encoding="utf-8") as record:
            record.write(json.dumps(line, default=str) + "\n")
