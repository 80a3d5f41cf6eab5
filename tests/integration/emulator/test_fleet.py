# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run over a fleet: what it says of each cluster, and that slices say the same."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet.clusters import EmulatedFleet
from integration.hidden import forms
from integration.playbooks import Playbooks, Run
from integration.surroundings import Surroundings

DRIFT = "quayside.openshift_images.drift"
MERGE = "quayside.openshift_images.drift_merge"
# "make soak" runs it with a hundred.
CLUSTERS = int(os.environ.get("QUAYSIDE_TEST_CLUSTERS", "20"))
LARGE = 100


@pytest.fixture(scope="module")
def fleet(given: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedFleet]:
    """Yield the clusters."""
    with EmulatedFleet(
        tmp_path_factory.mktemp("fleet"), given.registries["private"], CLUSTERS, given.repository("fleet")
    ) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports go."""
    return tmp_path_factory.mktemp("reports")


def files(folder: Path, name: str) -> dict[str, str]:
    return {f"drift_report_{kind}_file": str(folder / f"{name}.{kind}") for kind in ("json", "html")}


def compare(fleet: EmulatedFleet, folder: Path, name: str, *options: str) -> Run:
    """Every cluster is named by the inventory, and none by the environment."""
    return Playbooks(folder, {}).run(
        DRIFT, *fleet.vault_options, *options, variables=files(folder, name), inventory=fleet.inventory
    )


def clusters(folder: Path, name: str) -> dict[str, dict[str, t.Any]]:
    document = json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return {cluster["name"]: cluster for cluster in document["clusters"]}


@pytest.fixture(scope="module")
def whole(fleet: EmulatedFleet, folder: Path) -> Run:
    """One run over all of them."""
    return compare(fleet, folder, "whole", "--forks", "10")


def test_one_unreachable_and_one_forbidden_cluster_hold_nobody_up(
    fleet: EmulatedFleet, folder: Path, whole: Run
) -> None:
    expected = {
        **dict.fromkeys(fleet.names, "in_sync"),
        **dict.fromkeys(fleet.drifted(), "drift"),
        fleet.unreachable: "failed",
        fleet.forbidden: "failed",
    }
    found = clusters(folder, "whole")
    assert {name: cluster["verdict"] for name, cluster in found.items()} == expected, whole.output
    assert whole.exit_code == 2
    assert sorted(result.host for result in whole.results if result.outcome == "failed") == [
        fleet.unreachable,
        fleet.forbidden,
    ]
    assert "refused the connection" in found[fleet.unreachable]["failures"][0]["message"]
    assert "403 Forbidden" in found[fleet.forbidden]["failures"][0]["message"]
    for name in fleet.drifted():
        (change,) = found[name]["changes"]
        assert (change["name"], change["tag"]) == ("web", "v1")
        assert "import_mode_changed" in change["reasons"]


def test_the_page_shows_every_cluster_and_nothing_shows_a_credential(
    fleet: EmulatedFleet, folder: Path, whole: Run
) -> None:
    page = folder.joinpath("whole.html").read_text(encoding="utf-8")
    assert [name for name in fleet.names if name not in page] == []
    shown = {
        "page": page,
        "document": folder.joinpath("whole.json").read_text(encoding="utf-8"),
        "output": whole.output,
    }
    assert not {
        place
        for secret in fleet.credentials()
        for form in forms(secret)
        for place, text in shown.items()
        if form in text
    }


def test_four_slices_make_the_same_report(fleet: EmulatedFleet, folder: Path, whole: Run) -> None:
    # One of each kind, if it has to be quick.
    chosen = (
        fleet.names
        if CLUSTERS >= LARGE
        else sorted({fleet.unreachable, fleet.forbidden, fleet.drifted()[0], fleet.of_several_architectures()[0]})
    )
    for number in range(4):
        # In turn, as AWX cuts an inventory.
        compare(fleet, folder, f"slice-{number}", "--limit", ",".join(chosen[number::4]))
    variables = {
        **files(folder, "merged"),
        "drift_report_files": [str(folder / f"slice-{number}.json") for number in range(4)],
    }

    run = Playbooks(folder, {}).run(MERGE, variables=variables)

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    assert list(clusters(folder, "merged").values()) == [
        cluster for name, cluster in clusters(folder, "whole").items() if name in chosen
    ]


def test_the_constructed_groups_choose_clusters_and_what_is_declared_for_them(
    fleet: EmulatedFleet, folder: Path, whole: Run
) -> None:
    constructed = ("-i", str(fleet.inventory.with_name("constructed.yml")))

    compare(fleet, folder, "several", *constructed, "--limit", f"multiarch:!{fleet.unreachable}")

    # Those hold whole lists, so the tag that somebody changed elsewhere is the one that is right there.
    found = clusters(folder, "several")
    assert list(found) == fleet.of_several_architectures()
    assert all([change["tag"] for change in cluster["changes"]] == ["v1", "v2"] for cluster in found.values())
