# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the record of a migration to manifest lists."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils._migration_record import migration_record

DOCUMENTATION = r"""
name: migration_record
short_description: Reads the record of a migration to manifest lists
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Reads the file in which the playbook C(quayside.openshift_images.migrate_to_multiarch) notes how each tag was. What
    M(quayside.openshift_images.image_stream_import) would refuse as an option is refused here too.
positional: _input, path
options:
  _input:
    description: The text of the file, empty if there is none yet.
    type: str
    required: true
  path:
    description: How sentences about what is wrong name the file.
    type: str
    required: true
  cluster:
    description: The cluster whose record it must be.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say how many streams a record has
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', path) | quayside.openshift_images.migration_record(path,
    cluster='harbour')).streams | length }}"
  vars:
    path: harbour.json
"""

RETURN = r"""
_value:
  description: What was read.
  type: dict
  contains:
    streams:
      description: The streams as the option C(record) of M(quayside.openshift_images.multiarch_migration_info).
      type: list
      elements: dict
    problem:
      description: Why the record cannot be used, empty if it can.
      type: str
"""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"migration_record": lambda text, path, cluster: migration_record(text, path, cluster)._asdict()}
