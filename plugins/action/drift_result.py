# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the result of one cluster for the report; see plugins/modules/drift_result.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.collect import write_part


class ActionModule(ActionBase):
    """Runs where Ansible runs, without a module: for a fleet, the start of one for each cluster costs more than all
    the rest of it."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Write the file as a whole, readable by its owner only."""
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            {"content": {"type": "dict", "required": True}, "path": {"type": "path", "required": True}}
        )
        path = options["path"]
        try:
            write_part(path, options["content"])
        except OSError as error:
            raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}") from error
        return {"changed": False, "path": path}
