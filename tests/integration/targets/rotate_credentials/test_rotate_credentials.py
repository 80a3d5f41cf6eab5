# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rotate_credentials.yml: one registry's credential replaced wherever it stands, and a report of where it is left."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest
from integration.cluster import STRATEGIC_MERGE, Cluster
from integration.global_secret import NAME, NAMESPACE, borrowed, find, put
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import auth, entry, forms, registry_secret, secret_with
from integration.rights import Rights
from integration.stage import NewNamespace, NewStage
from integration.surroundings import Surroundings

PLAYBOOK = "quayside.openshift_images.rotate_credentials"
TRY = "Try the new credential"
REPLACE = "Replace the credential"
LEFT = "Fail for each former credential that is left"
FORMER = "a-former-password-of-tests"
NEW = "a-new-password-of-tests"
BESIDE = "beside.example.com"


@pytest.fixture
def private(given: Surroundings) -> dict[str, t.Any]:
    """Return the variables for the private registry with the credential that it accepts."""
    credential = given.credential()
    return {f"rotate_credentials_{name}": value for name, value in credential.items()} | {
        "rotate_credentials_verify_ca_cert": str(given.registries["private"].ca_file)
    }


def credentials(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    """Return the auth of each registry."""
    return {registry: item["auth"] for registry, item in cluster.auths(namespace, name).items()}


def messages(run: Run) -> str:
    """Why the playbook failed."""
    assert (run.exit_code, list(run.messages())) == (2, [LEFT]), run.output
    return run.messages()[LEFT]


def test_everywhere_it_stands_and_nowhere_else(
    cluster: Cluster, new_namespace: NewNamespace, new_stage: NewStage, private: dict[str, t.Any]
) -> None:
    shop, billing, other = new_namespace(), new_namespace(), new_namespace()
    registry = private["rotate_credentials_registry"]
    for namespace in (shop, billing, other):
        cluster.create(
            "secrets",
            namespace,
            registry_secret("pull", {registry: entry("old", FORMER), BESIDE: entry("robot", FORMER)}),
        )
    cluster.create("secrets", shop, registry_secret("spelled", {f"https://{registry}": entry("old", FORMER)}))
    cluster.create(
        "secrets", shop, registry_secret("older", {registry: entry("old", FORMER)}, "kubernetes.io/dockercfg")
    )
    cluster.create(
        "secrets",
        shop,
        registry_secret("path", {f"{registry}/team": entry("old", FORMER), f"{BESIDE}:443": entry("old", FORMER)}),
    )
    stage = new_stage(
        PLAYBOOK, shop, billing, other, variables={**private, "rotate_credentials_namespaces": f"{shop}, {billing}"}
    )
    before = stage.snapshot()

    predicted, done = stage.predict_and_do()
    written = {(address.namespace, address.name) for address in stage.snapshot().written_since(before)}
    stage.find_nothing_to_do()

    assert written == {(shop, "pull"), (shop, "spelled"), (shop, "older"), (billing, "pull")}
    new = auth(private["rotate_credentials_username"], private["rotate_credentials_password"])
    for namespace in (shop, billing):
        assert credentials(cluster, namespace, "pull") == {registry: new, BESIDE: auth("robot", FORMER)}
    assert credentials(cluster, shop, "spelled") == {registry: new}
    assert done.of(TRY)["verified"][0]["result"] == "accepted"
    for run, words in ((predicted, "Would be replaced: 4, was as wanted: 0"), (done, "Replaced: 4, was as wanted: 0")):
        assert words in run.output
        assert f"{billing}/pull" in run.output
        assert f"  {shop}/path: {registry}/team of old" in run.output
        assert f"{shop}/path: {BESIDE}" not in run.output
        assert [form for form in forms(FORMER, private["rotate_credentials_password"]) if form in run.output] == []


def test_a_credential_that_the_registry_refuses_changes_nothing(
    cluster: Cluster, namespace: str, new_stage: NewStage, private: dict[str, t.Any]
) -> None:
    registry = private["rotate_credentials_registry"]
    cluster.create("secrets", namespace, registry_secret("pull", {registry: entry("old", FORMER)}))
    variables = {**private, "rotate_credentials_namespaces": [namespace], "rotate_credentials_password": NEW}
    stage = new_stage(PLAYBOOK, namespace, variables=variables)
    before = stage.snapshot()

    for options in (("--check", "--diff"), ("--diff",)):
        run = stage.run_to_fail(*options)
        assert run.messages()[TRY].startswith(f'The registry "{registry}" refused the user')
        assert NEW not in run.output
    assert not stage.snapshot().written_since(before)


def test_what_is_left_is_named(cluster: Cluster, namespace: str, new_stage: NewStage) -> None:
    registry = "rotated.example.com"
    held = {registry: entry("old", FORMER)}
    cluster.create("secrets", namespace, registry_secret("good", held))
    cluster.create("secrets", namespace, {**registry_secret("frozen", held), "immutable": True})
    cluster.create("secrets", namespace, registry_secret("broken", {**held, BESIDE: {"auth": "%"}}))
    cluster.create("secrets", namespace, registry_secret("opaque", held, "Opaque"))
    cluster.create("secrets", namespace, secret_with("unreadable", {"auths": 1}))
    variables = {
        "rotate_credentials_registry": registry,
        "rotate_credentials_username": "new",
        "rotate_credentials_password": NEW,
        "rotate_credentials_verify": False,
        "rotate_credentials_include_opaque": True,
        "rotate_credentials_namespaces": [namespace, f"{namespace}-absent"],
    }
    stage = new_stage(PLAYBOOK, namespace, variables=variables)
    before = stage.snapshot()

    for options in (("--check", "--diff"), ("--diff",), ("--diff",)):
        left = messages(stage.run_to_fail(*options)).splitlines()
        assert left[0] == f"The credential for {registry} was not replaced everywhere:"
        found = {line.partition(":")[0] for line in left[1:] if line}
        assert found == {f"- {namespace}/{name}" for name in ("frozen", "broken", "opaque", "unreadable")} | {
            f"- {namespace}-absent"
        }
    assert {address.name for address in stage.snapshot().written_since(before)} == {"good"}
    assert credentials(cluster, namespace, "good") == {registry: auth("new", NEW)}


def test_a_secret_of_an_owner_is_replaced_there_or_with_leave(
    cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    registry = "rotated.example.com"
    document = registry_secret("kept", {registry: entry("old", FORMER)})
    document["metadata"]["labels"] = {"reconcile.external-secrets.io/managed": "true"}
    cluster.create("secrets", namespace, document)
    cluster.create("secrets", namespace, registry_secret("free", {registry: entry("old", FORMER)}))
    variables = {
        "rotate_credentials_registry": registry,
        "rotate_credentials_username": "new",
        "rotate_credentials_password": NEW,
        "rotate_credentials_former_password": FORMER,
        "rotate_credentials_verify": False,
        "rotate_credentials_namespaces": [namespace],
    }
    stage = new_stage(PLAYBOOK, namespace, variables=variables)
    before = stage.snapshot()

    for options in (("--check", "--diff"), ("--diff",), ("--diff",)):
        [_head, line] = messages(stage.run_to_fail(*options)).splitlines()
        assert line == (
            f'- {namespace}/kept: The secret "kept" in the namespace "{namespace}" is reconciled by External Secrets, '
            "which would undo the change, so nothing was written; change it in the store that it reads, or set "
            "rotate_credentials_take_over: true to write it all the same"
        )
    assert {address.name for address in stage.snapshot().written_since(before)} == {"free"}

    stage.variables["rotate_credentials_take_over"] = True
    stage.predict_and_do()
    assert credentials(cluster, namespace, "kept") == {registry: auth("new", NEW)}
    stage.find_nothing_to_do()


def test_of_one_user_in_namespaces_by_label_and_in_the_global_pull_secret(
    cluster: Cluster, given: Surroundings, new_namespace: NewNamespace, new_stage: NewStage
) -> None:
    registry = f"rotated-{given.run}.example.com"
    shop, billing, other = new_namespace(), new_namespace(), new_namespace()
    for namespace in (shop, billing, other):
        auths = {registry: entry("robot", FORMER)}
        cluster.create("secrets", namespace, registry_secret("robot", auths))
        cluster.create("secrets", namespace, registry_secret("somebody", {registry: entry("somebody", FORMER)}))
    for namespace in (shop, billing):
        body = {"metadata": {"labels": {"quayside-test": given.run}}}
        cluster.call("PATCH", f"/api/v1/namespaces/{namespace}", body, content_type=STRATEGIC_MERGE)
    variables = {
        "rotate_credentials_registry": registry,
        "rotate_credentials_username": "robot",
        "rotate_credentials_password": NEW,
        "rotate_credentials_former_username": "robot",
        "rotate_credentials_namespace_labels": f"quayside-test={given.run}",
        "rotate_credentials_verify": "false",
        "rotate_credentials_global_pull_secret": "true",
        "rotate_credentials_namespaces": "",
    }
    with borrowed(cluster, given.run):
        known = cluster.auths(NAMESPACE, NAME) if find(cluster) else {}
        put(cluster, registry_secret(NAME, {**known, registry: entry("robot", FORMER)}))
        stage = new_stage(PLAYBOOK, shop, billing, other, NAMESPACE, variables=variables)
        before = stage.snapshot()

        stage.predict_and_do()
        written = {(address.namespace, address.name) for address in stage.snapshot().written_since(before)}
        stage.find_nothing_to_do()

        assert credentials(cluster, NAMESPACE, NAME)[registry] == auth("robot", NEW)
        assert set(cluster.auths(NAMESPACE, NAME)) == {*known, registry}
    assert written == {(shop, "robot"), (billing, "robot"), (NAMESPACE, NAME)}


def test_variables_that_are_missing_are_named(new_stage: NewStage, namespace: str) -> None:
    variables = {
        "rotate_credentials_registry": "h.example",
        "rotate_credentials_password": "",
        "rotate_credentials_ca_cert": "/ca.pem",
    }
    (message,) = new_stage(PLAYBOOK, namespace, variables=variables).run_to_fail().messages().values()
    former = (
        "rotate_credentials_former_password is not given: without it every secret with an entry for the registry would "
        "get the new password, whoever wrote it. Give it, or name the namespaces in rotate_credentials_namespaces."
    )
    assert message.splitlines() == [
        "rotate_credentials_username is not given",
        "rotate_credentials_password is not given",
        former,
        "rotate_credentials_ca_cert is called rotate_credentials_verify_ca_cert now: rename it",
    ]


def test_where_it_stands_nowhere_the_run_fails(new_stage: NewStage, namespace: str, private: dict[str, t.Any]) -> None:
    stage = new_stage(PLAYBOOK, namespace, variables={**private, "rotate_credentials_namespaces": namespace})
    (message,) = stage.run_to_fail().messages().values()
    registry = private["rotate_credentials_registry"]
    assert message.startswith(f"No secret with a credential for {registry} was found, so nothing was replaced")


def test_an_entry_that_somebody_made_up_does_not_get_the_new_password(
    cluster: Cluster, namespace: str, new_stage: NewStage, private: dict[str, t.Any]
) -> None:
    registry = private["rotate_credentials_registry"]
    cluster.create("secrets", namespace, registry_secret("real", {registry: entry("old", FORMER)}))
    cluster.create("secrets", namespace, registry_secret("made-up", {registry: entry("old", "anything")}))
    variables = {**private, "rotate_credentials_namespaces": namespace, "rotate_credentials_former_password": FORMER}
    stage = new_stage(PLAYBOOK, namespace, variables=variables)

    _predicted, done = stage.predict_and_do()

    assert credentials(cluster, namespace, "made-up") == {registry: auth("old", "anything")}
    assert credentials(cluster, namespace, "real") != {registry: auth("old", FORMER)}
    assert f"  {namespace}/made-up" in done.output
    assert "Left alone, because the password in it is another one than the former:" in done.output


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    yield rights
    rights.remove()


def test_the_rights_of_the_manifest_are_enough(
    cluster: Cluster,
    namespace: str,
    new_namespace: NewNamespace,
    playbooks: Playbooks,
    rights: Rights,
    private: dict[str, t.Any],
) -> None:
    registry = private["rotate_credentials_registry"]
    hidden = new_namespace()
    for one in (namespace, hidden):
        cluster.create("secrets", one, registry_secret("pull", {registry: entry("old", FORMER)}))
    rights.apply("rotate_credentials.yml")
    access = rights.user(namespace, ("quayside-rotate-credentials", namespace))
    as_user = playbooks.with_environment(access.variables())

    run = as_user.run(PLAYBOOK, variables={**private, "rotate_credentials_namespaces": [namespace, hidden]})

    assert [line.partition(":")[0] for line in messages(run).splitlines()[1:] if line] == [f"- {hidden}"]
    assert credentials(cluster, namespace, "pull") == {
        registry: auth(private["rotate_credentials_username"], private["rotate_credentials_password"])
    }
    again = as_user.run(PLAYBOOK, variables={**private, "rotate_credentials_namespaces": [namespace]})
    assert again.exit_code == 0, again.output
    assert again.changed() == again.complaints() == []


def test_the_rights_for_namespaces_by_label(
    cluster: Cluster,
    given: Surroundings,
    namespace: str,
    playbooks: Playbooks,
    rights: Rights,
    private: dict[str, t.Any],
) -> None:
    registry = private["rotate_credentials_registry"]
    cluster.create("secrets", namespace, registry_secret("pull", {registry: entry("old", FORMER)}))
    body = {"metadata": {"labels": {"quayside-test-rights": given.run}}}
    cluster.call("PATCH", f"/api/v1/namespaces/{namespace}", body, content_type=STRATEGIC_MERGE)
    for manifest in ("rotate_credentials.yml", "registry_access_info.yml"):
        rights.apply(manifest)
    access = rights.user(namespace, ("quayside-rotate-credentials", namespace), ("quayside-namespaces-by-label", ""))

    run = playbooks.with_environment(access.variables()).run(
        PLAYBOOK, variables={**private, "rotate_credentials_namespace_labels": [f"quayside-test-rights={given.run}"]}
    )

    assert run.exit_code == 0, run.output
    assert run.changed() == [f"{REPLACE} (1 of 1)"]
