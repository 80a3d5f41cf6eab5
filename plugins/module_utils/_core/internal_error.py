# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mistake in the module, met at one of many items. Imported only where there is one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .errors import CollectionError


class InternalError(CollectionError):
    """A mistake in the module, met at one of many items: the others have results of their own."""


def internal_error(exc: Exception) -> InternalError:
    """Return the error for an exception that nobody expected; its own message stays out, since it can hold any value."""
    place = exc.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}" if place is not None else "an unknown place"
    return InternalError(
        f"Internal error of the module ({type(exc).__name__} at {where}), nothing more is known about what was done to this one; please report it"
    )
