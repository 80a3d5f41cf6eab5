# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summarizes what the loop of a role did."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils import _role_summary

DOCUMENTATION = r"""
name: role_summary
short_description: Summarizes what the loop of a role did
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Puts the results of the items of a loop of P(quayside.openshift_images.image_streams#role) or
    P(quayside.openshift_images.registry_access#role) into one line, and says why the role must fail.
  - What a later task uses of it never comes from a result that Ansible may have masked.
positional: _input, role
options:
  _input:
    description: The results of the items.
    type: list
    elements: dict
    required: true
  role:
    description: The role.
    type: str
    choices: [image_streams, registry_access]
    required: true
  linked:
    description: The results of the links, for V(registry_access).
    type: list
    elements: dict
    default: []
  declared:
    description: The pull secrets as they were declared, one for each result, for V(registry_access).
    type: list
    elements: dict
    default: []
  check_mode:
    description: Whether the run only says what it would do.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Import the image streams
  quayside.openshift_images.image_stream_import:
    namespace: shop
    name: "{{ item }}"
    tags:
      - name: v1
        from: "registry.example.com:5000/team/{{ item }}:v1"
  loop: [web, api]
  register: image_streams_imported

- name: Say what became of the image streams
  ansible.builtin.debug:
    msg: "{{ (image_streams_imported.results | quayside.openshift_images.role_summary('image_streams')).words }}"
"""

RETURN = r"""
_value:
  description: The summary.
  type: dict
  contains:
    counts:
      description: What was changed, unchanged and failed.
      type: str
    words:
      description: The same, with the reasons.
      type: str
    failure:
      description: Why the role must fail, empty if it need not.
      type: str
    pending_credentials:
      description: The registries by namespace whose credentials were written, or would be in check mode, for
        V(registry_access).
      type: list
      elements: dict
"""


def role_summary(
    results: t.Sequence[dict[str, t.Any]],
    role: str,
    linked: t.Sequence[dict[str, t.Any]] = (),
    declared: t.Sequence[dict[str, t.Any]] = (),
    check_mode: bool = False,
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    if role == "image_streams":
        return _role_summary.image_streams(results, check_mode)._asdict()
    return _role_summary.registry_access(results, linked, declared, check_mode)._asdict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"role_summary": role_summary}
