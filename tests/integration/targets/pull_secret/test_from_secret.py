# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One secret that somebody keeps fresh, copied into the pull secrets of many namespaces: by what it means, with the
least rights, and again when it has moved on."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from integration.cluster import Cluster, Document
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import auth, entry, forms, registry_secret
from integration.rights import Rights
from integration.stage import NewNamespace, NewStage

SITE = "quayside.openshift_images.site"
DRIFT = "quayside.openshift_images.drift"
HOST = "kept.example.com"
OTHER = "not-copied.example.com"
PASSWORD = "a-password-that-is-kept-fresh"
FRESH = "the-password-after-that"


@pytest.fixture
def source(new_namespace: NewNamespace) -> str:
    """Return the namespace of the secret that is kept fresh."""
    return new_namespace()


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    yield rights
    rights.remove()


def keep(cluster: Cluster, namespace: str, document: Document) -> None:
    """Put the secret there as External Secrets does, whatever there was."""
    path = cluster.path("secrets", namespace, "kept")
    cluster.call("DELETE", path, allowed=404)
    document["metadata"].update(name="kept", labels={"reconcile.external-secrets.io/managed": "true"})
    cluster.create("secrets", namespace, document)


def declared(source: str, *namespaces: str, **given: t.Any) -> dict[str, t.Any]:
    """Return the variables that copy the entry."""
    taken = {"registry": HOST, "from_secret": {"namespace": source, "name": "kept", **given}}
    return {
        "registry_access_secrets": [
            {
                "name": "copy",
                "namespaces": list(namespaces),
                "registries": [taken],
                "link": [{"service_accounts": ["default"]}],
            }
        ]
    }


