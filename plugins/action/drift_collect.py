# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares one cluster and keeps the result for the report; see plugins/modules/drift_collect.py."""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
import typing as t
from functools import lru_cache
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.collect import (
    Collector,
    Declared,
    Json,
    NotReadable,
    approved_ids,
    new_part,
    write_part,
)

_COMPARE = "quayside.openshift_images.cluster_drift"
_PRUNE = "quayside.openshift_images.image_prune_risk_info"
_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "problems": {"type": "list", "elements": "str", "default": []},
    "batch_size": {"type": "int", "default": 50},
    "correct": {"type": "bool", "default": False},
    "approved_changes": {"type": "list", "elements": "str"},
    "approved_file": {"type": "str", "default": ""},
    "prune_risks": {"type": "dict"},
    "secrets": {"type": "list", "elements": "raw", "no_log": False},
    "secrets_take_over": {"type": "bool"},
    "cluster_pull_secret": {"type": "dict", "no_log": False},
    "streams": {"type": "list", "elements": "raw"},
    "upstream": {"type": "bool", "default": True},
    "platforms": {"type": "bool", "default": False},
    "concurrency": {"type": "int", "default": 8},
}
# These go to cluster_drift as they are, and are none of image_prune_risk_info's.
_OF_COMPARISON = frozenset(
    ("purge_tags", "purge_limit", "take_over", "expires_within", "wait_timeout", "timeout", "results")
)


class ActionModule(ActionBase):
    """Runs the modules for one cluster.

    No task has to compute with their results, in which Ansible hides parts of names.
    """

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Json:
        """Compare, correct if asked, and write the part of the report. What goes wrong is in the part."""
        super().run(tmp, task_vars)
        given = dict(self._task.args)
        checked = ArgumentSpecValidator(_SPEC).validate({name: given.pop(name) for name in _SPEC if name in given})
        if checked.error_messages:
            raise AnsibleActionFail("; ".join(checked.error_messages))
        own, variables = checked.validated_parameters, task_vars or {}
        cluster = str(variables["inventory_hostname"])
        inventory = [str(source) for source in variables.get("ansible_inventory_sources") or ()]
        part = new_part(cluster, upstream=own["upstream"], version=_version(), inventory=inventory)
        collector = Collector(
            lambda options, check: self._module(_COMPARE, {**common, **options}, check, variables),
            self._teller(cluster),
        )
        common = {
            **given,
            "upstream": own["upstream"],
            "platforms": own["platforms"] and own["upstream"],
            "concurrency": own["concurrency"],
        }
        problems, approved = self._problems(own, cluster)
        part["errors"] += problems
        if not problems:
            declared = Declared(
                _with_take_over(own["secrets"] or [], own["secrets_take_over"]),
                own["cluster_pull_secret"],
                own["streams"] or [],
                own["batch_size"],
            )
            shown = collector.compare(declared, part)
            if own["prune_risks"] is not None and part["compared"]:
                access = {name: value for name, value in given.items() if name not in _OF_COMPARISON}
                self._look_for_prune_risks(
                    {**access, **own["prune_risks"], "concurrency": own["concurrency"]}, part, variables
                )
            if own["correct"] and not self._task.check_mode:
                collector.correct(shown, approved, part)
        try:
            write_part(own["path"], part)
        except OSError as error:
            raise AnsibleActionFail(f"{own['path']} cannot be written: {error.strerror}") from error
        result: Json = {"changed": collector.changed, "path": own["path"], "warnings": collector.warnings}
        return {**result, "diff": collector.differences} if collector.differences else result

    def _problems(self, own: Json, cluster: str) -> tuple[list[str], list[str] | None]:
        """Return what is wrong with the variables, and the ids of the changes that may be made.

        Return None for all that will be shown.
        """
        problems = list(own["problems"])
        if own["batch_size"] < 1:
            problems.append(f"drift_report_batch_size is {own['batch_size']}: give a number from 1")
        if not own["correct"] or not own["approved_file"]:
            return problems, own["approved_changes"]
        try:
            return problems, approved_ids(own["approved_file"], cluster)
        except NotReadable as error:
            return [*problems, f"drift_report_approved_file: {error}"], []

    def _teller(self, cluster: str) -> t.Callable[[str], None]:
        return lambda text: self._display.display(f"{cluster}: {text}")

    def _look_for_prune_risks(self, options: Json, part: Json, variables: dict[str, t.Any]) -> None:
        found = self._execute(_PRUNE, options, check=True, diff=False, variables=variables)
        if "risks" in found:
            part["prune_risks"] = {name: found[name] for name in ("risks", "missing", "failed_namespaces", "summary")}
        if found.get("msg"):
            part["prune_errors"].append(str(found["msg"]))

    def _module(self, name: str, options: Json, check: bool, variables: dict[str, t.Any]) -> Json:
        """Run a module that writes its results into a file, and return them with their names as they are."""
        local = self._connection.transport == "local" and not self._play_context.become
        try:
            folder = tempfile.mkdtemp(prefix="drift-") if local else self._remote_folder()
        except AnsibleError as error:
            return {"msg": str(error)}
        path = os.path.join(folder, "results.json")
        try:
            answer = self._execute(
                name,
                {**options, "result_file": path},
                check=check,
                diff=not check and bool(self._task.diff),
                variables=variables,
            )
            return {**answer, **self._results(path, local=local, variables=variables)}
        finally:
            if local:
                Path(path).unlink(missing_ok=True)
                Path(folder).rmdir()

    def _remote_folder(self) -> str:
        """Return the folder that Ansible makes for a task where the module runs, and removes after it."""
        shell = self._connection._shell
        if shell.tmpdir is None:
            self._make_tmp_path()
        return str(shell.tmpdir)

    def _results(self, path: str, *, local: bool, variables: dict[str, t.Any]) -> Json:
        """Return what the module wrote. A task without any credential reads it, so that nothing of it is hidden."""
        try:
            if local:
                text = Path(path).read_bytes()
            else:
                text = base64.b64decode(
                    self._execute("ansible.legacy.slurp", {"src": path}, check=False, diff=False, variables=variables)[
                        "content"
                    ]
                )
            content = json.loads(text)
        except (OSError, KeyError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _execute(self, name: str, options: Json, *, check: bool, diff: bool, variables: dict[str, t.Any]) -> Json:
        """Run a module; what keeps it from running is told as its message, so that it holds up no other cluster."""
        task = self._task
        before = (task.check_mode, task.diff)
        task.check_mode, task.diff = check, diff
        try:
            return dict(self._execute_module(module_name=name, module_args=options, task_vars=variables))
        except AnsibleError as error:
            return {"msg": str(error)}
        finally:
            task.check_mode, task.diff = before


def _with_take_over(secrets: t.Sequence[t.Any], take_over: bool | None) -> list[t.Any]:
    """Return the secrets, each with what holds for all that say nothing else."""
    if take_over is None:
        return list(secrets)
    return [{"take_over": take_over, **one} if isinstance(one, dict) else one for one in secrets]


@lru_cache(maxsize=1)
def _version() -> str:
    """Return the version of this collection, of an installed one and of a checkout."""
    root = Path(__file__).resolve().parents[2]
    for name, pattern in (("MANIFEST.json", r'"version":\s*"([^"]+)"'), ("galaxy.yml", r"^version:\s*(\S+)")):
        try:
            found = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            continue
        if found:
            return found[1].strip("\"'")
    return ""
