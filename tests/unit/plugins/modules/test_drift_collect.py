# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action with modules that only answer; with real ones it is tested by the playbooks."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible_collections.quayside.openshift_images.plugins.action import drift_collect
from ansible_collections.quayside.openshift_images.plugins.modules import drift_collect as documented
from ansible_collections.quayside.openshift_images.tests.unit.plugins.documentation import documented_options

CHANGE = {"id": "0123456789abcdef", "kind": "tag", "namespace": "shop", "name": "web", "tag": "latest"}
FORMAT = '{"format": "quayside.openshift_images/drift", "clusters": %s}'
STREAMS = [{"namespace": "shop", "name": name} for name in ("web", "api", "worker")]


class Modules:
    """Stands for the modules: what each run was asked, and what it writes into its file."""

    def __init__(self, **answers: t.Any) -> None:
        self.asked: list[tuple[str, dict[str, t.Any], bool]] = []
        self.answers = {
            "written": {"drift": {"changes": []}, "to_approve": [CHANGE], "described": "1 change"},
            "told": {},
            **answers,
        }

    def __call__(self, action: t.Any, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        check = action._task.check_mode
        self.asked.append(
            (name.rpartition(".")[2], {key: value for key, value in options.items() if key != "result_file"}, check)
        )
        if self.answers.get("error"):
            raise self.answers["error"]
        if name.endswith("image_prune_risk_info"):
            return {"risks": [], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 0}, "more": 1}
        if self.answers["written"] is not None:
            Path(options["result_file"]).write_text(json.dumps(self.answers["written"]), encoding="utf-8")
        return {"changed": not check, "to_approve": [{**CHANGE, "tag": "la********"}], **self.answers["told"]}


