# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How plugins/module_utils is laid out: packages on floors, imports that run down, and a short list of doors.

A door is an import inside of a function: it costs a module's start only when it is needed. Each one says why it is
there.
"""

from __future__ import annotations

import ast
import re
import typing as t
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
UTILS = ROOT / "plugins" / "module_utils"
# From the ground up: a package imports from floors below its own, and from itself.
FLOORS = (
    {"_core"},
    {"_http"},
    {"_cluster"},
    {"_credentials", "_workloads"},
    {"_registry", "_secret_link", "_prune", "_module"},
    {"_pull_secret", "_registry_access", "_import_engine"},
    {"_stream_tag", "_stream_refresh", "_samples", "_multiarch", "_drift"},
)
FLOOR_OF = {package: number for number, floor in enumerate(FLOORS) for package in floor}
MOST_DOORS = 20


def packages() -> dict[str, ast.Module]:
    """Return the files of module_utils by ``package/file``, parsed."""
    return {
        str(path.relative_to(UTILS).with_suffix("")): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(UTILS.rglob("*.py"))
    }


def imported(name: str, tree: ast.Module, known: set[str]) -> Iterator[str]:
    """Yield the files of module_utils that a file imports, wherever the import stands."""
    package = name.split("/")[0]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = [package] if node.level == 1 else []
        parts = [*base, *(node.module.split(".") if node.module else [])]
        for alias in node.names:
            for candidate in ("/".join(parts), "/".join([*parts, alias.name])):
                if candidate in known:
                    yield candidate


def imports() -> dict[str, set[str]]:
    trees = packages()
    return {name: set(imported(name, tree, set(trees))) - {name} for name, tree in trees.items()}


def inner_imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports inside of functions."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    yield node


def doors() -> dict[str, str]:
    """Each import inside of a function of the plugins, as ``file:line``, with its line."""
    found = {}
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in inner_imports(ast.parse(text)):
            found[f"{path.relative_to(ROOT)}:{node.lineno}"] = lines[node.lineno - 1]
    return found


def test_every_file_is_in_a_package_with_a_floor() -> None:
    assert sorted(name for name in packages() if name.split("/")[0] not in FLOOR_OF or name.count("/") != 1) == []


def test_no_import_runs_up() -> None:
    upward = [
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in sorted(others)
        if (here := name.split("/")[0]) != (there := other.split("/")[0]) and FLOOR_OF[there] >= FLOOR_OF[here]
    ]
    assert upward == []


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        order: t.Any = list(TopologicalSorter(imports()).static_order())
    except CycleError as exc:
        order = exc.args[1]
        raise AssertionError(f"a circle: {' -> '.join(order)}") from None
    assert len(order) > 70


def test_utilities_are_imported_relatively() -> None:
    absolute = [
        f"{name}:{node.lineno}"
        for name, tree in packages().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ansible_collections.quayside")
    ]
    assert absolute == []


def test_doors_are_few_and_each_says_why() -> None:
    found = doors()
    assert len(found) <= MOST_DOORS, "\n".join(found)
    assert [place for place, line in found.items() if not re.search(r"# noqa: PLC0415 - \w+", line)] == []


def test_only_http_imports_the_libraries_of_http() -> None:
    users = {
        name
        for name, tree in packages().items()
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Import)
            and any(alias.name.split(".")[0] in ("requests", "urllib3") for alias in node.names)
        )
        or (
            isinstance(node, ast.ImportFrom)
            and not node.level
            and (node.module or "").split(".")[0] in ("requests", "urllib3")
        )
    }
    assert {name.split("/")[0] for name in users} == {"_http"}


PRIVATE = re.compile(
    r"\b(?:urllib3|requests|http\.client|kubernetes)\._\w+|from (?:urllib3|requests|http|kubernetes)\S*\._\w+ import"
)


def test_no_private_part_of_a_library_and_no_trick_of_imports() -> None:
    tricks = ("sys.meta_path", "importlib.abc", "gc.freeze", "gc.set_threshold")
    for path in (ROOT / "plugins").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert PRIVATE.search(text) is None, path
        assert not any(trick in text for trick in tricks), path
