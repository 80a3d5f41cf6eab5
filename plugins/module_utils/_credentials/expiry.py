# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a credential ends, as far as it says so itself: tokens of Amazon ECR and JSON Web Tokens. Nothing is guessed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Nobody has verified what a token says here; the registry does that. Whoever wrote the secret may have written any text.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import typing as t
from typing import NamedTuple

# characters: longer ones are no tokens
_LONGEST_TOKEN = 64 * 1024
# A token that was issued later than this from now shows that one of two clocks is wrong.
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
# what can be a date of the API
_LAST_SECOND = 253_402_300_799

UNKNOWN = "unknown"
VALID = "valid"
EXPIRES = "expires"
EXPIRED = "expired"


class Expiry(NamedTuple):
    """When a credential ends; ``at`` is None if it does not say so. ``issued`` is when it was made, if it says that."""

    at: dt.datetime | None = None
    issued: dt.datetime | None = None

    @property
    def text(self) -> str:
        """Return the time as the API writes times, "" if it is not known."""
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ") if self.at is not None else ""

    def state(self, within_hours: int = 0, now: dt.datetime | None = None) -> str:
        """Return what is true of it ``now``: expired, expires (within so many hours), valid, or unknown.

        It is unknown if the credential does not say when it ends, or was made in the future: then a clock is wrong.
        """
        now = now or dt.datetime.now(dt.timezone.utc)
        if self.at is None or (self.issued is not None and self.issued > now + _CLOCKS_DIFFER):
            return UNKNOWN
        if self.at <= now:
            return EXPIRED
        # A time so many hours from now may be none that Python knows.
        return EXPIRES if (self.at - now).total_seconds() <= within_hours * 3600 else VALID


def expiry_of(password: str, identity_token: str = "") -> Expiry:
    """Return when a login ends: the credential that is used says so, which is the password if there is one."""
    token = (password or identity_token).strip()
    if not token or len(token) > _LONGEST_TOKEN:
        return Expiry()
    parts = token.split(".")
    if len(parts) == 3:
        claims = _json_object(parts[1])
        return Expiry(_time(claims.get("exp")), _time(claims.get("iat")))
    return Expiry(_time(_json_object(token).get("expiration")))


def _json_object(encoded: str) -> dict[str, t.Any]:
    """Return the JSON object whose base64, of either alphabet, the text is; an empty one if it is none."""
    try:
        raw = base64.b64decode(encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4), validate=True)
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _time(seconds: t.Any) -> dt.datetime | None:
    """Return the time of a number of seconds since 1970; None for what is no such number."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= _LAST_SECOND:
        return None
    return dt.datetime.fromtimestamp(int(seconds), dt.timezone.utc)
