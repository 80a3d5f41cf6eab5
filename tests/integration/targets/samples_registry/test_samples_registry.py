# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role samples_registry: a mirror that wants credentials, with the rights of the manifest and no others."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from integration.cluster import Cluster
from integration.global_secret import NAME, put
from integration.playbooks import Playbooks
from integration.registry_secrets import entry, registry_secret
from integration.samples import NAMESPACE, Samples, samples_cluster
from integration.surroundings import Surroundings

PLAYBOOK = Path(__file__).with_name("role.yml")
MANIFEST = Path(__file__).parents[4] / "docs" / "rbac" / "samples_registry.yml"
CREDENTIALS = "Write the credentials for the samples"
CONFIGURE = "Configure the samples and see them imported"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
USER = "samples-admin"


@pytest.fixture
def samples(given: Surroundings, tmp_path: Path) -> Iterator[Samples]:
    """Yield a sample that the private registry has too."""
    with samples_cluster(given, tmp_path) as made:
        made.add("ruby", {"3.0": ("private",)})
        yield made


def bind(cluster: Cluster) -> dict[str, str]:
    """Make a user with the rights of the manifest and nothing else; return the variables of the environment."""
    cluster.create_account(NAMESPACE, USER)
    subjects = [{"kind": "ServiceAccount", "name": USER, "namespace": NAMESPACE}]
    for role in yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["items"]:
        kind, scope = role["kind"], "" if role["kind"] == "ClusterRole" else f"/namespaces/{NAMESPACE}"
        cluster.call("POST", f"{RBAC}{scope}/{kind.lower()}s", role)
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role["metadata"]["name"]}
        binding = {"metadata": {"name": USER}, "roleRef": reference, "subjects": subjects}
        cluster.call("POST", f"{RBAC}{scope}/{kind.lower()}bindings", binding)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = cluster.call("POST", f"{cluster.path('serviceaccounts', NAMESPACE, USER)}/token", request)["status"][
        "token"
    ]
    return {"K8S_AUTH_HOST": cluster.host, "K8S_AUTH_API_KEY": token, "K8S_AUTH_SSL_CA_CERT": cluster.ca_file}


def as_user(samples: Samples) -> Samples:
    """Return the same cluster, with the rights of the manifest."""
    playbooks: Playbooks = samples.playbooks.with_environment(bind(samples.cluster))
    return Samples(samples.cluster, samples.control, playbooks, samples.given)


def test_samples_come_from_a_mirror_with_credentials(samples: Samples) -> None:
    credential = samples.given.credential()
    wanted: dict[str, t.Any] = {"samples_registry_registry": credential["registry"], "samples_registry_wait_sleep": 1}
    user = as_user(samples)

    refused = user.stage(PLAYBOOK, **wanted).run_to_fail()
    (message,) = refused.messages().values()
    assert "Unauthorized" in message

    stage = user.stage(PLAYBOOK, **wanted, samples_registry_credentials=[credential])
    predicted, done = stage.predict_and_do(images_known=False)
    assert done.changed() == [CREDENTIALS, CONFIGURE], "the secret came, and the import was tried again"
    assert done.changed_tags() == {(f"{NAMESPACE}/ruby", "3.0"): ("last_import_failed",)}
    stage.find_nothing_to_do()

    # site.yml has the role too, and that of the cluster's pull secret.
    put(samples.cluster, registry_secret(NAME, {"beside.example.com": entry("robot", "a-former-password-of-tests")}))
    registries = [{**credential, "ca_cert": str(samples.given.registries["private"].ca_file)}]
    quiet = samples.stage(
        "quayside.openshift_images.site", **stage.variables, cluster_pull_secret_registries=registries
    ).run("-vvvv", "--diff")
    assert quiet.changed() == ["Merge the registries into the cluster's pull secret"]
    assert set(samples.cluster.auths("openshift-config", NAME)) == {"beside.example.com", credential["registry"]}
    assert all(credential["password"] not in run.output for run in (predicted, done, quiet))
    assert set(samples.cluster.auths(NAMESPACE, "samples-registry")) == {credential["registry"]}
    tag = samples.cluster.tag(NAMESPACE, "ruby", "3.0")
    assert (tag.failure, tag.source) == ("", samples.given.image("private", "ruby", "3.0"))


def test_variables_that_cannot_be_meant_are_refused_without_showing_a_password(samples: Samples) -> None:
    entry = {"registry": "a", "pasword": "a-password-of-tests"}
    run = samples.stage(PLAYBOOK, samples_registry_credentials=[entry]).run_to_fail("-vvvv")

    (message,) = run.messages().values()
    assert "samples_registry_credentials.pasword" in message
    assert "a-password-of-tests" not in run.output
