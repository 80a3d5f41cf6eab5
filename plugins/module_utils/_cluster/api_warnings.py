# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The warnings that an API server sends with its answers. Imported only where it sends one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .._core.outward import excerpt

# characters
WARNING_LIMIT = 500
_WARNING = r'299 \S+ "((?:[^"\\]|\\.)*)"'


def warning_texts(headers: t.Iterable[str]) -> t.Iterator[str]:
    """The texts of ``Warning`` headers, bounded."""
    for header in headers:
        for quoted in re.findall(_WARNING, header):
            yield excerpt(re.sub(r"\\(.)", r"\1", quoted), WARNING_LIMIT)
