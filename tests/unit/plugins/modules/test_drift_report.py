# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module from files to files."""

from __future__ import annotations

import json
import os
import re
import stat
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ansible_collections.quayside.openshift_images.plugins.modules import drift_report
from ansible_collections.quayside.openshift_images.tests.fleet import results
from ansible_collections.quayside.openshift_images.tests.unit.plugins.documentation import (
    argument_spec_of,
    documented_spec,
)

TEMPLATE = Path(__file__).resolve().parents[4] / "roles" / "drift_report" / "templates" / "drift.html.j2"
CHANGE = results.change(
    0x0123456789ABCDEF,
    "link",
    "shop",
    "default",
    {"imagePullSecrets": []},
    {"imagePullSecrets": ["registry"]},
    "link_missing",
)
UNKNOWN = results.unknown("tag", "shop", "web", "v1", "Unauthorized", "no credential")
SIDES = (CHANGE["before"], CHANGE["after"])
# Everything that XML, HTML, a terminal or Prometheus could take for its own.
HOSTILE = '<a href="x">]]>&\'\\ \x1b[2J\x00\n\ud800\u202e{{ 7 * 7 }}'


def part(cluster: str, *changes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the result of a cluster, of which one link was compared."""
    host = f"https://{cluster}.example.com:6443"
    return results.part(cluster, [results.compared(host=host, changes=list(changes), counts={"links": 1})])


def write(folder: Path, name: str, content: t.Any) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_the_documentation_and_the_argument_spec_say_the_same() -> None:
    assert argument_spec_of(drift_report) == documented_spec(drift_report)


def test_results_of_clusters_become_one_document(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    write(tmp_path / "parts", "1", part("north", CHANGE))
    write(tmp_path / "parts", "2", part("east"))
    target = tmp_path / "drift.json"
    options = {"files": [str(tmp_path / "parts")], "clusters": ["north", "east", "west"], "json_file": str(target)}

    outcome = run_module_main(drift_report.main, options)

    document = json.loads(target.read_text())
    assert [(cluster["name"], cluster["verdict"]) for cluster in document["clusters"]] == [
        ("east", "in_sync"),
        ("north", "drift"),
        ("west", "failed"),
    ]
    assert (
        document["clusters"][2]["failures"][0]["message"]
        == "There is no result of this cluster: its part of the run ended early."
    )
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
    """Return a change of a tag."""
    found = results.change(number, "tag", "shop", "web", *SIDES, "upstream_moved", tag_name=f"v{number}")
    return {**found, **fields}


def test_what_became_of_each_change_is_told(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    changes = [change(number) for number in range(5)]
    failure = {
        **change(1),
        "from": "registry.example.com/team/web:v1",
        "reason": "NotFound",
        "message": "not found",
        "remedy": "check the pull spec",
    }
    result = part("north", *changes)
    (found,) = result["compared"]
    correction = {**found, "changes": [changes[0], changes[1]], "failures": [failure], "held_back": [changes[2]]}
    source = write(
        tmp_path,
        "north",
        {**result, "correction": True, "approved": [one["id"] for one in changes[:4]], "corrected": [correction]},
    )
    target = tmp_path / "drift.json"

    outcome = run_module_main(drift_report.main, {"files": [source], "json_file": str(target)})

    (cluster,) = json.loads(target.read_text())["clusters"]
    assert [(one["outcome"], one["error"]) for one in cluster["changes"]] == [
        ("done", None),
        ("failed", "not found"),
        ("changed_meanwhile", "upstream_moved"),
        ("not_done", "The correction did not come to it."),
        ("not_approved", None),
    ]
    assert (cluster["verdict"], cluster["counts"]["corrected"], cluster["counts"]["left"]) == ("partly_corrected", 1, 4)
    (told,) = outcome.result["clusters"]
    assert told["change_ids"] == [changes[number]["id"] for number in (1, 2, 3, 4)]
    assert told["findings"] == {
        "failures": "north: tag shop/web:v1: not found - check the pull spec",
        "nothing_declared": None,
        "drift": "north: 4 changes: shop/web:v1 upstream_moved, shop/web:v2 upstream_moved, shop/web:v3 upstream_moved "
        "and 1 more.",
        "unknown": None,
        "notices": None,
        "prune_risks": None,
    }
    assert (
        outcome.result["lines"][1]
        == "1 cluster (1 partly_corrected): 5 changes (upstream_moved 5), 1 failure, 1 corrected, 4 left"
    )


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
def test_the_verdict(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any], changed: bool, corrected: bool, failed: bool, verdict: str
) -> None:
    changes = [change(1)] if changed else []
    result = part("north", *changes)
    result["errors"] = ["the server said no"] if failed else []
    if corrected:
        result.update(correction=True, approved=[one["id"] for one in changes], corrected=[{**result["compared"][0]}])

    outcome = run_module_main(drift_report.main, {"files": [write(tmp_path, "north", result)]})

    assert outcome.result["clusters"][0]["verdict"] == verdict


def test_a_page_of_a_large_fleet_lists_what_matters(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    tags = [results.tag(f"v{number}", changed=number == 1) for number in range(4)]
    stream = results.stream("shop", "web", *tags)
    result = part("north", change(1))
    result["compared"][0].update(streams=[stream], counts={"secrets": 0, "links": 0, "streams": 1, "tags": 4})
    page = tmp_path / "drift.html"
    options = {"files": [write(tmp_path, "north", result)], "html_file": str(page), "template": str(TEMPLATE)}

    run_module_main(drift_report.main, {**options, "most_tags": 3})

    text = page.read_text(encoding="utf-8")
    assert "3 tags as declared are not listed here." in text
    assert listed(text) == ["shop/web:v1"]

    run_module_main(drift_report.main, options)

    text = page.read_text(encoding="utf-8")
    assert "not listed here" not in text
    assert listed(text) == ["shop/web:v1", "shop/web:v0", "shop/web:v2", "shop/web:v3"]


def listed(text: str) -> list[str]:
    """Return the names in the table of tags, as they are read."""
    table = text.partition('<table class="stacked tags"')[2].partition("</table>")[0]
    return [name.replace("<wbr>", "") for name in re.findall(r'<th scope="row">(.+?)</th>', table)]


def page_of(tmp_path: Path, run_module_main: t.Callable[..., t.Any], *parts: dict[str, t.Any]) -> str:
    """Return the page for these results of clusters."""
    files = [write(tmp_path, f"part-{number}", content) for number, content in enumerate(parts)]
    target = tmp_path / "drift.html"
    outcome = run_module_main(drift_report.main, {"files": files, "html_file": str(target), "template": str(TEMPLATE)})
    assert outcome.code == 0, outcome.result
    return target.read_text(encoding="utf-8")


def test_columns_that_say_nothing_of_any_cluster_are_left_out(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    plain, corrected = part("north", change(1)), {**part("south", change(1)), "correction": True}
    risky = {
        **part("west"),
        "prune_risks": {"risks": [], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 0}},
    }

    shown = {
        name: page_of(tmp_path, run_module_main, plain, *others)
        for name, others in (("plain", []), ("all", [corrected, risky]))
    }

    headings = {
        name: [word for word in ("Left", "Prune risks") if f"data-numbers>{word}</th>" in text]
        for name, text in shown.items()
    }
    assert headings == {"plain": [], "all": ["Left", "Prune risks"]}


def test_only_what_there_is_was_compared(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    counted = {
        "one": {"secrets": 2, "links": 1, "streams": 1, "tags": 3},
        "two": {"secrets": 0, "links": 2, "streams": 0, "tags": 0},
        "three": {},
    }
    parts = []
    for name, counts in counted.items():
        parts.append({**part(name), "correction": True})
        parts[-1]["compared"][0]["counts"] = {**dict.fromkeys(("secrets", "links", "streams", "tags"), 0), **counts}

    text = page_of(tmp_path, run_module_main, *parts)

    assert "Nothing is declared for this cluster." in text
    assert "3 clusters, 1 image stream with 3 tags, 2 pull secrets and 3 links: 0 changes, 0 failures." in text
    assert "0 corrected" not in text


def test_what_could_not_be_compared_is_not_told_as_compared(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    result = part("north")
    result["compared"][0].update(counts={"secrets": 2, "links": 1, "streams": 1, "tags": 3}, unknown=[UNKNOWN])

    text = page_of(tmp_path, run_module_main, result)

    compared = (
        "Compared: 1 image stream with 3 tags, 2 pull secrets and 1 link, and what the registries serve now, but for 1 "
        "of unknown state."
    )
    assert compared in text
    assert "83%" in text


def test_the_matrix_has_no_row_for_a_tag_of_which_no_platform_is_known(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    result = part("north")
    known = {
        "known": {"offered": ["linux/amd64"], "taken": [], "single": False},
        "unknown": {"offered": None, "taken": [], "single": False},
    }
    tags = [
        {
            "name": name,
            "from": "registry.example.com/team/web",
            "error": None,
            "reasons": [],
            "digest": None,
            "import_mode": "Legacy",
        }
        | {
            "reference_policy": "Source",
            "scheduled": False,
            "insecure": False,
            "changed": False,
            "platforms": platforms,
        }
        for name, platforms in known.items()
    ]
    result["compared"][0].update(streams=[{"namespace": "shop", "name": "web", "tags": tags, "error": None}])

    matrix = page_of(tmp_path, run_module_main, result).partition('<table class="matrix">')[2].partition("</table>")[0]

    assert ("known</th>" in matrix, "unknown</th>" in matrix) == (True, False)


def test_a_job_fails_with_whole_sentences(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    result = {**part("north"), "errors": ["the server said no", "create the namespace first", "and again"]}
    risks = {"risks": [], "missing": [], "failed_namespaces": [], "summary": {"at_risk": 1}}
    files = [
        write(tmp_path, name, {**result, "errors": result["errors"][:count], "prune_risks": risks})
        for name, count in (("few", 2), ("many", 3))
    ]

    told = [run_module_main(drift_report.main, {"files": [path]}).result["clusters"][0]["findings"] for path in files]

    assert [one["failures"] for one in told] == [
        "north: the server said no. And 1 more failure, see the report.",
        "north: the server said no. And 2 more failures, see the report.",
    ]
    assert told[0]["prune_risks"] == "north: pruning would take the image from 1 workload, see the report."


def test_a_folder_without_reports_is_no_report(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    outcome = run_module_main(drift_report.main, {"files": [str(tmp_path)], "json_file": str(tmp_path / "drift.json")})

    assert (
        outcome.result["msg"]
        == f"files: there is no report in {tmp_path}: name reports, or folders with files that end in .json"
    )
    assert not (tmp_path / "drift.json").exists()


def test_a_correction_that_ended_early_has_done_nothing_that_it_does_not_tell(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    source = write(
        tmp_path,
        "north",
        {
            **part("north", change(1)),
            "correction": True,
            "approved": [change(1)["id"]],
            "correction_errors": ["the API server is gone"],
        },
    )
    target = tmp_path / "drift.json"

    run_module_main(drift_report.main, {"files": [source], "json_file": str(target)})

    (cluster,) = json.loads(target.read_text())["clusters"]
    assert [(one["outcome"], one["error"]) for one in cluster["changes"]] == [("failed", "the API server is gone")]
    assert (cluster["verdict"], cluster["complete"]) == ("drift", False)


def test_check_mode_writes_nothing(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    source = write(tmp_path, "north", part("north"))

    outcome = run_module_main(
        drift_report.main, {"files": [source], "json_file": str(tmp_path / "drift.json")}, check_mode=True
    )

    assert outcome.code == 0
    assert not (tmp_path / "drift.json").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "is no report on drift"),
        (
            '{"format": "quayside.openshift_images/drift", "format_version": 2}',
            "is of version 2; this release reads version 1",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any], content: str, sentence: str
) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)

    outcome = run_module_main(drift_report.main, {"files": [str(path)], "json_file": str(tmp_path / "drift.json")})

    assert outcome.failed
    assert sentence in outcome.result["msg"]
    assert not (tmp_path / "drift.json").exists()


def test_a_change_that_was_shown_and_not_made_is_never_settled(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    """A correction that says nothing of a change has not settled it; one that found the object as declared has."""
    result = {**part("north", change(1), change(2)), "correction": True, "approved": [change(1)["id"], change(2)["id"]]}
    result["corrected"] = [{**result["compared"][0], "changes": [], "confirmed": [change(2)["id"]]}]
    target = tmp_path / "drift.json"

    outcome = run_module_main(
        drift_report.main, {"files": [write(tmp_path, "north", result)], "json_file": str(target)}
    )

    (cluster,) = json.loads(target.read_text())["clusters"]
    assert [one["outcome"] for one in cluster["changes"]] == ["not_done", "not_needed"]
    assert (cluster["verdict"], cluster["counts"]["left"]) == ("drift", 1)
    assert outcome.result["clusters"][0]["change_ids"] == [change(1)["id"]]


def test_what_is_unknown_is_counted_with_its_reason(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    result = part("north")
    result["compared"][0].update(counts={"secrets": 1, "links": 0, "streams": 1, "tags": 3}, unknown=[UNKNOWN])
    target = tmp_path / "drift.json"

    outcome = run_module_main(
        drift_report.main,
        {"files": [write(tmp_path, "north", result)], "json_file": str(target), "fail_on": ["unknown"]},
    )

    (cluster,) = json.loads(target.read_text())["clusters"]
    assert cluster["states"] == {"as_declared": 3, "differs": 0, "unknown": 1}
    assert (cluster["verdict"], cluster["complete"]) == ("in_sync", False)
    assert outcome.result["summary"]["unknown_reasons"] == {"Unauthorized": 1}
    assert outcome.result["failing"] == {"north": "north: 1 object could not be compared: shop/web:v1 Unauthorized."}


def test_why_a_job_fails_is_one_line(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    """The line ends of our own too: in a result each would be shown as a character."""
    result = part("north")
    failed = {**UNKNOWN, "from": None, "remedy": None, "message": "Two are wrong:\n- one\n- two"}
    result["compared"][0].update(failures=[failed], unknown=[UNKNOWN])

    outcome = run_module_main(
        drift_report.main, {"files": [write(tmp_path, "north", result)], "fail_on": ["failures", "unknown"]}
    ).result

    assert outcome["failing"] == {
        "north": "north: tag shop/web:v1: Two are wrong: - one - two. "
        "north: 1 object could not be compared: shop/web:v1 Unauthorized."
    }


def test_a_cluster_for_which_nothing_is_declared_fails_and_names_the_variables(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    result = part("north")
    result["compared"][0]["counts"] = dict.fromkeys(("secrets", "links", "streams", "tags"), 0)

    outcome = run_module_main(drift_report.main, {"files": [write(tmp_path, "north", result)]})

    assert outcome.result["clusters"][0]["verdict"] == "nothing_declared"
    (sentence,) = outcome.result["failing"].values()
    assert (
        "registry_access_secrets, cluster_pull_secret_registries, cluster_pull_secret_auth_file, image_streams_desired"
        in sentence
    )
    assert outcome.result["lines"][0] == "north  nothing_declared  nothing is declared for this cluster"


def test_the_last_lines_say_what_differs_where_the_report_is_and_what_corrects_it(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    drifting = part("north", *(change(number) for number in range(5)))
    files = [write(tmp_path, "north", drifting), write(tmp_path, "calm", part("calm"))]
    target = tmp_path / "drift.json"

    outcome = run_module_main(drift_report.main, {"files": files, "json_file": str(target)})

    command = (
        "ansible-playbook -i /srv/fleet/clusters.yml quayside.openshift_images.drift -e drift_correct=true -e "
        f"drift_report_approved_file={target}"
    )
    assert outcome.result["command"] == command
    assert outcome.result["lines"] == [
        (
            "north  drift  5 changes: shop/web:v0 upstream_moved, shop/web:v1 upstream_moved, shop/web:v2 "
            "upstream_moved and 2 more"
        ),
        "2 clusters (1 in_sync, 1 drift): 5 changes (upstream_moved 5)",
        f"Report: {target} (for programs)",
        f"To correct exactly this, run this command with the variables of this run: {command}",
    ]
    assert json.loads(target.read_text())["run"] == {
        "collection_version": "1.0.0",
        "inventory": ["/srv/fleet/clusters.yml"],
        "upstream": True,
        "correction": False,
    }


@pytest.mark.parametrize(
    ("umask", "former", "mode"),
    [(0o022, None, 0o644), (0o077, None, 0o600), (0o022, 0o600, 0o600), (0o077, 0o664, 0o664)],
)
def test_the_files_keep_their_mode_and_new_ones_take_the_umasks(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any], umask: int, former: int | None, mode: int
) -> None:
    options = {f"{kind}_file": str(tmp_path / "out" / f"drift.{kind}") for kind in ("json", "html", "junit", "metrics")}
    (tmp_path / "out").mkdir()
    if former is not None:
        for path in options.values():
            Path(path).touch()
            Path(path).chmod(former)
    source = write(tmp_path, "north", part("north"))
    own = os.umask(umask)
    try:
        run_module_main(drift_report.main, {"files": [source], "template": str(TEMPLATE), **options})
    finally:
        os.umask(own)

    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in options.values()} == {mode}


def hostile_part() -> dict[str, t.Any]:
    """Return a cluster, an object and a message that mean harm."""
    result = part(f"north{HOSTILE}", change(1, tag=HOSTILE))
    result["compared"][0].update(
        counts={"secrets": 1, "links": 1, "streams": 1, "tags": 2},
        secrets=[{"namespace": "shop", "name": "registry", "registries": [], "changed": False, "error": None}],
        unknown=[{**UNKNOWN, "reason": HOSTILE, "message": HOSTILE}],
    )
    return result


def test_junit_has_a_suite_for_each_cluster_and_a_case_for_each_object(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    files = [
        write(tmp_path, "hostile", hostile_part()),
        write(tmp_path, "lost", {**part("lost"), "compared": [], "errors": [HOSTILE]}),
    ]
    target = tmp_path / "drift.xml"

    run_module_main(drift_report.main, {"files": files, "junit_file": str(target)})

    root = ElementTree.parse(target).getroot()
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    lost, hostile = root
    assert [(case.get("name"), [child.tag for child in case]) for case in lost] == [("cluster lost", ["error"])]
    shown = {case.get("name"): [child.tag for child in case] for case in hostile}
    assert shown["secret shop/registry"] == []
    assert shown["tag shop/web:v1"] == ["skipped"]
    assert [children for name, children in shown.items() if name and "<a href" in name] == [["failure"]]
    assert not re.search("[\x00-\x08\x0b-\x1f]", target.read_text(encoding="utf-8"))


def test_metrics_are_gauges_of_clusters_and_reasons_and_never_name_a_tag(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    result = part("north", change(1), change(2))
    result["compared"][0].update(
        counts={"secrets": 0, "links": 0, "streams": 1, "tags": 5}, unknown=[{**UNKNOWN, "tag": "v9"}]
    )
    target = tmp_path / "drift.prom"

    run_module_main(drift_report.main, {"files": [write(tmp_path, "north", result)], "metrics_file": str(target)})

    text = target.read_text(encoding="utf-8")
    assert 'quayside_drift_changes{cluster="north",reason="upstream_moved"} 2\n' in text
    assert 'quayside_drift_unknown{cluster="north",reason="Unauthorized"} 1\n' in text
    assert 'quayside_drift_objects{cluster="north",state="as_declared"} 2\n' in text
    assert 'quayside_drift_cluster_verdict{cluster="north",verdict="drift"} 1\n' in text
    assert [name for name in ("v1", "v2", "v9", "shop", "web") if name in text] == []
    names = re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE)
    assert re.findall(r"^# HELP (\S+) ", text, re.MULTILINE) == names
    assert {line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")} <= set(names)


def test_metrics_of_what_means_harm_stay_one_line_each(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    target = tmp_path / "drift.prom"

    run_module_main(
        drift_report.main, {"files": [write(tmp_path, "hostile", hostile_part())], "metrics_file": str(target)}
    )

    for line in target.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) .+|quayside_drift_\w+\{(\w+="([^"\\\n]|\\["\\n])*",?)+\} \d+', line), line


def test_one_missing_right_is_one_cause(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    result = part("north")
    result["compared"][0]["failures"] = [
        {
            "kind": kind,
            "namespace": namespace,
            "name": "registry",
            "tag": None,
            "from": None,
            "reason": None,
            "remedy": None,
        }
        | {
            "message": f'{word} "registry" is forbidden: User "stranger" cannot get resource "{word}" in API group "" '
            f'in the namespace "{namespace}"'
        }
        for kind, word in (("secret", "secrets"), ("link", "serviceaccounts"))
        for namespace in ("billing", "shop")
    ]

    text = page_of(tmp_path, run_module_main, result)

    assert text.count("the user stranger may not get secrets, serviceaccounts in billing, shop") == 1
    assert text.count('<li class="failure"') == 1


def test_the_same_on_many_clusters_is_shown_once(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    text = page_of(
        tmp_path, run_module_main, *(part(f"cluster-{number}", change(1)) for number in range(6)), part("calm")
    )

    assert text.count('<details class="object"') == 1
    assert "6 of 7 clusters" in text


@pytest.mark.parametrize(
    ("change_it", "sentence"),
    [
        (lambda document: document["clusters"][0].pop("changes"), "is no complete report on drift"),
        (lambda document: document["clusters"][0].update(name=5), "is no complete report on drift"),
        (lambda document: document["clusters"][0].update(verdict="fine"), "is no complete report on drift"),
        (lambda document: document.update(clusters={}), ""),
        (lambda document: document["clusters"][0].update(changes=["a"]), "is no complete report on drift"),
    ],
)
def test_a_report_that_somebody_broke_is_refused_by_name(
    tmp_path: Path,
    run_module_main: t.Callable[..., t.Any],
    change_it: t.Callable[[dict[str, t.Any]], t.Any],
    sentence: str,
) -> None:
    path = tmp_path / "drift.json"
    run_module_main(
        drift_report.main,
        {"files": [write(tmp_path / "parts", "north", part("north", change(1)))], "json_file": str(path)},
    )
    document = json.loads(path.read_text())
    change_it(document)
    path.write_text(json.dumps(document))

    outcome = run_module_main(drift_report.main, {"files": [str(path)]})

    if sentence:
        assert outcome.failed
        assert f"{path} {sentence}" in outcome.result["msg"]
    else:
        assert outcome.result["clusters"] == []


def test_a_report_of_a_former_release_is_read(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    path = tmp_path / "drift.json"
    run_module_main(
        drift_report.main,
        {"files": [write(tmp_path / "parts", "north", part("north", CHANGE))], "json_file": str(path)},
    )
    document = json.loads(path.read_text())
    del document["run"]
    for name in ("unknown", "notices", "states"):
        del document["clusters"][0][name]
    for name in ("unknown", "notices"):
        del document["clusters"][0]["counts"][name]
    path.write_text(json.dumps(document))

    outcome = run_module_main(drift_report.main, {"files": [str(path)]})

    assert outcome.result["clusters"][0]["states"] == {"as_declared": 0, "differs": 1, "unknown": 0}


ARGO = 'the Argo CD application "shop"'
KEPT = {"managed_by": ARGO, "refused": f'The image stream "shop/web" is reconciled by {ARGO}; change it there'}
ENDED = results.unknown(
    "secret",
    "shop",
    "registry",
    None,
    "credential_expires",
    'The credential of "h.example" expired at 2001-09-09T01:46:40Z: give a fresh one.',
)


def kept_part(cluster: str, *others: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a cluster with two tags that Argo CD reconciles, and with a credential that has ended."""
    result = part(cluster, change(1, **KEPT), change(2, **KEPT), *others)
    registry = {
        "registry": "h.example",
        "state": "present",
        "username": "AWS",
        "changed": False,
        "reasons": [],
        "expires_at": "2001-09-09T01:46:40Z",
    }
    secret = {
        "namespace": "shop",
        "name": "registry",
        "state": "present",
        "type": "kubernetes.io/dockerconfigjson",
        "registries": [registry],
        "changed": False,
        "reasons": [],
        "error": None,
    }
    result["compared"][0].update(
        secrets=[{**secret, "managed_by": "External Secrets"}],
        notices=[ENDED],
        counts={"secrets": 1, "links": 0, "streams": 1, "tags": 2 + len(others)},
    )
    return result


def test_what_an_owner_keeps_is_named_beside_the_command(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    path = tmp_path / "drift.json"
    said = (
        "No correction changes what somebody else reconciles, change it there, or set take_over: "
        f"stream shop/web ({ARGO})"
    )
    written = {}
    for name, others in (("mixed", [change(3)]), ("kept", [])):
        written[name] = run_module_main(
            drift_report.main,
            {"files": [write(tmp_path / name, "north", kept_part("north", *others))], "json_file": str(path)},
        ).result

    assert written["mixed"]["lines"][-1] == written["kept"]["lines"][-1] == said
    assert f"drift_report_approved_file={path}" in written["mixed"]["command"]
    # Nothing is left that a correction could change.
    assert written["kept"]["command"] is None
    assert written["kept"]["clusters"][0]["counts"]["left"] == 2

    again = run_module_main(drift_report.main, {"files": [str(path)]}).result
    assert again["lines"][-1] == said


def test_the_page_says_who_keeps_what_differs(tmp_path: Path, run_module_main: t.Callable[..., t.Any]) -> None:
    text = page_of(tmp_path, run_module_main, kept_part("north"), kept_part("east", change(3)))

    kept = text.split('<ul class="lines kept"', 1)[1].split("</ul>", 1)[0]
    assert kept.count("<li>") == 1
    assert all(
        word in kept for word in ("shop/<wbr>web", "the Argo CD application &#34;shop&#34;", ">north</a>", ">east</a>")
    )
    assert "managed by: External Secrets" in text
    assert "expires, h.example: 2001-09-09T01:<wbr>46:<wbr>40Z" in text
    assert "<b>credential expires:</b> The credential of &#34;h.example&#34; expired" in text


def test_what_ends_is_output_of_its_case_and_counted_by_reason(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    files = {f"{kind}_file": str(tmp_path / f"drift.{kind}") for kind in ("junit", "metrics")}
    result = kept_part("north")
    # Without the secret itself, as drift_report_results=changed leaves objects out.
    result["compared"][0]["notices"].append({**ENDED, "name": "other", "message": f"ends {HOSTILE}"})

    outcome = run_module_main(
        drift_report.main, {"files": [write(tmp_path, "north", result)], "fail_on": ["notices"], **files}
    ).result

    root = ElementTree.parse(files["junit_file"]).getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    shown = {name: [(child.tag, child.text) for child in case] for name, case in cases.items()}
    assert shown["secret shop/registry"] == [("system-out", f"credential_expires: {ENDED['message']}")]
    assert [tag for tag, _text in shown["secret shop/other"]] == ["system-out"]
    assert [child.tag for child in cases["tag shop/web:v1"]] == ["failure"]
    assert KEPT["refused"] in str(cases["tag shop/web:v1"][0].get("message"))
    assert root.get("failures") == "2"
    text = Path(files["metrics_file"]).read_text(encoding="utf-8")
    assert 'quayside_drift_notices{cluster="north",reason="credential_expires"} 2\n' in text
    assert outcome["failing"] == {
        "north": "north: 2 notices: shop/other credential_expires, shop/registry credential_expires."
    }
    assert outcome["summary"]["notice_reasons"] == {"credential_expires": 2}


@pytest.mark.parametrize("odd", [{"managed_by": ["a"]}, {"refused": 5}])
def test_an_owner_of_another_form_in_a_report_is_refused(
    tmp_path: Path, run_module_main: t.Callable[..., t.Any], odd: dict[str, t.Any]
) -> None:
    path = tmp_path / "drift.json"
    run_module_main(
        drift_report.main,
        {"files": [write(tmp_path / "parts", "north", kept_part("north"))], "json_file": str(path)},
    )
    document = json.loads(path.read_text())
    document["clusters"][0]["changes"][0].update(odd)
    path.write_text(json.dumps(document))

    outcome = run_module_main(drift_report.main, {"files": [str(path)]})

    assert outcome.failed
    assert "is no complete report on drift" in outcome.result["msg"]
