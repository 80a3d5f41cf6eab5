# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What belongs together in the collection is there: nobody has to remember it."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.doc_fragments._guides import ModuleDocFragment

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
ATTRIBUTES = "quayside.openshift_images._attributes"
GUIDES = "quayside.openshift_images._guides."
TARGETS = ROOT / "tests" / "integration" / "targets"
# Has no cluster to reach.
WITHOUT_CLUSTER = {"drift_report", "drift_result", "verify_variables"}


def load(*parts: str) -> t.Any:
    return yaml.safe_load((ROOT.joinpath(*parts)).read_text(encoding="utf-8"))


def documentation(module: str, part: str = "DOCUMENTATION") -> dict[str, t.Any]:
    """Return the literal of a module's DOCUMENTATION, or of another part, as YAML."""
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    (text,) = [
        ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == part
    ]
    return yaml.safe_load(text)


def test_action_group_has_every_module_and_nothing_else() -> None:
    entries = load("meta", "runtime.yml")["action_groups"]["openshift"]

    assert sorted(entry for entry in entries if isinstance(entry, str)) == sorted(set(MODULES) - WITHOUT_CLUSTER)


def test_no_sanity_finding_is_ignored() -> None:
    assert list((ROOT / "tests" / "sanity").glob("ignore*")) == []


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_unit_test(module: str) -> None:
    assert (ROOT / "tests" / "unit" / "plugins" / "modules" / f"test_{module}.py").is_file()


@pytest.mark.parametrize("name", [*MODULES, *ROLES])
def test_module_and_role_has_an_integration_target(name: str) -> None:
    assert (TARGETS / name).is_dir()


@pytest.mark.parametrize("module", MODULES)
def test_module_documents_its_attributes(module: str) -> None:
    documented = documentation(module)

    fragments = documented["extends_documentation_fragment"]
    supported = {name: value.get("support") for name, value in documented.get("attributes", {}).items()}
    if module.endswith("_info"):
        assert f"{ATTRIBUTES}.info_module" in fragments
    else:
        assert {"check_mode", "diff_mode", "idempotent"} <= set(supported)
    assert set(supported.values()) <= {"full", "partial", "none", "N/A"}
    assert (f"{ATTRIBUTES}.actiongroup_openshift" in fragments) == (module not in WITHOUT_CLUSTER)
    assert documented["version_added"]


def without_sample(values: dict[str, t.Any], prefix: str = "") -> t.Iterator[str]:
    """Yield the return values, those within others too, of which no sample is shown."""
    for name, value in values.items():
        if value.get("contains"):
            yield from without_sample(value["contains"], f"{prefix}{name}.")
        elif "sample" not in value:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("module", MODULES)
def test_every_return_value_of_a_module_has_a_sample(module: str) -> None:
    assert list(without_sample(documentation(module, "RETURN"))) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_leads_to_a_guide(module: str) -> None:
    documented = documentation(module)
    named = [*documented["seealso"]]
    for fragment in documented["extends_documentation_fragment"]:
        if fragment.startswith(GUIDES):
            named += yaml.safe_load(getattr(ModuleDocFragment, fragment.removeprefix(GUIDES).upper()))["seealso"]
    guides = [entry["link"].rpartition("/docs/")[2] for entry in named if "link" in entry]

    assert guides
    assert [name for name in guides if not (ROOT / "docs" / name).is_file()] == []


@pytest.mark.parametrize("role", ROLES)
def test_role_says_what_it_is_for(role: str) -> None:
    assert (ROOT / "roles" / role / "README.md").is_file()


@pytest.mark.parametrize("role", ROLES)
def test_role_variables_are_specified_and_carry_its_name(role: str) -> None:
    specified = load("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = load("roles", role, "defaults", "main.yml") or {}

    assert specified
    assert [name for name in specified if not name.startswith(f"{role}_")] == []
    assert set(defaults) <= set(specified)
