# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job templates as AWX runs them: its credential, a survey, a registry credential of a type of one's own, check and
diff."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from integration.awx_jobs import Jobs, bearer_token, injected_by
from integration.cluster import Access, Cluster, tags_of
from integration.hidden import forms
from integration.surroundings import Surroundings

PARTNER = "partner.example.com"
PARTNER_PASSWORD = "a-password-of-the-partner"
SITE = "playbooks/site.yml"
# A cluster of AWX's inventory, as people write it there.
HOSTS = {"harbour": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}}


@pytest.fixture
def developer(cluster: Cluster, namespace: str) -> Access:
    """Who the credential of the job template is."""
    return cluster.create_user(namespace, "developer", "edit")


@pytest.fixture
def answers(given: Surroundings, namespace: str) -> dict[str, t.Any]:
    """Return a survey: text, and text of several lines."""
    given.push("private", "web", "v1", "linux/amd64 linux/arm64")
    given.push("plain", "tools", "v3")
    images = f"""
        # what the shop runs
        {namespace}/web:v1    {given.image("private", "web", "v1")}   import_mode=PreserveOriginal scheduled=true
        {namespace}/tools:v3  {given.image("plain", "tools", "v3")}   insecure=true
    """
    accounts = {"registry_access_survey_service_accounts": "default, builder"}
    return {"registry_access_survey_namespaces": f"{namespace}\n", **accounts, "image_streams_survey": images}


@pytest.fixture
def registries(given: Surroundings, tmp_path: Path) -> dict[str, str]:
    """Return what the two credential types for registries inject."""
    content = json.dumps({"auths": {PARTNER: {"username": "robot", "password": PARTNER_PASSWORD}}})
    return {
        **injected_by("image_registry", given.credential(), tmp_path),
        **injected_by("image_registry_auth_file", {"auth_file": content}, tmp_path),
    }


def test_a_survey_and_a_registry_credential_bring_everything_about(
    cluster: Cluster,
    given: Surroundings,
    namespace: str,
    developer: Access,
    answers: dict[str, t.Any],
    registries: dict[str, str],
    tmp_path: Path,
) -> None:
    before = cluster.snapshot([namespace])

    # A credential without the authority's certificate: AWX switches the verification off then.
    check = Jobs(tmp_path, HOSTS, bearer_token(developer, verify=False)).launch(
        SITE, "--check", "--diff", "-vvv", answers=answers, injected=registries
    )

    assert check.status == "successful", check.output
    assert not cluster.snapshot([namespace]).written_since(before)
    assert len(check.differences()) == 3

    done = Jobs(tmp_path, HOSTS, bearer_token(developer)).launch(
        SITE, "--diff", "-vvv", answers=answers, injected=registries
    )

    assert done.status == "successful", done.output
    assert done.changed() == check.changed() == {"harbour": 3}
    assert set(cluster.auths(namespace, "registry")) == {given.credential()["registry"], PARTNER}
    assert all(
        "registry" in cluster.links(namespace, account)["imagePullSecrets"] for account in ("default", "builder")
    )
    now = cluster.settled([namespace])
    web, tools = (tags_of(now.stream(namespace, name)) for name in ("web", "tools"))
    assert (web["v1"].import_mode, web["v1"].scheduled, web["v1"].failure, tools["v3"].insecure) == (
        "PreserveOriginal",
        True,
        "",
        True,
    )

    # Nothing filled in: every variable is there and empty, and the kubeconfig of the execution environment counts.
    empty = {**bearer_token(None), "K8S_AUTH_KUBECONFIG": str(given.kubeconfig)}
    again = Jobs(tmp_path, HOSTS, empty).launch(SITE, "-vvv", answers=answers, injected=registries)

    assert again.status == "successful", again.output
    assert again.changed() == {}
    assert not cluster.snapshot([namespace]).written_since(now)
    hidden = {
        form
        for secret in (registries["registry_access_credential_password"], PARTNER_PASSWORD, developer.token)
        for form in forms(secret)
    }
    for job in (check, done, again):
        shown = dict(job.kept_texts())
        assert "stdout" in shown
        assert not {name for name, text in shown.items() for form in hidden if form in text}


def test_text_that_cannot_be_used_is_refused_before_any_request(tmp_path: Path) -> None:
    nowhere = Access("https://127.0.0.1:1", "a-token-for-nobody", "")
    images = "shop/web:v1 registry.example.com/web:v1\nshop/web\n{{ 1 + 1 }} {% raw %}"
    answers = {"registry_access_survey_namespaces": "shop", "image_streams_survey": images}
    injected = {"registry_access_credential_registry": "registry.example.com"}

    job = Jobs(tmp_path, HOSTS, bearer_token(nowhere, verify=False)).launch(SITE, answers=answers, injected=injected)

    assert job.status == "failed"
    (message,) = job.messages()
    assert message.splitlines() == [
        "The registry credential is incomplete: registry_access_credential_username is empty.",
        (
            'image_streams_survey, line 2: "shop/web" does not say which image goes where; write NAMESPACE/STREAM:TAG '
            "IMAGE [KEY=VALUE ...]"
        ),
        (
            'image_streams_survey, line 3: "{{ 1 + 1 }} {% raw %}" does not say which image goes where; write '
            "NAMESPACE/STREAM:TAG IMAGE [KEY=VALUE ...]"
        ),
    ]


def test_misspelt_variables_of_survey_inventory_and_template_are_named_in_the_job(
    cluster: Cluster, namespace: str, developer: Access, tmp_path: Path
) -> None:
    declared = {"image_streams_desired": [{"namespace": namespace, "name": "web", "lookup_policy_local": False}]}
    hosts = {"harbour": {**HOSTS["harbour"], **declared, "registry_acces_wait_timeout": 5}}
    folder = {f"drift_report_{kind}_file": "" for kind in ("json", "html")}

    job = Jobs(tmp_path, hosts, bearer_token(developer)).launch(
        "playbooks/drift.yml",
        answers={"image_stream_survey": f"{namespace}/web:v1 registry.example.com/web:v1"},
        template={**folder, "drift_report_upstraem": False},
    )

    shown = " ".join(job.shown.split())
    for misspelt, meant in {
        "image_stream_survey": "image_streams_survey",
        "registry_acces_wait_timeout": "registry_access_wait_timeout",
        "drift_report_upstraem": "drift_report_upstream",
    }.items():
        sentence = f"{misspelt} is no variable of the collection and has no effect: did you mean {meant}?"
        assert shown.count(sentence) == 1, job.output
