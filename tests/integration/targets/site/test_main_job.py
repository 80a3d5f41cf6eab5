# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job: ``site.yml`` with a team's variables, from nothing to everything, and what happens afterwards."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

from fleet.inventory import write_inventory
from integration.cluster import Address, Cluster, Document, Snapshot, Tag, content_of, tags_of, with_content
from integration.playbooks import Playbooks
from integration.stage import NewNamespace, Stage
from integration.surroundings import Surroundings

SITE = "quayside.openshift_images.site"
SECRET = "registries"
# Dropping this one from the secret breaks no import, only what is declared.
PARTNER = "partner.example.com"
PARTNER_PASSWORD = "a-password-of-the-partner"


def push_images(given: Surroundings) -> str:
    """Make what the variables below name; return the digest that one of them is pinned to."""
    given.push("private", "web", "v1", "linux/amd64 linux/arm64")
    given.push("private", "web", "stable", "linux/amd64 linux/arm64 linux/s390x")
    given.push("private", "api", "v1")
    given.push("plain", "tools", "v3", "linux/amd64 linux/ppc64le")
    given.push("selfsigned", "legacy", "v1")
    return given.push("private", "base", "2026", "linux/amd64 linux/arm64", image_format="oci")


def site_variables(given: Surroundings, shop: str, billing: str, pinned: str) -> dict[str, t.Any]:
    """Return the variables of a team: an insecure registry, one with a self-signed certificate, and a private one."""
    base = given.image("private", "base", "2026").rpartition(":")[0]
    return {
        "registry_access_secrets": [
            {
                "name": SECRET,
                "namespaces": [shop, billing],
                "registries": [
                    given.credential(),
                    {"registry": PARTNER, "username": "robot", "password": PARTNER_PASSWORD},
                ],
                "link": [
                    {"service_accounts": ["default"]},
                    {"service_accounts": ["builder"], "for": ["pull", "mount"]},
                ],
            }
        ],
        "image_streams_desired": [
            {
                "namespace": shop,
                "name": "web",
                "import_mode": "PreserveOriginal",
                "tags": [
                    {"name": "v1", "from": given.image("private", "web", "v1")},
                    {"name": "stable", "from": given.image("private", "web", "stable"), "scheduled": True},
                ],
            },
            {
                "namespace": shop,
                "name": "api",
                "tags": [{"name": "v1", "from": given.image("private", "api", "v1"), "reference_policy": "Local"}],
            },
            {
                "namespace": billing,
                "name": "base",
                "import_mode": "PreserveOriginal",
                "tags": [{"name": "pinned", "from": f"{base}@{pinned}"}],
            },
            {
                "namespace": billing,
                "name": "web-arm",
                "import_mode": "Legacy",
                "tags": [
                    {
                        "name": "v1",
                        "from": given.image("private", "web", "v1"),
                        "prefer_architecture": "arm64",
                        "prefer_os": "linux",
                    }
                ],
            },
            {
                "namespace": billing,
                "name": "tools",
                "insecure": True,
                "tags": [{"name": "v3", "from": given.image("plain", "tools", "v3")}],
            },
            {
                "namespace": billing,
                "name": "legacy",
                "insecure": True,
                "tags": [{"name": "v1", "from": given.image("selfsigned", "legacy", "v1")}],
            },
        ],
    }


def inventory_of(given: Surroundings, directory: Path) -> Path:
    """Return a cluster as a host of the inventory, with its access as a host variable."""
    return write_inventory(directory / "inventory.yml", harbour={"k8s_auth_kubeconfig": str(given.kubeconfig)})


def test_main_job(
    given: Surroundings, cluster: Cluster, new_namespace: NewNamespace, playbooks: Playbooks, tmp_path: Path
) -> None:
    shop, billing = new_namespace(), new_namespace()
    variables = site_variables(given, shop, billing, push_images(given))
    stage = Stage(
        cluster, playbooks.with_environment({}), SITE, (shop, billing), variables, inventory_of(given, tmp_path)
    )

    everything_is_brought_about_in_one_run(stage, given, shop, billing)
    stage.find_nothing_to_do()
    a_tag_that_moved_upstream_is_the_only_one_that_changes(stage, given, shop)
    what_was_changed_by_hand_is_corrected_and_nothing_else(stage, shop, billing)


