# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module on a cluster: check mode says what a run then does, and the next run finds nothing; what is approved is
done and nothing else."""

from __future__ import annotations

from integration.cluster import Cluster, tags_of
from integration.stage import NewStage
from integration.surroundings import Surroundings

ENTRY = {"registry": "registry.example.com", "username": "robot", "password": "a-password-of-tests"}


def test_secrets_links_and_streams_in_one_go(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    given.push("private", "drifting", "v1", "linux/amd64 linux/arm64")
    tag = {"name": "v1", "from": given.image("private", "drifting", "v1"), "import_mode": "PreserveOriginal"}
    variables = {
        "secrets": [
            {
                "name": "registries",
                "namespaces": [namespace],
                "registries": [given.credential()],
                "link": [{"service_accounts": ["default"]}],
            }
        ],
        "streams": [{"namespace": namespace, "name": "web", "tags": [tag]}],
    }
    stage = new_stage("compare.yml", namespace, variables=variables)

    predicted, done = stage.predict_and_do(images_known=False)

    drift = done.of("Compare")["drift"]
    assert [(change["kind"], change["reasons"]) for change in drift["changes"]] == [
        ("secret", ["registry_missing", "secret_missing"]),
        ("link", ["link_missing"]),
        ("tag", ["stream_missing"]),
    ]
    assert (
        predicted.of("Compare")["drift"]["counts"]
        == drift["counts"]
        == {"secrets": 1, "links": 1, "streams": 1, "tags": 1}
    )
    assert "registries" in cluster.links(namespace, "default")["imagePullSecrets"]
    assert cluster.tag(namespace, "web", "v1").digest
    stage.find_nothing_to_do()


def test_nothing_but_what_was_shown_is_done(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    for name in ("still", "moving", "flipped"):
        given.push("plain", name, "v1")
    tags = [
        {"name": name, "from": given.image("plain", name, "v1"), "insecure": True}
        for name in ("still", "moving", "flipped")
    ]
    declared = {
        "secrets": [
            {
                "name": "first",
                "namespaces": [namespace],
                "registries": [ENTRY],
                "link": [{"service_accounts": ["default", "builder"]}],
            }
        ],
        "streams": [
            {"namespace": namespace, "name": "web", "tags": tags},
            {"namespace": namespace, "name": "gone", "state": "absent"},
        ],
    }
    stage = new_stage("compare.yml", namespace, variables=declared)
    cluster.import_images(namespace, "web", {tag["name"]: (tag["from"], {"insecure": True}) for tag in tags})
    for name in ("still", "moving"):
        given.push("plain", name, "v1", content=f"{name} is new")
    cluster.patch_tag(namespace, "web", "flipped", {"importPolicy": {"scheduled": True, "insecure": False}})
    shown = stage.predict().of("Compare")
    before = cluster.settled([namespace])

    # Meanwhile a tag moves again, one is changed by hand, a stream appears, and somebody links the secret by hand.
    moved = given.push("plain", "moving", "v1", content="moving is newer")
    cluster.patch_tag(
        namespace,
        "web",
        "flipped",
        {"importPolicy": {"scheduled": True, "insecure": True}, "referencePolicy": {"type": "Local"}},
    )
    cluster.import_images(namespace, "gone", {"v1": (given.image("plain", "still", "v1"), {"insecure": True})})
    account = cluster.get("serviceaccounts", namespace, "builder")
    account["imagePullSecrets"] = [*account.get("imagePullSecrets", []), {"name": "first"}]
    cluster.put("serviceaccounts", account)
    stage.variables["approved"] = shown["to_approve"]
    done = stage.run().of("Compare")

    assert [(change["kind"], change["name"], change["tag"]) for change in shown["drift"]["changes"]] == [
        ("secret", "first", None),
        ("link", "default", None),
        ("link", "builder", None),
        ("tag", "web", "flipped"),
        ("tag", "web", "moving"),
        ("tag", "web", "still"),
    ]
    assert [(change["kind"], change["name"], change["tag"]) for change in done["drift"]["changes"]] == [
        ("secret", "first", None),
        ("link", "default", None),
        ("tag", "web", "still"),
    ]
    assert {(held["tag"], *held["reasons"]) for held in done["drift"]["held_back"]} == {("moving", "upstream_moved")}
    now = cluster.settled([namespace])
    was, web = before.stream(namespace, "web"), now.stream(namespace, "web")
    assert tags_of(web)["moving"] == tags_of(was)["moving"]
    assert tags_of(web)["moving"].digest != moved
    assert tags_of(web)["still"].digest != tags_of(was)["still"].digest
    assert tags_of(web)["flipped"].reference_policy == "Local"
    assert tags_of(now.stream(namespace, "gone"))
