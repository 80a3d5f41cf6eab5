# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the pushes out of what a rulebook hands to a playbook or a job template."""

from __future__ import annotations

import typing as t

DOCUMENTATION = r"""
name: pushes_of_events
short_description: Takes the pushes out of what a rulebook hands on
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Turns C(ansible_eda), which a rulebook gives to each playbook and job template, into
    O(quayside.openshift_images.image_stream_refresh#module:pushes).
  - The events are those of the event filter C(quayside.openshift_images.registry_push). If a throttle held several
    pushes of a repository back, it hands on the first one and their number; the whole repository is looked at then.
positional: _input
options:
  _input:
    description:
      - C(ansible_eda), with C(event), or with C(events) if several matched at once.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Import what was pushed
  quayside.openshift_images.image_stream_refresh:
    pushes: "{{ ansible_eda | quayside.openshift_images.pushes_of_events }}"
"""

RETURN = r"""
_value:
  description: The pushes.
  type: list
  elements: dict
"""

_EXACT = ("registry", "repository", "tag", "digest", "at")
_WHOLE = ("registry", "repository")


def pushes_of_events(handed_on: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """See DOCUMENTATION."""
    events = [*dict(handed_on.get("events") or {}).values()] or [handed_on["event"]]
    return [{key: event[key] for key in (_EXACT if _is_alone(event) else _WHOLE) if event.get(key)} for event in events]


def _is_alone(event: t.Mapping[str, t.Any]) -> bool:
    """Return whether no other push was held back with this one."""
    engine = (event.get("meta") or {}).get("rule_engine") or {}
    return int(engine.get("events_in_window") or 1) == 1


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"pushes_of_events": pushes_of_events}