def everything_is_brought_about_in_one_run(stage: Stage, given: Surroundings, shop: str, billing: str) -> None:
    _predicted, done = stage.predict_and_do(images_known=False)

    cluster = stage.cluster
    declared = {
        (f"{stream['namespace']}/{stream['name']}", tag["name"])
        for stream in stage.variables["image_streams_desired"]
        for tag in stream["tags"]
    }
    assert done.changed_tags() == dict.fromkeys(declared, ("stream_missing",))
    for namespace in (shop, billing):
        assert set(cluster.auths(namespace, SECRET)) == {given.credential()["registry"], PARTNER}
        assert SECRET in cluster.links(namespace, "default")["imagePullSecrets"]
        assert all(SECRET in names for names in cluster.links(namespace, "builder").values())
    now = stage.cluster.settled(stage.namespaces)
    assert {(f"{address.namespace}/{address.name}", name) for address, name, _tag in all_tags(now)} == declared
    assert all(tag.digest and not tag.failure for _address, _name, tag in all_tags(now))
    web, arm = tags_of(now.stream(shop, "web")), tags_of(now.stream(billing, "web-arm"))["v1"]
    assert (web["stable"].scheduled, web["stable"].import_mode, web["v1"].scheduled) == (
        True,
        "PreserveOriginal",
        False,
    )
    assert arm.digest != web["v1"].digest
    assert tags_of(now.stream(shop, "api"))["v1"].reference_policy == "Local"


def a_tag_that_moved_upstream_is_the_only_one_that_changes(stage: Stage, given: Surroundings, shop: str) -> None:
    before = stage.cluster.settled(stage.namespaces)
    digest = given.push("private", "web", "stable", "linux/amd64 linux/arm64", content="released today")

    predicted, done = stage.predict_and_do()

    assert done.changed_tags() == {(f"{shop}/web", "stable"): ("upstream_moved",)}
    assert [tag.digest for tag in predicted.tags() if tag.changed] == [digest]
    now = stage.cluster.settled(stage.namespaces)
    assert now.written_since(before) == {Address("imagestreams", shop, "web")}
    assert [(address.name, name) for address, name, tag in all_tags(now) if tag != tags_of(before[address])[name]] == [
        ("web", "stable")
    ]
    assert tags_of(now.stream(shop, "web"))["stable"].digest == digest


def what_was_changed_by_hand_is_corrected_and_nothing_else(stage: Stage, shop: str, billing: str) -> None:
    cluster = stage.cluster
    good = cluster.settled(stage.namespaces)
    cluster.patch_tag(shop, "web", "v1", {"importPolicy": {"importMode": "Legacy"}})
    cluster.patch_tag(shop, "web", "stable", {"importPolicy": {"scheduled": False}})
    account = cluster.get("serviceaccounts", shop, "default")
    account["imagePullSecrets"] = [entry for entry in account["imagePullSecrets"] if entry["name"] != SECRET]
    cluster.put("serviceaccounts", account)
    secret = cluster.get("secrets", billing, SECRET)
    auths = {registry: entry for registry, entry in content_of(secret)["auths"].items() if registry != PARTNER}
    cluster.put("secrets", with_content(secret, {"auths": auths}))
    drifted = cluster.settled(stage.namespaces)
    touched = {
        Address("imagestreams", shop, "web"),
        Address("serviceaccounts", shop, "default"),
        Address("secrets", billing, SECRET),
    }
    assert drifted.written_since(good) == touched

    _predicted, done = stage.predict_and_do()

    reasons = done.changed_tags()
    assert set(reasons) == {(f"{shop}/web", "v1"), (f"{shop}/web", "stable")}
    assert "import_mode_changed" in reasons[f"{shop}/web", "v1"]
    assert reasons[f"{shop}/web", "stable"] == ("scheduled_changed",)
    now = cluster.settled(stage.namespaces)
    assert now.written_since(drifted) == touched
    # An import controller has imported the other mode in the meantime, which stays in the history.
    assert without_history(now.stream(shop, "web")) == without_history(good.stream(shop, "web"))
    assert cluster.links(shop, "default")["imagePullSecrets"][-1] == SECRET
    assert content_of(now[Address("secrets", billing, SECRET)]) == content_of(good[Address("secrets", billing, SECRET)])
    stage.find_nothing_to_do()


def without_history(stream: Document) -> dict[str, Tag]:
    """Return the tags of a stream as they are now, however many images they have had."""
    return {name: dataclasses.replace(tag, images=0) for name, tag in tags_of(stream).items()}


def all_tags(snapshot: Snapshot) -> list[tuple[Address, str, t.Any]]:
    """Every tag with the address of its stream and its name."""
    return [
        (address, name, tag)
        for address, document in snapshot.items()
        if address.plural == "imagestreams"
        for name, tag in tags_of(document).items()
    ]
