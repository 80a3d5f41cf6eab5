# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads image streams from the text of a survey."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils._survey import image_streams

DOCUMENTATION = r"""
name: image_streams_from_survey
short_description: Reads image streams from the text of a survey
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Turns text, as a person types it into a survey of AWX, into what P(quayside.openshift_images.image_streams#role)
    takes as O(quayside.openshift_images.image_streams#role:main:image_streams_desired).
  - It asks neither a cluster nor a registry. Each line is checked as M(quayside.openshift_images.image_stream_import)
    checks its options.
positional: _input, variable
options:
  _input:
    description:
      - The text. Each line names one tag, as C(NAMESPACE/STREAM:TAG IMAGE), and after the image any of C(import_mode=),
        C(reference_policy=), C(scheduled=), C(insecure=), C(prefer_architecture=) and C(prefer_os=).
      - Empty lines, and lines that begin with C(#), are ignored.
    type: str
    required: true
  variable:
    description: The name of the text in error messages.
    type: str
    default: survey
"""

EXAMPLES = r"""
- name: Say which streams a survey names
  ansible.builtin.debug:
    msg: "{{ (answers | quayside.openshift_images.image_streams_from_survey('answers')).entries }}"
  vars:
    answers: |
      shop/web:v1      registry.example.com:5000/team/web:v1      import_mode=PreserveOriginal
      shop/web:stable  registry.example.com:5000/team/web:stable  scheduled=true
"""

RETURN = r"""
_value:
  description: What was read.
  type: dict
  contains:
    entries:
      description: The streams with their tags.
      type: list
      elements: dict
    problems:
      description: One sentence for each line that cannot be used. With any of them, the streams are not all of those
        that were meant.
      type: list
      elements: str
"""


def image_streams_from_survey(text: str, variable: str = "survey") -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    return image_streams(text, variable)._asdict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"image_streams_from_survey": image_streams_from_survey}
