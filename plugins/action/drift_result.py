# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the result of one cluster for the report; see plugins/modules/drift_result.py."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs where Ansible runs, without a module: for a fleet, the start of one for each cluster costs more than all the rest of it."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Write the file as a whole, readable by its owner only."""
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec({"content": {"type": "dict", "required": True}, "path": {"type": "path", "required": True}})
        path, text = options["path"], json.dumps(options["content"])
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}") from error
        return {"changed": False, "path": path}
