# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often and how long a call of the API is retried.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from typing import NamedTuple


class RetryPolicy(NamedTuple):
    """How often and how long a call is retried; all times in seconds.

    ``busy_attempts`` for 429 and 503, and for a server that was there before and cannot be connected to any more,
    since it may be starting again; ``broken_attempts`` for everything else that can pass, ``slow_attempts`` if
    each try costs its whole time limit (504 too). The n-th wait is ``first_wait`` doubled n times, at most
    ``longest_wait``, with a random part of half of it; a Retry-After of the server replaces it, within
    ``longest_wait``. ``total_wait`` ends it whatever the counts say.
    """

    busy_attempts: int = 8
    broken_attempts: int = 4
    slow_attempts: int = 2
    first_wait: float = 0.5
    longest_wait: float = 20.0
    total_wait: float = 60.0


NORMAL = RetryPolicy()
