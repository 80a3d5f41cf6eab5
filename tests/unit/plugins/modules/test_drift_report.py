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

TEMPLATE = Path(__file__).resolve().parents[4] / "roles" / "drift_report" / "templates" / "drift.html.j2"
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
        "held_back": [],
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


def change(number: int, **fields: t.Any) -> dict[str, t.Any]:
    """A change of a tag."""
    return {**CHANGE, "id": f"{number:016x}", "kind": "tag", "name": "web", "tag": f"v{number}", "reasons": ["upstream_moved"], **fields}


def test_what_became_of_each_change_is_told(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    changes = [change(number) for number in range(5)]
    failure = {**change(1), "from": "registry.example.com/team/web:v1", "reason": "NotFound", "message": "not found", "remedy": "check the pull spec"}
    result = part("north", *changes)
    (found,) = result["compared"]
    correction = {**found, "changes": [changes[0], changes[1]], "failures": [failure], "held_back": [changes[2]]}
    source = write(
        tmp_path, "north", {**result, "correction": True, "approved": [one["id"] for one in changes[:4]], "corrected": [correction]}
    )
    target = tmp_path / "drift.json"

    outcome = run_module_main(drift_report.main, {"files": [source], "json_file": str(target)})

    (cluster,) = json.loads(target.read_text())["clusters"]
    assert [(one["outcome"], one["error"]) for one in cluster["changes"]] == [
        ("done", None),
        ("failed", "not found"),
        ("changed_meanwhile", "upstream_moved"),
        ("not_needed", None),
        ("not_approved", None),
    ]
    assert (cluster["verdict"], cluster["counts"]["corrected"], cluster["counts"]["left"]) == ("partly_corrected", 1, 3)
    (told,) = outcome.result["clusters"]
    assert told["change_ids"] == [changes[number]["id"] for number in (1, 2, 4)]
    assert told["findings"] == {
        "failures": "north: tag shop/web:v1: not found - check the pull spec",
        "drift": "north: 5 changes (upstream_moved 5), 1 failure, 1 corrected, 3 left.",
        "prune_risks": None,
    }
    assert outcome.result["lines"][-1] == "1 cluster (partly_corrected 1): 5 changes (upstream_moved 5), 1 failure, 1 corrected, 3 left"


@pytest.mark.parametrize(
    ("changed", "corrected", "failed", "verdict"),
    [
        (False, False, False, "in_sync"),
        (True, False, False, "drift"),
        (True, False, True, "drift"),
        (False, False, True, "failed"),
        (True, True, False, "corrected"),
        (True, True, True, "partly_corrected"),
    ],
)
def test_the_verdict(tmp_path: Path, run_module_main: t.Callable[..., t.Any], changed: bool, corrected: bool, failed: bool, verdict: str) -> None:
    changes = [change(1)] if changed else []
    result = part("north", *changes)
    result["errors"] = ["the server said no"] if failed else []
    if corrected:
        result.update(correction=True, approved=[one["id"] for one in changes], corrected=[{**result["compared"][0]}])

    outcome = run_module_main(drift_report.main, {"files": [write(tmp_path, "north", result)]})

    assert outcome.result["clusters"][0]["verdict"] == verdict


def test_a_page_of_a_large_fleet_lists_what_matters(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    tags = [
        {"name": f"v{number}", "from": "registry.example.com/team/web", "error": None, "reasons": [], "digest": None, "import_mode": None}
        | {"reference_policy": "Source", "scheduled": False, "insecure": False, "changed": number == 1}
        for number in range(4)
    ]
    stream = {"namespace": "shop", "name": "web", "tags": tags, "error": None}
    result = part("north", change(1))
    result["compared"][0].update(streams=[stream], counts={"secrets": 0, "links": 0, "streams": 1, "tags": 4})
    page = tmp_path / "drift.html"
    options = {"files": [write(tmp_path, "north", result)], "html_file": str(page), "template": str(TEMPLATE)}

    run_module_main(drift_report.main, {**options, "most_tags": 3})

    text = page.read_text(encoding="utf-8")
    assert "3 tags as declared are not listed here." in text
    assert [f"shop/web:v{number}</span>" in text for number in range(4)] == [False, True, False, False]

    run_module_main(drift_report.main, options)

    text = page.read_text(encoding="utf-8")
    assert "not listed here" not in text
    assert [f"shop/web:v{number}</span>" in text for number in range(4)] == [True, True, True, True]


def page_of(tmp_path: Path, run_module_main: t.Callable[..., t.Any], *parts: dict[str, t.Any]) -> str:
    """The page for these results of clusters."""
    files = [write(tmp_path, f"part-{number}", content) for number, content in enumerate(parts)]
    target = tmp_path / "drift.html"
    outcome = run_module_main(drift_report.main, {"files": files, "html_file": str(target), "template": str(TEMPLATE)})
    assert outcome.code == 0, outcome.result
    return target.read_text(encoding="utf-8")


def test_columns_that_say_nothing_of_any_cluster_are_left_out(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    plain, corrected = part("north", change(1)), {**part("south", change(1)), "correction": True}
    risky = {**part("west"), "prune_risks": {"risks": [], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 0}}}

    shown = {name: page_of(tmp_path, run_module_main, plain, *others) for name, others in (("plain", []), ("all", [corrected, risky]))}

    headings = {name: [word for word in ("Left", "Prune risks") if f"data-numbers>{word}</th>" in text] for name, text in shown.items()}
    assert headings == {"plain": [], "all": ["Left", "Prune risks"]}


def test_only_what_there_is_was_compared(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    counted = {"one": {"secrets": 2, "links": 1, "streams": 1, "tags": 3}, "two": {"secrets": 0, "links": 2, "streams": 0, "tags": 0}, "three": {}}
    parts = []
    for name, counts in counted.items():
        parts.append({**part(name), "correction": True})
        parts[-1]["compared"][0]["counts"] = {**dict.fromkeys(("secrets", "links", "streams", "tags"), 0), **counts}

    text = page_of(tmp_path, run_module_main, *parts)

    assert "Compared: 1 image stream with 3 tags, 2 pull secrets and 1 link, and what the registries serve now." in text
    assert "Compared: 2 links." in text
    assert "0 corrected" not in text
    assert "Nothing is declared for this cluster." in text
    assert "0 changes, 0 failures, in 1 image stream with 3 tags, 2 pull secrets and 3 links." in text


def test_the_matrix_has_no_row_for_a_tag_of_which_no_platform_is_known(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    result = part("north")
    known = {"known": {"offered": ["linux/amd64"], "taken": [], "single": False}, "unknown": {"offered": None, "taken": [], "single": False}}
    tags = [
        {"name": name, "from": "registry.example.com/team/web", "error": None, "reasons": [], "digest": None, "import_mode": "Legacy"}
        | {"reference_policy": "Source", "scheduled": False, "insecure": False, "changed": False, "platforms": platforms}
        for name, platforms in known.items()
    ]
    result["compared"][0].update(streams=[{"namespace": "shop", "name": "web", "tags": tags, "error": None}])

    matrix = page_of(tmp_path, run_module_main, result).partition('<table class="matrix">')[2].partition("</table>")[0]

    assert ("shop/web:known" in matrix, "shop/web:unknown" in matrix) == (True, False)


def test_a_job_fails_with_whole_sentences(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    result = {**part("north"), "errors": ["the server said no", "create the namespace first", "and again"]}
    risks = {"risks": [], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 1}}
    files = [write(tmp_path, name, {**result, "errors": result["errors"][:count], "prune_risks": risks}) for name, count in (("few", 2), ("many", 3))]

    told = [run_module_main(drift_report.main, {"files": [path]}).result["clusters"][0]["findings"] for path in files]

    assert [one["failures"] for one in told] == [
        "north: the server said no. And 1 more failure, see the report.",
        "north: the server said no. And 2 more failures, see the report.",
    ]
    assert told[0]["prune_risks"] == "north: pruning would take the image from 1 workload, see the report."


def test_a_folder_without_reports_is_no_report(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    outcome = run_module_main(drift_report.main, {"files": [str(tmp_path)], "json_file": str(tmp_path / "drift.json")})

    assert outcome.result["msg"] == f"files: there is no report in {tmp_path}: name reports, or folders with files that end in .json"
    assert not (tmp_path / "drift.json").exists()


def test_a_correction_that_ended_early_has_done_nothing_that_it_does_not_tell(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    source = write(
        tmp_path,
        "north",
        {**part("north", change(1)), "correction": True, "approved": [change(1)["id"]], "correction_errors": ["the API server is gone"]},
    )
    target = tmp_path / "drift.json"

    run_module_main(drift_report.main, {"files": [source], "json_file": str(target)})

    (cluster,) = json.loads(target.read_text())["clusters"]
    assert [(one["outcome"], one["error"]) for one in cluster["changes"]] == [("failed", "the API server is gone")]
    assert (cluster["verdict"], cluster["complete"]) == ("drift", False)


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
