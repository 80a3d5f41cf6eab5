# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module from files to files."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.modules import drift_report

from .test_image_stream_import import options_of

CHANGE = {
    "id": "0123456789abcdef",
    "kind": "link",
    "namespace": "shop",
    "name": "default",
    "tag": None,
    "reasons": ["link_missing"],
    "before": {"imagePullSecrets": []},
    "after": {"imagePullSecrets": ["registry"]},
}


def part(cluster: str, *changes: dict[str, t.Any]) -> dict[str, t.Any]:
    """The result of a cluster."""
    compared = {
        "host": f"https://{cluster}.example.com:6443",
        "secrets": [],
        "links": [],
        "streams": [],
        "changes": list(changes),
        "failures": [],
        "warnings": [],
        "counts": {"secrets": 0, "links": 1, "streams": 0, "tags": 0},
    }
    return {"format": "quayside.openshift_images/drift-part", "cluster": cluster, "upstream": True, "compared": [compared], "errors": []}


def write(folder: Path, name: str, content: t.Any) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_the_documentation_and_the_argument_spec_say_the_same() -> None:
    assert drift_report.argument_spec().to_kwargs()["argument_spec"] == options_of(yaml.safe_load(drift_report.DOCUMENTATION)["options"])


def test_results_of_clusters_become_one_document(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    write(tmp_path / "parts", "1", part("north", CHANGE))
    write(tmp_path / "parts", "2", part("east"))
    target = tmp_path / "drift.json"
    options = {"files": [str(tmp_path / "parts")], "clusters": ["north", "east", "west"], "json_file": str(target)}

    outcome = run_module_main(drift_report.main, options)

    document = json.loads(target.read_text())
    assert [(cluster["name"], cluster["verdict"]) for cluster in document["clusters"]] == [("east", "in_sync"), ("north", "drift"), ("west", "failed")]
    assert document["clusters"][2]["failures"][0]["message"] == "There is no result of this cluster: its part of the run ended early."
    assert document["summary"]["reasons"] == {"link_missing": 1}
    assert outcome.result["clusters"][1]["change_ids"] == [CHANGE["id"]]


def test_documents_become_one_and_nothing_is_lost(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    slices = []
    for number, cluster in enumerate(("north", "east")):
        source = write(tmp_path / "parts", cluster, part(cluster, CHANGE))
        slices.append(str(tmp_path / f"slice-{number}.json"))
        run_module_main(drift_report.main, {"files": [source], "json_file": slices[-1]})
    merged = tmp_path / "merged.json"

    run_module_main(drift_report.main, {"files": slices, "json_file": str(merged)})

    at_once = tmp_path / "at-once.json"
    run_module_main(drift_report.main, {"files": [str(tmp_path / "parts")], "json_file": str(at_once)})
    one, other = json.loads(merged.read_text()), json.loads(at_once.read_text())
    assert one["clusters"] == other["clusters"]
    assert one["summary"] == other["summary"]


def test_check_mode_writes_nothing(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    source = write(tmp_path, "north", part("north"))

    outcome = run_module_main(drift_report.main, {"files": [source], "json_file": str(tmp_path / "drift.json")}, check_mode=True)

    assert outcome.code == 0
    assert not (tmp_path / "drift.json").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "is no report on drift"),
        ('{"format": "quayside.openshift_images/drift", "format_version": 2}', "is of version 2; this release reads version 1"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, run_module_main: t.Callable[..., t.Any], content: str, sentence: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)

    outcome = run_module_main(drift_report.main, {"files": [str(path)], "json_file": str(tmp_path / "drift.json")})

    assert outcome.failed
    assert sentence in outcome.result["msg"]
    assert not (tmp_path / "drift.json").exists()