def act(
    modules: Modules, tmp_path: Path, *, check_mode: bool = False, **options: t.Any
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Run the action; the answer is its result and the part of the report that it has written."""
    task = MagicMock(
        args={"path": str(tmp_path / "part.json"), "streams": STREAMS, **options},
        async_val=0,
        check_mode=check_mode,
        diff=False,
    )
    connection = MagicMock(transport="local")
    action = drift_collect.ActionModule(
        task, connection, MagicMock(become=False), MagicMock(), MagicMock(), MagicMock()
    )
    action._execute_module = lambda module_name, module_args, task_vars: modules(action, module_name, module_args)
    result = action.run(task_vars={"inventory_hostname": "harbour", "ansible_inventory_sources": ["clusters.yml"]})
    return result, json.loads((tmp_path / "part.json").read_text(encoding="utf-8"))


def test_the_documentation_names_every_option_of_the_action() -> None:
    options = documented_options(documented)

    assert {name: (option["type"], option.get("default")) for name, option in options.items()} == {
        name: (option["type"], option.get("default")) for name, option in drift_collect._SPEC.items()
    }


def test_streams_go_in_batches_and_secrets_with_the_first(tmp_path: Path) -> None:
    modules = Modules(
        written={
            "drift": {"changes": []},
            "to_approve": [],
            "pending_credentials": [{"namespace": "shop", "registries": ["r"]}],
        }
    )

    result, part = act(modules, tmp_path, secrets=["a"], batch_size=2, timeout=5, host="https://api")

    first, second = (options for _name, options, _check in modules.asked)
    assert (first["secrets"], first["streams"], first["timeout"], first["host"]) == (
        ["a"],
        STREAMS[:2],
        5,
        "https://api",
    )
    assert (second.get("secrets"), second["streams"]) == (None, STREAMS[2:])
    assert second["pending_credentials"] == [{"namespace": "shop", "registries": ["r"]}]
    assert [check for _name, _options, check in modules.asked] == [True, True]
    assert (result["changed"], len(part["compared"]), part["errors"], part["correction"]) == (False, 2, [], False)
    assert part["run"]["inventory"] == ["clusters.yml"]
    assert part["run"]["collection_version"] == drift_collect._version() != ""


def test_secrets_may_be_taken_over_alone(tmp_path: Path) -> None:
    """Each role has a variable of its own for that; what an entry says itself counts."""
    modules = Modules(written={"drift": {"changes": []}, "to_approve": []})
    secrets = [{"name": "a"}, {"name": "b", "take_over": True}, "odd"]

    act(modules, tmp_path, secrets=secrets, secrets_take_over=False, take_over=True, expires_within=24)

    (_name, options, _check) = modules.asked[0]
    assert options["secrets"] == [{"take_over": False, "name": "a"}, {"name": "b", "take_over": True}, "odd"]
    assert (options["take_over"], options["expires_within"]) == (True, 24)


@pytest.mark.parametrize(
    ("approved", "made"),
    [(None, [CHANGE]), ([CHANGE["id"]], [CHANGE]), (["f" * 16], [])],
)
def test_a_correction_names_what_was_shown_and_approved_as_it_is(
    tmp_path: Path, approved: list[str] | None, made: list[t.Any]
) -> None:
    """The tag's name comes from the file of results: in the result of the task it is hidden in part."""
    modules = Modules()
    options = {} if approved is None else {"approved_changes": approved}

    result, part = act(modules, tmp_path, correct=True, **options)

    corrections = [options for _name, options, check in modules.asked if not check]
    assert [one["approved"] for one in corrections] == ([made] if made else [])
    assert (part["correction"], part["approved"]) == (True, [one["id"] for one in made])
    assert (result["changed"], len(part["corrected"])) == (bool(made), len(made))


def test_check_mode_corrects_nothing(tmp_path: Path) -> None:
    modules = Modules()

    _result, part = act(modules, tmp_path, check_mode=True, correct=True)

    assert ([check for _name, _options, check in modules.asked], part["correction"]) == ([True], False)


def test_approvals_come_from_a_report_too(tmp_path: Path) -> None:
    report = tmp_path / "approved.json"
    clusters = [{"name": "harbour", "changes": [CHANGE]}, {"name": "lagoon", "changes": [{"id": "f" * 16}]}]
    report.write_text(json.dumps({"format": "quayside.openshift_images/drift", "clusters": clusters}), encoding="utf-8")

    _result, part = act(Modules(), tmp_path, correct=True, approved_file=str(report))

    assert part["approved"] == [CHANGE["id"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file"),
        ("{", "is no report on drift"),
        ('{"format": "another"}', "is no report on drift"),
        (FORMAT % '[{"name": "harbour", "changes": [{"id": "{{ 7 * 7 }}"}]}]', "in a way that no report does"),
        (FORMAT % "5", "is no report on drift"),
    ],
)
def test_a_file_of_approvals_that_cannot_be_used_stops_before_any_request(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    modules, report = Modules(), tmp_path / "approved.json"
    if content is not None:
        report.write_text(content, encoding="utf-8")

    _result, part = act(modules, tmp_path, correct=True, approved_file=str(report))

    assert modules.asked == []
    assert part["errors"][0].startswith("drift_report_approved_file: ")
    assert sentence in part["errors"][0]


def test_a_cluster_that_cannot_be_reached_is_a_result_and_no_failure(tmp_path: Path) -> None:
    modules = Modules(error=AnsibleConnectionFailure("the host is down"))

    result, part = act(modules, tmp_path, batch_size=1)

    assert not result.get("failed")
    assert "the host is down" in part["errors"][0]
    assert len(modules.asked) == 1


def test_what_a_module_says_that_has_no_result_is_kept(tmp_path: Path) -> None:
    _result, part = act(
        Modules(written=None, told={"failed": True, "msg": "the API server refused the connection"}), tmp_path
    )

    assert part["errors"] == ["the API server refused the connection"]


def test_prune_risks_are_asked_with_the_access_and_nothing_of_the_comparison(tmp_path: Path) -> None:
    modules = Modules()

    _result, part = act(
        modules,
        tmp_path,
        prune_risks={"namespaces": ["shop"]},
        host="https://api",
        timeout=5,
        results="changed",
        purge_tags=True,
    )

    (asked,) = (options for name, options, _check in modules.asked if name == "image_prune_risk_info")
    assert asked == {"namespaces": ["shop"], "host": "https://api", "concurrency": 8}
    assert part["prune_risks"] == {"risks": [], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 0}}


def test_wrong_variables_are_the_result_of_the_cluster(tmp_path: Path) -> None:
    modules = Modules()

    _result, part = act(modules, tmp_path, problems=["line 3 names no image"], batch_size=0)

    assert (modules.asked, part["errors"]) == (
        [],
        ["line 3 names no image", "drift_report_batch_size is 0: give a number from 1"],
    )


def test_options_of_another_form_and_a_folder_that_is_not_there_fail(tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="batch_size"):
        act(Modules(), tmp_path, batch_size="many")
    with pytest.raises(AnsibleActionFail, match="cannot be written: No such file"):
        act(Modules(), tmp_path, path=str(tmp_path / "lost" / "part.json"))
