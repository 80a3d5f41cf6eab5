# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of several modules need: a cluster that answers by script, and the module's warnings."""

from __future__ import annotations

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ScriptedCluster:
    """Return the cluster that the module gets."""
    cluster = ScriptedCluster()
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: cluster)
    return cluster


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the warnings of the module; Ansible itself keeps them for the whole process."""
    found: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _self, warning: found.append(warning))
    return found
