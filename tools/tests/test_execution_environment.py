# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused of an execution environment."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools import ROOT, Refused
from tools.execution_environment import (
    CONTEXT,
    DEFINITION,
    NAME,
    check_context,
    check_core,
    check_needs,
    introspected,
    supported_core,
)


@pytest.fixture
def stated(tmp_path: Path) -> Path:
    path = tmp_path / "ee-requirements.txt"
    path.write_text("# what is needed\n\nrequests>=2.28\n")
    return path


def test_what_is_stated_and_pure_python_is_taken(stated: Path) -> None:
    check_needs({"python": ["requests>=2.28"], "system": []}, stated)


@pytest.mark.parametrize(
    "found",
    [
        {"python": ["requests>=2.28", "kubernetes"], "system": []},
        {"python": [], "system": []},
        {"python": ["requests>=2.28"], "system": ["git"]},
    ],
)
def test_anything_else_is_refused(found: dict[str, list[str]], stated: Path) -> None:
    with pytest.raises(Refused, match="ansible-builder reads"):
        check_needs(found, stated)


def test_compiled_code_is_refused(stated: Path) -> None:
    stated.write_text("cryptography>=42\n")

    with pytest.raises(Refused, match="cryptography is not pure Python"):
        check_needs({"python": ["cryptography>=42"], "system": []}, stated)


def test_a_collection_is_read_as_ansible_builder_reads_it(tmp_path: Path) -> None:
    meta = tmp_path / "ansible_collections" / "some" / "thing" / "meta"
    meta.mkdir(parents=True)
    meta.joinpath("execution-environment.yml").write_text(
        "version: 1\ndependencies: {python: needs.txt, system: bindep.txt}\n"
    )
    meta.parent.joinpath("galaxy.yml").write_text("namespace: some\nname: thing\n")
    meta.parent.joinpath("needs.txt").write_text("requests>=2\n")
    meta.parent.joinpath("bindep.txt").write_text("git\n")

    assert introspected(tmp_path) == {"python": ["requests>=2"], "system": ["git"]}


def test_an_image_without_the_collection_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("_build").mkdir()
    tmp_path.joinpath("_build", "requirements.yml").write_text(yaml.safe_dump({"collections": [{"name": NAME}]}))
    tmp_path.joinpath("Containerfile").write_text("RUN ansible-galaxy collection install -r requirements.yml\n")
    check_context(tmp_path)
    tmp_path.joinpath("_build", "requirements.yml").write_text(
        yaml.safe_dump({"collections": [{"name": "some.thing"}]})
    )

    with pytest.raises(Refused, match="would not hold"):
        check_context(tmp_path)


def test_the_definition_is_where_the_gate_looks_for_it() -> None:
    assert (ROOT / DEFINITION).is_file()
    assert ROOT in CONTEXT.parents


def test_the_example_takes_the_ansible_core_that_the_matrix_tests() -> None:
    check_core(ROOT / DEFINITION, supported_core())


def test_an_example_that_stops_short_of_the_matrix_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"takes ansible-core>=2.16,<2.22, and the tests run with ansible-core>=2.16,<2.23"
    ):
        check_core(ROOT / DEFINITION, "ansible-core>=2.16,<2.23")
