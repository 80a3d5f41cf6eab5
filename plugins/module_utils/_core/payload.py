# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of a module: its utilities come as source in Ansible's zip file, and each is compiled when it is imported.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

``zipimport`` compiles a file twice: once to find out whether it would come from source, so that it can name the file, and
once to run it. Compiling is the greatest part of what our imports cost, so the finder here names the file itself. The next
greatest is the garbage collector, which would look through all that was imported a dozen times. Before Python 3.10 a thread that
imports from a zip file is given what another one is still importing, so that there the finder brings a loader of its own.
"""

from __future__ import annotations

import gc
import sys
import typing as t
from importlib.machinery import ModuleSpec, PathFinder
from pkgutil import get_importer
from zipimport import ZipImportError, zipimporter

_UTILITIES = (__name__.rpartition(".")[0], "ansible.module_utils")
# objects; Python's own 700 is for programs that run on
_BEFORE_COLLECTING = 20_000


class _FinderInZip:
    """Finds the utilities, Ansible's and this collection's, where they lie in a zip file; leaves everything else to the
    usual finders. ``loader_of``: what loads from a place."""

    loader_of: t.ClassVar[t.Callable[[str], t.Any]] = get_importer

    @staticmethod
    def find_spec(name: str, path: t.Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        package, _dot, last = name.rpartition(".")
        if not package.startswith(_UTILITIES):
            return None
        for place in path or ():
            importer = get_importer(place)
            if isinstance(importer, zipimporter) and _is_file(importer, name):
                spec = ModuleSpec(name, _FinderInZip.loader_of(place), origin=f"{place}/{last}.py")
                spec.has_location = True
                return spec
        return None


def _is_file(importer: zipimporter, name: str) -> bool:
    try:
        return not importer.is_package(name)
    except ZipImportError:
        return False


def compile_once() -> None:
    """Let the imports after this call be cheap ones. Where the utilities are not in a zip file nothing changes."""
    if _FinderInZip not in sys.meta_path and PathFinder in sys.meta_path:
        if sys.version_info < (3, 10):
            from ansible_collections.quayside.openshift_images.plugins.module_utils._core.zip_loader import ZipLoader

            _FinderInZip.loader_of = ZipLoader
        # Right before the finder whose work it does: those that somebody put first stay first.
        sys.meta_path.insert(sys.meta_path.index(PathFinder), _FinderInZip)


def spare_collector() -> None:
    """Keep the garbage collector from looking, again and again, at what is there now: Ansible's and our code, which stays
    until the process ends. It goes on with what comes later, in greater portions. Only for a process of a module's own."""
    if isinstance(globals().get("__loader__"), zipimporter):
        gc.freeze()
        gc.set_threshold(_BEFORE_COLLECTING)
