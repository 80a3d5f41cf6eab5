# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell the first push of a repository from those that follow within seconds: an event filter of ansible-rulebook.

Two throttles of a rulebook cannot do that without a gap: once_within drops what follows, and a once_after beside it
has windows of its own, so that a push can be dropped by the one and be alone, and so look like a first one, in the
other.
"""

from __future__ import annotations

import time
from typing import Any

DOCUMENTATION = r"""
---
author:
  - quayside contributors (@quayside)
short_description: Tell the first push of a repository from those that follow within seconds.
description:
  - An event filter that adds the key C(first) to each push, V(true) or V(false). A push is a first one if nothing was
    pushed to its repository within the last O(seconds) seconds.
  - A rulebook acts at once on a first push, and later acts once for all the others. Each push is one or the other, so
    none is lost.
  - Place it after C(quayside.openshift_images.registry_push) and C(eda.builtin.event_splitter). Other events pass
    unchanged.
options:
  seconds:
    description:
      - How long pushes that follow a push do not count as first ones.
    type: float
    default: 3
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    host: 127.0.0.1
    port: 5000
    token: "{{ registry_push_token }}"
  filters:
    - quayside.openshift_images.registry_push:
    - eda.builtin.event_splitter:
        splitter_key: pushes
    - quayside.openshift_images.first_push:
        seconds: 3
"""

# When each repository was pushed to last, oldest first.
_last: dict[tuple[Any, str], float] = {}


def main(event: dict[str, Any], seconds: float = 3) -> dict[str, Any]:
    """Return the event with the key first, if it is a push."""
    if (
        not isinstance(event, dict)
        or not isinstance(event.get("repository"), str)
        or not isinstance(event.get("registry"), (str, type(None)))
    ):
        return event
    now = time.monotonic()
    # What is too old to matter goes, so that this holds no more than the pushes of some seconds.
    while _last and now - next(iter(_last.values())) >= seconds:
        del _last[next(iter(_last))]
    key = (event.get("registry"), event["repository"])
    first = _last.pop(key, None) is None
    _last[key] = now
    return {**event, "first": first}
