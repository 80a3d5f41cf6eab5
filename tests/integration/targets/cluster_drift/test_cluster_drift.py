# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module on a cluster: check mode says what a run then does, and the next run finds nothing."""

from __future__ import annotations

from integration.cluster import Cluster
from integration.stage import NewStage
from integration.surroundings import Surroundings


def test_secrets_links_and_streams_in_one_go(given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage) -> None:
    given.push("private", "drifting", "v1", "linux/amd64 linux/arm64")
    tag = {"name": "v1", "from": given.image("private", "drifting", "v1"), "import_mode": "PreserveOriginal"}
    variables = {
        "secrets": [
            {"name": "registries", "namespaces": [namespace], "registries": [given.credential()], "link": [{"service_accounts": ["default"]}]}
        ],
        "streams": [{"namespace": namespace, "name": "web", "tags": [tag]}],
    }
    stage = new_stage("compare.yml", namespace, variables=variables)

    predicted, done = stage.predict_and_do(images_known=False)

    drift = done.of("Compare")["drift"]
    assert [(change["kind"], change["reasons"]) for change in drift["changes"]] == [
        ("secret", ["registry_missing", "secret_missing"]),
        ("link", ["link_missing"]),
        ("stream", ["stream_missing"]),
        ("tag", ["stream_missing"]),
    ]
    assert predicted.of("Compare")["drift"]["counts"] == drift["counts"] == {"secrets": 1, "links": 1, "streams": 1, "tags": 1}
    assert "registries" in cluster.links(namespace, "default")["imagePullSecrets"]
    assert cluster.tag(namespace, "web", "v1").digest
    stage.find_nothing_to_do()
