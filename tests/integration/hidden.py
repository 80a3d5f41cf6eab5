# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a credential looks like in a text that should not hold it."""

from __future__ import annotations

import base64


def forms(secret: str) -> set[str]:
    """Return the secret, and what of its base64 is the same wherever in a text it begins."""
    found = {secret}
    for lead in range(3):
        encoded = base64.b64encode(b"x" * lead + secret.encode()).decode().rstrip("=")
        # the first characters depend on what stands before the secret, the last ones on what follows
        found.add(encoded[4 if lead else 0 : -2])
    return found
