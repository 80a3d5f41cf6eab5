# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of the collection, and which of their options take a credential: found in their argument specs."""

from __future__ import annotations

import importlib
import re
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import CLUSTER_OPTIONS

ROOT = Path(__file__).resolve().parents[2]
# Those that run as modules: the others are the documentation of an action, and take no credential.
MODULES = sorted(
    path.stem
    for path in (ROOT / "plugins" / "modules").glob("*.py")
    if not (ROOT / "plugins" / "action" / path.name).exists()
)
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
_PACKAGE = "ansible_collections.quayside.openshift_images.plugins.modules"
_SUSPECT = re.compile(r"(?i)pass|secret|token|key|auth|cred")

Path_ = tuple[str, ...]
Options = Mapping[str, t.Any]


def load(module: str) -> t.Any:
    """Return the Python module of an Ansible module."""
    return importlib.import_module(f"{_PACKAGE}.{module}")


def options_of(module: str) -> Options:
    """Its argument spec."""
    return t.cast("Options", load(module).argument_spec().options)


def walk(options: Options, prefix: Path_ = ()) -> Iterator[tuple[Path_, Options]]:
    """Every option, those inside of others too, by its path."""
    for name, definition in options.items():
        yield (*prefix, name), definition
        yield from walk(definition.get("options") or {}, (*prefix, name))


def hidden(options: Options) -> set[Path_]:
    """Return the options that are marked as credentials."""
    return {path for path, definition in walk(options) if definition.get("no_log")}


def shown_although_suspect(options: Options, prefix: str = "") -> set[Path_]:
    """Options with the name of a credential, whatever the ``prefix`` of all names says, that are not marked as one."""
    return {
        path
        for path, definition in walk(options)
        if _SUSPECT.search(path[-1].removeprefix(prefix)) and not definition.get("no_log")
    }


CLUSTER_SECRETS = hidden(CLUSTER_OPTIONS)
