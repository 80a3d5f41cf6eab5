# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes text of others fit to be shown in a line of one's own."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import visible

DOCUMENTATION = r"""
name: visible
short_description: Makes text of others fit to be shown
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Puts a visible character in the place of each one that commands a terminal, line ends included.
  - Ansible prints the labels of loops, and messages, as they are. A name from a survey, a file or a cluster could forge
    lines of the output.
  - What the modules of this collection return has passed this already.
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show names that a person has typed
  ansible.builtin.debug:
    msg: "{{ item }}"
  loop: "{{ survey_names.splitlines() }}"
  loop_control:
    label: "{{ item | quayside.openshift_images.visible }}"
  vars:
    survey_names: |
      shop
      billing
"""

RETURN = r"""
_value:
  description: The text in one line.
  type: str
"""


def shown(text: t.Any) -> str:
    """See DOCUMENTATION."""
    return visible(str(text))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"visible": shown}
