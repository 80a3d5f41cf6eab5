# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports from a zip file that several threads may make at once, for Python before 3.10.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType
from zipimport import zipimporter


class ZipLoader(zipimporter):
    """Loads in the two steps that ``zipimporter`` has since 3.10: importlib keeps other threads waiting for the second."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to importlib."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        exec(self.get_code(module.__name__), module.__dict__)
