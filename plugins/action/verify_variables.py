# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of roles before anything is done; see plugins/modules/verify_variables.py."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleUndefinedVariable
from ansible.plugins.action import ActionBase
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import OutwardWall, excerpt
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._variables import (
    ASKED_FOR_BY,
    asked_for,
    documented_by,
    options_of,
    renamed_variables,
    survey_problems,
    unknown_variables,
    value_problems,
)

_MISSING = re.compile(r"'([^']{1,200})' is undefined|has no attribute '([^']{1,200})'")
_SPEC: dict[str, t.Any] = {
    "roles": {"type": "list", "elements": "str", "default": []},
    "playbook": {"type": "str"},
    "problems": {"type": "list", "elements": "str", "default": []},
    "values": {"type": "bool", "default": True},
    "run_tags": {"type": "list", "elements": "str", "default": ["all"]},
    "skip_tags": {"type": "list", "elements": "str", "default": []},
}
_WALL = OutwardWall(())
_EVERY_TAG = ("all", "tagged", "always")


class ActionModule(ActionBase):
    """Looks at the variables as they were given, in Ansible's own process: it sees which are given, and what is
    undefined inside."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Fail with one line for each thing that is wrong, and warn of each variable that has no effect."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, wanted = self.validate_argument_spec(_SPEC)
        given = task_vars or {}
        problems = [*wanted["problems"], *renamed_variables(given)]
        values: dict[str, t.Any] = {}
        if wanted["playbook"]:
            names = documented_by(wanted["playbook"])
            problems += self._evaluate(names, given, values)
            problems += value_problems({name: {"type": "raw"} for name in names}, values)
        for role in wanted["roles"]:
            options = options_of(role)
            problems += self._evaluate(options, given, values)
            if wanted["values"]:
                problems += value_problems(options, values) or survey_problems(role, options, values)
        result.update(changed=False, warnings=[_WALL.text(warning) for warning in unknown_variables(given)])
        # Each is one line: a survey may have brought text that would begin others.
        problems = list(dict.fromkeys(map(_WALL.text, problems)))
        if problems:
            return {**result, "failed": True, "msg": "\n".join(problems)}
        chosen = [role for role in wanted["roles"] if role in ASKED_FOR_BY and _is_chosen(role, wanted)]
        return {**result, "roles": asked_for(chosen, values)}

    def _evaluate(self, names: t.Iterable[str], given: t.Mapping[str, t.Any], values: dict[str, t.Any]) -> list[str]:
        """Put the values of those that are given into ``values``.

        Return a message for each that is undefined, or has such a one inside.
        """
        problems = []
        for name in names:
            if name in given:
                try:
                    values[name] = self._evaluated(given[name])
                except AnsibleUndefinedVariable as error:
                    problems.append(f"{self._place_of(name, given[name])}: {_undefined(error)}")
        return problems

    def _evaluated(self, raw: t.Any) -> t.Any:
        """Return the value, whole: newer releases evaluate what is inside when it is looked at."""
        return _plain(self._templar.template(raw))

    def _place_of(self, where: str, raw: t.Any) -> str:
        """Return where inside a variable something is undefined, as the variable was written."""
        inner: t.Iterable[tuple[str, t.Any]] = ()
        if isinstance(raw, t.Mapping):
            inner = ((f"{where}.{excerpt(str(key), 60)}", value) for key, value in raw.items())
        elif isinstance(raw, (list, tuple)):
            inner = ((f"{where}[{position}]", value) for position, value in enumerate(raw))
        for place, value in inner:
            try:
                self._evaluated(value)
            except AnsibleUndefinedVariable:
                return self._place_of(place, value)
        return where


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _undefined(error: AnsibleUndefinedVariable) -> str:
    """Return what is undefined. The whole error would show the variable, which may hold passwords."""
    found = [name or attribute for name, attribute in _MISSING.findall(str(error))]
    return f"'{excerpt(found[-1], 60)}' is undefined" if found else "a variable inside is undefined"


def _is_chosen(role: str, wanted: t.Mapping[str, t.Any]) -> bool:
    run, skip = wanted["run_tags"], wanted["skip_tags"]
    return role not in skip and (role in run or any(tag in run for tag in _EVERY_TAG))
