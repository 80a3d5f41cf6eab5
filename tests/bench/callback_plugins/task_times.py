# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes how long each task took to a file, as JSON lines."""

from __future__ import annotations

import json
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_times
type: aggregate
short_description: Records the time of tasks for the benches
description:
  - Appends one JSON object to a file for each task, with its name and its seconds, loop included.
options:
  path:
    description: The file.
    type: path
    required: true
    env:
      - name: TASK_TIMES_PATH
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """A task's time is that from its start to its result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._began = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        line = {"task": result._task.get_name(), "seconds": time.monotonic() - self._began}
        with open(self.get_option("path"), "a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
