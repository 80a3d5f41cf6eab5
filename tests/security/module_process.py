# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as a process of its own: its options come by standard input, as Ansible hands them over."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from ansible.module_utils.testing import patch_module_args

if __name__ == "__main__":
    module = importlib.import_module(f"ansible_collections.quayside.openshift_images.plugins.modules.{sys.argv[1]}")
    try:
        with patch_module_args(json.load(sys.stdin)):
            module.main()
    finally:
        # of this program alone: what wait4 says of a child includes what the parent had when it was started
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        Path(sys.argv[2]).write_text(status["VmHWM"].split()[0])
