# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Named tuples that cost little to define.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

``typing.NamedTuple`` compiles the annotation of every field, which nobody reads while a module runs. The values of a module have
hundreds of fields, so that this is a hundredth of its start.
"""

from __future__ import annotations

import typing as t
from collections import namedtuple

__all__ = ["NamedTuple"]

if t.TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Definition(type):
        """Makes of a class statement what ``typing.NamedTuple`` makes of it, and leaves the annotations as they are."""

        def __new__(cls, name, bases, namespace):
            fields = namespace["__annotations__"]
            made = namedtuple(name, fields, defaults=[namespace[field] for field in fields if field in namespace], module=namespace["__module__"])
            for attribute, value in namespace.items():
                if attribute not in fields:
                    setattr(made, attribute, value)
            return made

    NamedTuple = type.__new__(_Definition, "NamedTuple", (), {})
