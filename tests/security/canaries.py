# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Canaries: made-up credentials that must not be found again, in whatever form."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

# Characters that every way to write a text changes: base64 with both alphabets, JSON, percent-encoding.
_TROUBLE = '"\\+/?~'
# Fewer characters than these in common with a canary are chance.
_WINDOW = 12
# As much of a canary is what tells it from others.
_BEGINNING = 20


def canary(name: str) -> str:
    """Return a credential of its own for each name; a token, a password and a part of a URL may hold these
    characters."""
    return f"c4n4ry-{name.replace('_', '-')}-{_TROUBLE}{len(name)}x"


def forms(secret: str) -> set[str]:
    """Return the secret as texts hold it: literal, in JSON, in URLs, and what of its base64 is the same wherever it
    begins."""
    raw = secret.encode()
    found = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        repr(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
    }
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for lead in range(3):
            encoded = encode(b"x" * lead + raw).decode().rstrip("=")
            # the first characters depend on what stands before the secret, the last ones on what follows
            found.add(encoded[4 if lead else 0 : -2])
    return {form for form in found if len(form) >= _WINDOW}


def found_in(places: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """Which secret was found, by place, or the beginning of one; empty is what every test wants."""
    known = {form[:_BEGINNING]: secret for secret in secrets for form in forms(secret)}
    return {place: known[form] for place, text in places.items() for form in known if form in text}
