# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bearer tokens that lie in files, or are given anew. Imported only where a connection has one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .._core.errors import ConfigurationError
from .access import TOKEN_TEXT
from .kubeconfig import Mask, why_unreadable


def read_bearer_token(path: str, origin: str) -> str:
    """The bearer token of a file, without the line end. Raises ConfigurationError where it cannot be read or is empty."""
    try:
        with open(path, encoding="utf-8") as handle:
            token = handle.read().strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"The token file {path} of {origin} cannot be read: {why_unreadable(exc)}.") from None
    if not token:
        raise ConfigurationError(f"The token file {path} of {origin} is empty.")
    return token


def renewal(source: t.Callable[[], str], origin: str, mask: Mask) -> t.Callable[[], str]:
    """What gives a new bearer token of ``source``, which went to ``mask``. It raises ConfigurationError for what cannot be sent."""

    def renewed() -> str:
        token = source()
        mask([token])
        if not re.match(TOKEN_TEXT, token):
            raise ConfigurationError(f"The bearer token of {origin} holds a character that no token has, such as a space or a line end.")
        return token

    return renewed