def copied(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Return the auth of each registry of the copy."""
    return {registry: item["auth"] for registry, item in cluster.auths(namespace, "copy").items()}


def read_report(run: Run, path: Path) -> Document:
    """Return the cluster of a report, of which no credential is anywhere."""
    text = path.read_text(encoding="utf-8")
    assert [form for form in forms(PASSWORD, FRESH) if form in text + run.output] == []
    (cluster,) = json.loads(text)["clusters"]
    return t.cast("Document", cluster)


def test_a_fresh_secret_reaches_many_namespaces_and_drift_sees_when_it_moves_on(
    cluster: Cluster,
    source: str,
    new_namespace: NewNamespace,
    new_stage: NewStage,
    playbooks: Playbooks,
    tmp_path: Path,
) -> None:
    namespaces = (new_namespace(), new_namespace(), new_namespace())
    auths = {HOST: entry("robot", PASSWORD), OTHER: entry("robot", "of-the-other")}
    keep(cluster, source, registry_secret("kept", auths, "kubernetes.io/dockercfg"))
    stage = new_stage(SITE, *namespaces, variables=declared(source, *namespaces))

    done = stage.converge()

    assert [form for form in forms(PASSWORD) if form in done.output] == []
    for namespace in namespaces:
        assert copied(cluster, namespace) == {HOST: auth("robot", PASSWORD)}
        assert "copy" in cluster.links(namespace, "default")["imagePullSecrets"]

    # The same in another type, another order and another form means the same.
    rewritten = {OTHER: entry("robot", "of-the-other"), f"https://{HOST}": {"username": "robot", "password": PASSWORD}}
    keep(cluster, source, registry_secret("kept", rewritten))
    stage.find_nothing_to_do()

    keep(cluster, source, registry_secret("kept", {HOST: entry("robot", FRESH)}))
    report = {
        **stage.variables,
        "drift_report_json_file": str(tmp_path / "drift.json"),
        "drift_report_html_file": str(tmp_path / "drift.html"),
    }
    before = cluster.settled([*namespaces, source])
    shown = playbooks.run(DRIFT, variables=report)
    assert (shown.exit_code, shown.complaints()) == (0, []), shown.output
    assert not cluster.snapshot([*namespaces, source]).written_since(before)
    found = read_report(shown, tmp_path / "drift.json")
    assert {(one["kind"], one["namespace"], one["name"]): one["reasons"] for one in found["changes"]} == {
        ("secret", namespace, "copy"): ["password_changed"] for namespace in namespaces
    }

    corrected = playbooks.run(DRIFT, "-e", "drift_correct=true", variables=report)
    assert (corrected.exit_code, corrected.complaints()) == (0, []), corrected.output
    assert read_report(corrected, tmp_path / "drift.json")["verdict"] == "corrected"
    for namespace in namespaces:
        assert copied(cluster, namespace) == {HOST: auth("robot", FRESH)}
    stage.find_nothing_to_do()


@pytest.mark.parametrize(
    ("document", "other", "sentence"),
    [
        (
            {HOST: entry("robot", PASSWORD)},
            {"name": "gone"},
            (
                'from_secret: the secret "gone" in the namespace "{source}" does not exist; create it first, or check '
                "the names"
            ),
        ),
        (
            {OTHER: entry("robot", PASSWORD)},
            {},
            (
                'from_secret: the secret "kept" in the namespace "{source}" has no entry for "kept.example.com"; it '
                'has "not-copied.example.com"'
            ),
        ),
        (
            {HOST: {"auth": "%"}},
            {},
            (
                'from_secret: the entry for "kept.example.com" of the secret "kept" in the namespace "{source}" cannot '
                "be used: "
            ),
        ),
        (
            {HOST: {}},
            {},
            (
                'from_secret: the entry for "kept.example.com" of the secret "kept" in the namespace "{source}" has no '
                "credential"
            ),
        ),
    ],
    ids=["no secret", "no entry", "malformed", "empty"],
)
def test_what_the_source_does_not_give_is_said_and_nothing_is_written(
    cluster: Cluster,
    source: str,
    namespace: str,
    new_stage: NewStage,
    playbooks: Playbooks,
    tmp_path: Path,
    document: Document,
    other: dict[str, t.Any],
    sentence: str,
) -> None:
    keep(cluster, source, registry_secret("kept", document))
    variables = declared(source, namespace, **other)
    stage = new_stage(SITE, namespace, variables=variables)
    before = cluster.settled([namespace])

    for options in (("--check", "--diff"), ("--diff",)):
        run = stage.run_to_fail(*options)
        (message,) = run.messages().values()
        assert sentence.format(source=source) in message
    files = {f"drift_report_{kind}_file": str(tmp_path / f"drift.{kind}") for kind in ("json", "html")}
    shown = playbooks.run(DRIFT, variables={**variables, **files})

    found = read_report(shown, tmp_path / "drift.json")
    assert shown.exit_code == 2
    assert sentence.format(source=source) in found["failures"][0]["message"]
    assert found["verdict"] in ("failed", "drift")
    assert not cluster.snapshot([namespace]).written_since(before)


def test_the_least_rights_for_it(
    cluster: Cluster,
    source: str,
    namespace: str,
    rights: Rights,
    playbooks: Playbooks,
    tmp_path: Path,
) -> None:
    """Reading the one secret is a right of its own; without it the message says what is missing."""
    keep(cluster, source, registry_secret("kept", {HOST: entry("robot", PASSWORD)}))
    for manifest in ("pull_secret.yml", "sa_secret_link.yml", "drift_report.yml"):
        rights.apply(manifest)
    own = [("quayside-pull-secret", namespace), ("quayside-sa-secret-link", namespace)]
    users = {
        "without": rights.user(namespace, *own, ("quayside-drift-report", namespace)),
        "with": rights.user(
            namespace,
            *own,
            ("quayside-drift-report", namespace),
            ("quayside-pull-secret-source", source),
        ),
    }
    runs = {}
    for name, access in users.items():
        inventory = tmp_path / f"{name}.yml"
        host = {"k8s_auth_host": access.host, "k8s_auth_api_key": access.token, "k8s_auth_ca_cert": access.ca_file}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {name: host}}}))
        files = {f"drift_report_{kind}_file": str(tmp_path / f"{name}.{kind}") for kind in ("json", "html")}
        variables = {**declared(source, namespace), **files}
        as_user = playbooks.with_environment({})
        runs[name] = (
            as_user.run(DRIFT, variables=variables, inventory=inventory),
            as_user.run(SITE, variables=variables, inventory=inventory),
        )

    shown, done = runs["without"]
    said = f'from_secret: the secret "kept" in the namespace "{source}" cannot be read'
    for run in (shown, done):
        assert run.exit_code == 2
        assert said in run.output
    assert "Forbidden" in {one["reason"] for one in read_report(shown, tmp_path / "without.json")["failures"]}
    shown, done = runs["with"]
    assert (shown.exit_code, done.exit_code) == (0, 0), shown.output + done.output
    assert copied(cluster, namespace) == {HOST: auth("robot", PASSWORD)}
