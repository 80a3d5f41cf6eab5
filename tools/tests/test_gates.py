# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which gates run for a name, and with which variables of the person who started them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import ROOT, Refused
from tools.environment import MATRIX
from tools.gates import (
    BEFORE_A_RELEASE,
    BETWEEN,
    CLUSTER,
    GROUPS,
    HOSTILE,
    MAIN_JOB,
    NEXT,
    UNIT_IN_PART,
    all_gates,
    environment,
    main,
    select,
)
from tools.tree import collection_files

WORK = Path("/tree/ansible_collections/quayside/openshift_images")


def names(*wanted: str) -> list[str]:
    return [gate.name for gate in select(wanted, all_gates(WORK))]


def test_a_group_is_all_its_gates() -> None:
    assert names("lint") == list(GROUPS["lint"])


def test_a_gate_brings_what_it_waits_for() -> None:
    assert names("galaxy-importer") == ["artifact", "galaxy-importer"]


def test_everything_leaves_out_only_what_needs_a_cluster_or_is_for_releases() -> None:
    every = {gate.name for gate in all_gates(WORK)}

    assert set(names("everything")) == every - {"test-cluster"} - BEFORE_A_RELEASE


def test_every_test_of_the_project_belongs_to_a_gate() -> None:
    tested = {
        Path(word)
        for gate in select(["test"], all_gates(WORK))
        for word in gate.command
        if word.startswith(("tests/", "tools/"))
    }

    files = {file for file in collection_files() if file.match("test_*.py")}
    assert files
    assert {file for file in files if not tested & set(file.parents)} == set()


def test_every_ansible_core_from_the_oldest_to_the_newest_is_tested_and_only_the_next_one_may_fail() -> None:
    minors = sorted(
        int(found[1])
        for words, _pythons in MATRIX.values()
        for word in words
        if (found := re.match(r"ansible-core~=2\.(\d+)\.0", word))
    )
    matrix = select(["test-matrix"], all_gates(WORK))

    assert minors == list(range(minors[0], minors[-1] + 1))
    cores = [
        name for name, (words, _pythons) in MATRIX.items() if any(word.startswith("ansible-core") for word in words)
    ]
    assert {gate.name for gate in matrix} == {
        f"{kind}-{core}" for core in cores for kind in ("environment", "sanity", "unit", "main-job")
    } | {"hostile-oldest", "hostile-newest"}
    assert {gate.name for gate in matrix if not gate.required} == {
        f"{kind}-next" for kind in ("environment", "sanity", "unit", "main-job")
    }


def test_the_makefile_knows_every_core_of_the_matrix() -> None:
    cores = re.search(r"^CORES := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert cores
    assert sorted(cores[1].split()) == sorted(["oldest", *BETWEEN, "newest", NEXT])


def test_what_a_core_in_between_runs_is_there() -> None:
    assert [name for name in (*UNIT_IN_PART, MAIN_JOB, *HOSTILE) if not (ROOT / name).exists()] == []


def test_the_long_forms_try_hostile_text_on_the_cores_that_everything_leaves_out() -> None:
    assert {name for name in names("soak") if name.startswith("hostile")} == {"hostile-core-2.18", "hostile-core-2.19"}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Refused, match="There is no gate typo"):
        names("typo")


def test_variables_that_would_change_a_result_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("K8S_AUTH_HOST", "ANSIBLE_STDOUT_CALLBACK", *CLUSTER):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    variables = environment(Path("/venv/bin"), WORK)

    assert "mine" not in variables.values()
    assert variables["HTTPS_PROXY"] == "http://127.0.0.1:1"
    assert variables["ANSIBLE_COLLECTIONS_PATH"] == "/tree"
    assert variables["PATH"].startswith("/venv/bin:")


def test_a_cluster_that_is_not_named_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CLUSTER:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", "/some/file")

    with pytest.raises(Refused, match="TEST_REGISTRY_PRIVATE") as refusal:
        main(["test-cluster"])
    assert "KUBECONFIG" not in str(refusal.value)
