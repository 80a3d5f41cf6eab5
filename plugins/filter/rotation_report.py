# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says what the rotation of a credential did."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils._rotation import outcome

DOCUMENTATION = r"""
name: rotation_report
short_description: Says what the rotation of a credential did
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Puts the results of M(quayside.openshift_images.pull_secret) for what P(quayside.openshift_images.rotation#filter)
    returned into lines. The playbook C(quayside.openshift_images.rotate_credentials) uses it.
positional: _input, results
options:
  _input:
    description: What P(quayside.openshift_images.rotation#filter) returned.
    type: dict
    required: true
  results:
    description: The results of its items, in their order.
    type: list
    elements: dict
    required: true
  registry:
    description: The registry.
    type: str
    required: true
  cluster:
    description: What the report calls the cluster.
    type: str
    required: true
  compared:
    description: Whether the former password was compared.
    type: bool
    default: true
  check_mode:
    description: Whether the run only says what it would do.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look for the credential
  quayside.openshift_images.registry_access_info:
    namespaces: [shop]
    registry: registry.example.com:5000
    links: false
  register: found

- name: Write the new credential
  quayside.openshift_images.pull_secret:
    namespaces: "{{ item.namespaces }}"
    name: "{{ item.name }}"
    type: "{{ item.type }}"
    registries:
      - registry: registry.example.com:5000
        username: puller
        password: "{{ registry_password }}"
  loop: "{{ ([found] | quayside.openshift_images.rotation)['items'] }}"
  register: written

- name: Say what was done
  ansible.builtin.debug:
    msg: "{{ (plan | quayside.openshift_images.rotation_report(written.results, registry='registry.example.com:5000',
    cluster='harbour')).lines }}"
  vars:
    plan: "{{ [found] | quayside.openshift_images.rotation }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    lines:
      description: What was replaced and what was left alone.
      type: list
      elements: str
    left:
      description: One line for each thing that has the former credential still, or may have it.
      type: list
      elements: str
"""


def rotation_report(
    plan: dict[str, t.Any],
    results: list[dict[str, t.Any]],
    registry: str,
    cluster: str,
    compared: bool = True,
    check_mode: bool = False,
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    return outcome(plan, results, registry, cluster, compared, check_mode)._asdict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"rotation_report": rotation_report}
