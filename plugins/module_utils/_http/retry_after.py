# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a server asks to wait: a Retry-After header is a number of seconds or a date, and may be anything.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

_LONGEST = 1e9


def seconds_to_wait(header: str) -> float | None:
    """Return the seconds that the header names, 0 for a date that has passed; None where it names no time."""
    text = header.strip()
    if text.isdecimal() and text.isascii():
        return min(float(text), _LONGEST)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return min(max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0), _LONGEST)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
