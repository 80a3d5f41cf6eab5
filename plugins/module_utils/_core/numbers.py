# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers: how small an option may be, and how seconds are written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .errors import InputError


def check_numbers(params: t.Mapping[str, t.Any], **least: int) -> None:
    """Raise ``InputError`` for the first option that is smaller than its least value.

    One that was left out is not looked at.
    """
    for option, smallest in least.items():
        if params[option] is not None and params[option] < smallest:
            raise InputError(f"{option} is {params[option]}: give a number from {smallest}")


def seconds(number: float) -> str:
    """Return a time in words: ``1 second``, ``0.5 seconds``."""
    return f"{number:g} second{'' if number == 1 else 's'}"
