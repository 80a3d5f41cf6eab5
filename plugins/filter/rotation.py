# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says which secrets the rotation of a credential writes."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils._rotation import rotation

DOCUMENTATION = r"""
name: rotation
short_description: Says which secrets the rotation of a credential writes
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Puts the secrets that M(quayside.openshift_images.registry_access_info) found for one registry together, so that one
    task writes all of one name and type. The playbook C(quayside.openshift_images.rotate_credentials) uses it.
positional: _input, users
options:
  _input:
    description: The return values of M(quayside.openshift_images.registry_access_info), one for each time that it was
      asked.
    type: list
    elements: dict
    required: true
  users:
    description: The users whose credentials are replaced, none for those of any.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look for the credential
  quayside.openshift_images.registry_access_info:
    namespaces: [shop]
    registry: registry.example.com:5000
    links: false
  register: found

- name: Say where the credential stands
  ansible.builtin.debug:
    msg: "{{ ([found] | quayside.openshift_images.rotation)['items'] }}"
"""

RETURN = r"""
_value:
  description: What is to be written, and what cannot be.
  type: dict
  contains:
    items:
      description: C(name), C(type) and C(namespaces) of the secrets, one entry for all of one name and type.
      type: list
      elements: dict
    untouched:
      description: One line for each secret that holds the credential, or may hold it, and cannot be written.
      type: list
      elements: str
    related:
      description: One line for each entry under another key of the registry.
      type: list
      elements: str
    unread:
      description: One line for each namespace that could not be read.
      type: list
      elements: str
"""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"rotation": lambda found, users=(): rotation(found, users)._asdict()}
