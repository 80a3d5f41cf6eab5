# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules, as they are documented and as the argument spec has them, in one form to be compared."""

from __future__ import annotations

import typing as t
from types import ModuleType

import yaml
from ansible_collections.quayside.openshift_images.plugins.doc_fragments._options import ModuleDocFragment

_FRAGMENTS = "quayside.openshift_images._options."
# What the argument spec says, and the documentation does not have as a field.
_UNDOCUMENTED = ("no_log", "mutually_exclusive", "required_together")
_FIELDS = ("type", "elements", "choices", "default", "required", "aliases")


def documented_options(module: ModuleType) -> dict[str, t.Any]:
    """Return the documented options of a module, those of its doc fragments too, but for those of cluster access."""
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, t.Any] = {}
    for name in documentation["extends_documentation_fragment"]:
        if name.startswith(_FRAGMENTS):
            text = getattr(ModuleDocFragment, name.removeprefix(_FRAGMENTS).upper())
            options.update(yaml.safe_load(text)["options"])
    return {**options, **documentation["options"]}


def documented_spec(module: ModuleType) -> dict[str, t.Any]:
    """Return what the argument spec of a module has to be, by its documentation."""
    return _spec_of(documented_options(module))


def _spec_of(documented: dict[str, t.Any]) -> dict[str, t.Any]:
    found = {}
    for name, option in documented.items():
        found[name] = {field: option[field] for field in _FIELDS if field in option}
        if "suboptions" in option:
            found[name]["options"] = _spec_of(option["suboptions"])
    return found


def argument_spec_of(module: ModuleType) -> dict[str, t.Any]:
    """Return the documented part of a module's argument spec, without the options of cluster access."""
    spec = module.argument_spec().to_kwargs()["argument_spec"]
    return _bare({name: spec[name] for name in documented_options(module)})


def _bare(options: dict[str, t.Any]) -> dict[str, t.Any]:
    found = {}
    for name, option in options.items():
        found[name] = {field: value for field, value in option.items() if field not in _UNDOCUMENTED}
        if "options" in option:
            found[name]["options"] = _bare(option["options"])
    return found
