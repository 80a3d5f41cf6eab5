# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of marks in docs/owners.md is what the code does: each mark has a source, is recognised, and a test on an
owner that reconciles."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._core import owners
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.owners import Owner, owner_of

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "owners.md"
SCENES = ROOT / "tests" / "integration" / "emulator" / "test_owners.py"
# A label or an annotation, and the only value that counts.
KEY = re.compile(r'`([a-z0-9.-]+/[a-z-]+|olm\.owner)(?:: "(\w+)")?`')
KEYS = {
    owners._ARGO_CD,
    *(f"{group}/name" for group, _kind in owners._FLUX),
    owners._EXTERNAL_SECRETS,
    owners._SEALED_SECRETS,
    owners._SAMPLES,
    owners._HELM,
    owners._OLM,
    owners._INSTANCE,
}


class Row(t.NamedTuple):
    """A line of the table."""

    owner: str
    mark: str
    happens: str

    @property
    def kind(self) -> str:
        """A kind that the mark is for."""
        return "ImageStream" if "of an image stream" in self.mark else "Secret"


def rows() -> list[Row]:
    """Return the lines of the table without its head."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    found = [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]
    return [row for row in found if row.owner not in ("owner", "---")]


ROWS = rows()
# The hosting cluster leaves no mark: the names of its copies tell, and the role cluster_pull_secret has the tests.
MARKS = [
    (row, key, value) for row in ROWS if re.search("annotation|label", row.mark) for key, value in KEY.findall(row.mark)
]


def found(row: Row, key: str, value: str) -> Owner | None:
    """Who is recognised by this mark alone."""
    if key == owners._ARGO_CD:
        value = value or f"shop:/{row.kind}:shop/pull"
    where = "annotations" if re.search(rf"annotation `{re.escape(key)}", row.mark) else "labels"
    return owner_of(row.kind, {"namespace": "shop", "name": "pull", where: {key: value or "it"}})


def test_the_page_names_every_mark_that_the_code_knows_and_no_other() -> None:
    assert {key for _row, key, _value in MARKS} == KEYS
    assert [row.owner for row in ROWS if "metadata.ownerReferences" in row.mark] == ["any controller"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.owner)
def test_each_mark_has_a_source(row: Row) -> None:
    assert re.search(r"\[[^]]+\]\((?:https://[^)]+|[a-z-]+\.md(?:#[\w-]+)?)\)", row.mark)
    assert row.happens in ("refused", "a warning")


@pytest.mark.parametrize(("row", "key", "value"), MARKS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_mark_does_what_the_page_says(row: Row, key: str, value: str) -> None:
    owner = found(row, key, value)
    assert owner is not None
    assert owner.reconciles is (row.happens == "refused")
    if value:
        assert found(row, key, "false") is None


def test_a_controller_does_what_the_page_says() -> None:
    (row,) = [row for row in ROWS if "ownerReferences" in row.mark]
    reference = {"apiVersion": "example.com/v1", "kind": "Team", "name": "it", "controller": True}
    owner = owner_of("Secret", {"ownerReferences": [reference]})
    assert owner is not None
    assert owner.reconciles is (row.happens == "refused")
    assert owner_of("Secret", {"ownerReferences": [{**reference, "controller": False}]}) is None


def test_each_mark_that_fights_is_tried_with_an_owner_that_reconciles() -> None:
    text = SCENES.read_text(encoding="utf-8")
    assert [key for row, key, _value in MARKS if row.happens == "refused" and f'"{key}"' not in text] == []
    assert "ownerReferences" in text


def tasks_of(content: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """All tasks, those in blocks and plays too."""
    for item in content if isinstance(content, list) else ():
        yield item
        for part in ("tasks", "block", "rescue", "always"):
            yield from tasks_of(item.get(part))


def writers() -> t.Iterator[tuple[Path, str, dict[str, t.Any]]]:
    """Yield the tasks of roles and playbooks that write kinds which others own: the file, the prefix of its variables,
    and the options."""
    for path in (*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml")):
        prefix = path.parents[1].name if path.parent.name == "tasks" else path.stem
        for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
            for module in TAKING_OVER & set(task):
                if task.get("check_mode") is not True:
                    yield path, prefix, task[module]


MODULES = {path.stem: path for path in ROOT.glob("plugins/modules/*.py")}
TAKING_OVER = {
    f"quayside.openshift_images.{name}"
    for name, path in MODULES.items()
    if "\n  take_over:\n" in path.read_text(encoding="utf-8")
}


def test_every_role_and_playbook_that_writes_what_others_own_has_a_variable_for_it() -> None:
    assert {"pull_secret", "sa_secret_link", "image_stream_import", "image_stream_tag", "cluster_drift"} == {
        name.rpartition(".")[2] for name in TAKING_OVER
    }
    found = list(writers())
    assert len(found) >= 6
    for path, prefix, options in found:
        assert f"{prefix}_take_over" in str(options.get("take_over")), path
        if path.parent.name == "tasks":
            specs = yaml.safe_load((path.parents[1] / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
            assert specs["argument_specs"]["main"]["options"][f"{prefix}_take_over"]["type"] == "bool", path
        else:
            assert f"#   {prefix}_take_over " in path.read_text(encoding="utf-8"), path
    # These write through another role, or an action of their own.
    for place, name in (
        ("roles/drift_report/tasks/main.yml", "drift_report_take_over"),
        ("playbooks/migrate_to_multiarch.yml", "migrate_to_multiarch_take_over"),
    ):
        assert f"{name} | default" in (ROOT / place).read_text(encoding="utf-8")
