# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event filter registry_push. payloads/ holds what registries send, each with its source and the pushes that it
is."""

from __future__ import annotations

import base64
import copy
import json
import re
import runpy
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from hypothesis import given
from hypothesis import strategies as st

FILTER = Path(__file__).parents[6] / "extensions" / "eda" / "plugins" / "event_filter" / "registry_push.py"
PAYLOADS = Path(__file__).parent / "payloads"
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))
DIGEST = "sha256:" + "1" * 64
# As ansible-rulebook loads it: by its path.
MODULE = runpy.run_path(str(FILTER))
main = MODULE["main"]


def example(name: str) -> dict[str, t.Any]:
    (path,) = PAYLOADS.glob(f"{name}*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def pushes(payload: t.Any, headers: dict[str, str] | None = None, **options: str) -> list[dict[str, t.Any]]:
    event = {"payload": payload, "meta": {"endpoint": "hooks", "headers": headers or {}}}
    before = copy.deepcopy(event)
    result = main(event, **options)
    assert event == before
    assert list(result) == ["pushes"]
    return result["pushes"]


def changed(name: str, *changes: tuple[str, t.Any]) -> tuple[t.Any, dict[str, str]]:
    """Return the payload of an example, with other values at dotted paths, and its headers."""
    found = example(name)
    for path, value in changes:
        *parents, last = path.split(".")
        place = found["payload"]
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[last] = value
    return found["payload"], found["headers"]


def underscored(value: t.Any) -> t.Any:
    """Do what eda.builtin.dashes_to_underscores does."""
    if isinstance(value, dict):
        return {key.replace("-", "_"): underscored(item) for key, item in value.items()}
    return [underscored(item) for item in value] if isinstance(value, list) else value


def in_order(found: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return sorted(found, key=json.dumps)


@pytest.mark.parametrize("name", NAMES)
def test_each_example_gives_its_pushes(name: str) -> None:
    found = example(name)
    assert found["source"]
    assert in_order(pushes(found["payload"], found["headers"])) == in_order(found["expected"])


@pytest.mark.parametrize("name", NAMES)
def test_an_earlier_filter_may_have_changed_the_dashes_of_keys(name: str) -> None:
    found = example(name)
    assert in_order(pushes(underscored(found["payload"]), underscored(found["headers"]))) == in_order(found["expected"])


# What the same registries send besides. Structures: the sources that the examples name.
NO_PUSH: dict[str, tuple[t.Any, dict[str, str]]] = {
    "distribution pull": changed("01", ("events.0.action", "pull")),
    "distribution delete": changed("01", ("events.0.action", "delete")),
    "distribution mount": changed("01", ("events.0.action", "mount")),
    "gitlab rename": changed("36", ("events.0.action", "rename")),
    "distribution push by digest": changed("01", ("events.0.target.tag", None)),
    "distribution push by digest, empty tag": changed("01", ("events.0.target.tag", "")),
    "distribution blob": changed("01", ("events.0.target.mediaType", "application/octet-stream")),
    "distribution chart": changed(
        "01",
        ("events.0.target.mediaType", "application/vnd.oci.image.manifest.v1+json"),
        ("events.0.target.references", [{"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": DIGEST}]),
    ),
    "signature of cosign": changed("01", ("events.0.target.tag", "sha256-" + "a" * 64 + ".sig")),
    "attestation of cosign": changed("22", ("event_data.resources.0.tag", "sha256-" + "a" * 64 + ".att")),
    "referrers of an image": changed("01", ("events.0.target.tag", "sha256-" + "a" * 64)),
    "envelope without events": changed("01", ("events", [])),
    "quay scan": (
        {
            "repository": "a/b",
            "docker_url": "quay.example.test/a/b",
            "tags": ["latest"],
            "vulnerability": {"id": "CVE-1", "priority": "High"},
        },
        {},
    ),
    "quay build": (
        {
            "repository": "a/b",
            "docker_url": "quay.example.test/a/b",
            "docker_tags": ["latest"],
            "build_id": "1",
            "image_id": "2",
        },
        {},
    ),
    "quay mirror": ({"repository": "a/b", "docker_url": "quay.example.test/a/b", "message": "TEST NOTIFICATION"}, {}),
    "quay without tags": changed("17", ("updated_tags", [])),
    "harbor pull": changed("22", ("type", "PULL_ARTIFACT")),
    "harbor delete": changed("22", ("type", "DELETE_ARTIFACT")),
    "harbor scan": changed("22", ("type", "SCANNING_COMPLETED")),
    "harbor replication": changed("22", ("type", "REPLICATION")),
    "harbor push by digest": changed("22", ("event_data.resources.0.tag", DIGEST)),
    "harbor cloud event pull": changed("25", ("type", "harbor.artifact.pulled")),
    "docker hub push by digest": changed("33", ("push_data.tag", "")),
    "docker hub plugin": changed("33", ("push_data.media_type", "application/vnd.docker.plugin.v1+json")),
    "github ping": (
        {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "Repository"}},
        {"X-GitHub-Event": "ping"},
    ),
    "github untagged": changed("39", ("package.package_version.container_metadata.tag.name", "")),
    "github npm": changed("39", ("package.package_type", "npm")),
    "github deleted": changed("39", ("action", "deleted")),
    "github chart": changed(
        "39",
        (
            "package.package_version.container_metadata.manifest.config.media_type",
            "application/vnd.cncf.helm.config.v1+json",
        ),
    ),
    "acr ping": changed("44", ("action", "ping")),
    "acr delete": changed("44", ("action", "delete")),
    "acr quarantine": changed("44", ("action", "quarantine")),
    "acr chart_push": changed("44", ("action", "chart_push"), ("target.mediaType", "application/vnd.acr.helm.chart")),
    "acr artifact": changed("44", ("target.mediaType", "application/vnd.oci.artifact.manifest.v1+json")),
    "gar delete": ({"action": "DELETE", "tag": "europe-docker.pkg.dev/p/r/web:1"}, {}),
    "gar push by digest": ({"action": "INSERT", "digest": f"europe-docker.pkg.dev/p/r/web@{DIGEST}"}, {}),
    "gar data is no base64": changed("51", ("message.data", "%%%")),
    "gar data is no JSON": changed("51", ("message.data", "AAAA")),
    "ecr failure": changed("58", ("detail.result", "FAILURE")),
    "ecr delete": changed("58", ("detail.action-type", "DELETE")),
    "ecr push by digest": changed("58", ("detail.image-tag", None)),
    "ecr scan": changed("58", ("detail-type", "ECR Image Scan")),
    "ecr chart": changed("58", ("detail.artifact-media-type", "application/vnd.cncf.helm.config.v1+json")),
    "sns subscription": (
        {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "Token": "x"},
        {},
    ),
    "jfrog deleted": changed("67", ("event_type", "deleted")),
    "jfrog child of a list": changed("67", ("data.tag", "sha256:" + "2" * 64)),
    "jfrog artifact": changed("67", ("domain", "artifact"), ("event_type", "deployed")),
    "gitea deleted": changed("73", ("action", "deleted")),
    "gitea push by digest": changed("73", ("package.version", DIGEST)),
    "gitea npm": changed("73", ("package.type", "npm")),
    "nexus deleted": changed("78", ("action", "DELETED")),
    "nexus raw": changed("78", ("component.format", "raw")),
    "nexus asset": ({"action": "CREATED", "asset": {"format": "docker", "name": "v2/team/web/manifests/5.0"}}, {}),
    "zot deleted": (example("84")["payload"], {"Ce-Type": "zotregistry.image.deleted"}),
    "zot repository": ({"name": "team/web"}, {"Ce-Type": "zotregistry.repository.created"}),
    "zot push by digest": changed("84", ("reference", DIGEST)),
    "zot chart": changed("84", ("manifest", '{"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"}}')),
    "git push of gitlab": ({"object_kind": "push", "ref": "refs/heads/main", "repository": {"name": "web"}}, {}),
    "git push of github": ({"ref": "refs/heads/main", "repository": {"full_name": "a/b"}}, {"X-GitHub-Event": "push"}),
    "alertmanager": ({"status": "firing", "alerts": [{"labels": {"alertname": "x"}}]}, {}),
    **{
        f"{value!r}": (value, {})
        for value in (None, "", "push", "[", 7, True, [], [[]], [None], {"events": {}}, {"events": [None, []]})
    },
}


@pytest.mark.parametrize("name", NO_PUSH)
def test_everything_else_is_no_push(name: str) -> None:
    assert pushes(*NO_PUSH[name]) == []


def test_values_that_are_foreign_to_a_pull_spec_give_no_push() -> None:
    for wrong in (
        "team/web\n",
        "{{ lookup('pipe', 'id') }}",
        "a" * 256,
        "Team/Web",
        "../web",
        "a//b",
        "",
        7,
        None,
        ["a"],
        {"a": 1},
        "\ud800",
        "wéb",
    ):
        assert pushes(*changed("01", ("events.0.target.repository", wrong))) == []
    for wrong in ("v1\x1b[2J", "{{ 1 }}", "a" * 129, "-v1", ".v1", "v 1", 1, ["v1"], "\u0661"):
        assert pushes(*changed("01", ("events.0.target.tag", wrong))) == []
    for wrong in ("sha256:" + "A" * 64, "sha256:12", "md5:" + "1" * 32, "", 7, []):
        assert pushes(*changed("01", ("events.0.target.digest", wrong))) == []
    for wrong in (
        "evil host",
        "user@registry.example.test",
        "registry.example.test:port",
        "https://registry.example.test",
        "{{ x }}",
        "a" * 256,
        7,
    ):
        assert pushes(*changed("01", ("events.0.request.host", wrong))) == []


def test_the_registry_is_lower_case_and_falls_back_to_the_url() -> None:
    assert (
        pushes(*changed("01", ("events.0.request.host", "Registry.Example.Test:5000")))[0]["registry"]
        == "registry.example.test:5000"
    )
    assert pushes(*changed("01", ("events.0.request", None)))[0]["registry"] == "registry.example.test:5000"


def test_the_registry_of_payloads_that_name_none_can_be_told() -> None:
    payload, headers = changed("78")
    assert [push["registry"] for push in pushes(payload, headers, registry="nexus.example.test:8443")] == [
        "nexus.example.test:8443"
    ]
    payload, headers = changed("01")
    assert pushes(payload, headers, registry="other.example.test")[0]["registry"] == "registry.example.test:5000"
    with pytest.raises(ValueError, match="is not a registry as pull specs name it"):
        main({"payload": {}}, registry="https://nexus.example.test")


def test_several_tags_resources_and_events_of_one_body() -> None:
    one = example("44")["payload"]
    other = changed("44", ("target.tag", "v2"))[0]
    grid = [
        {"eventType": "Microsoft.ContainerRegistry.ImagePushed", "subject": "shop/web:v", "data": data}
        for data in (one, other)
    ]
    assert [push["tag"] for push in pushes(grid)] == ["v1", "v2"]
    assert [
        push["tag"]
        for push in pushes({"specversion": "1.0", "type": "Microsoft.ContainerRegistry.ImagePushed", "data": one})
    ] == ["v1"]
    assert (
        pushes(
            [{"eventType": "Microsoft.ContainerRegistry.ImageDeleted", "data": changed("44", ("action", "delete"))[0]}]
        )
        == []
    )
    assert [push["tag"] for push in pushes(changed("17", ("updated_tags", {"latest": "1", "v2": "2"}))[0])] == [
        "latest",
        "v2",
    ]
    envelope = {"events": [copy.deepcopy(event) for event in example("01")["payload"]["events"] * 3]}
    envelope["events"][1]["target"]["tag"] = "1.5"
    assert [push["tag"] for push in pushes(envelope)] == ["1.4", "1.5"]


def test_ecr_through_queues_and_what_arrives_by_replication_or_through_the_cache() -> None:
    event = example("58")["payload"]
    expected = example("58")["expected"]
    assert main({"body": event, "meta": {}})["pushes"] == expected
    assert main({"body": json.dumps(event)})["pushes"] == expected
    assert pushes({"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(event)}) == expected
    replica = changed(
        "58",
        ("detail-type", "ECR Replication Action"),
        ("detail.action-type", "REPLICATE"),
        ("detail.source-region", "us-west-2"),
    )
    assert pushes(*replica) == expected
    cache = event | {
        "detail-type": "ECR Pull Through Cache Action",
        "detail": {
            "sync-status": "SUCCESS",
            "repository-name": "shop/web",
            "image-tag": "release-12",
            "image-digest": expected[0]["digest"],
        },
    }
    assert pushes(cache) == expected
    assert pushes(cache | {"detail": cache["detail"] | {"sync-status": "FAILURE"}}) == []
    assert (
        pushes(*changed("58", ("region", "cn-north-1")))[0]["registry"]
        == "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn"
    )


def test_google_also_without_the_wrapping_and_only_with_one_name() -> None:
    name = "europe-docker.pkg.dev/shop/images/web"
    unwrapped = {"action": "INSERT", "digest": f"{name}@{DIGEST}", "tag": f"{name}:1.1"}
    expected = {
        "registry": "europe-docker.pkg.dev",
        "repository": "shop/images/web",
        "tag": "1.1",
        "digest": DIGEST,
        "at": None,
    }
    assert pushes(unwrapped) == [expected]
    assert pushes(unwrapped, {"X-Goog-Pubsub-Publish-Time": "2026-11-12T18:01:02Z"}) == [
        expected | {"at": "2026-11-12T18:01:02Z"}
    ]
    assert pushes({"action": "INSERT", "tag": f"{name}:1.1"}) == [expected | {"digest": None}]
    assert pushes(unwrapped | {"digest": f"europe-docker.pkg.dev/other@{DIGEST}"}) == []
    wrapped = {"message": {"data": base64.b64encode(json.dumps(unwrapped).encode()).decode()}}
    assert pushes(wrapped) == [expected]


def test_github_registry_package_and_enterprise_server() -> None:
    payload = example("39")["payload"]
    other = {key: value for key, value in payload.items() if key != "package"} | {
        "registry_package": payload["package"],
        "action": "updated",
    }
    assert pushes(other) == example("39")["expected"]
    found = pushes(
        *changed(
            "39", ("package.package_version.package_url", "containers.github.example.test/example-shop/web:v1.9.2")
        )
    )
    assert found[0]["registry"] == "containers.github.example.test"
    assert pushes(*changed("39", ("package.namespace", "Example-Shop")))[0]["repository"] == "example-shop/web"


def test_zot_in_structured_mode() -> None:
    found = example("84")
    event = {
        "specversion": "1.0",
        "type": found["headers"]["Ce-Type"],
        "time": found["headers"]["Ce-Time"],
        "data": found["payload"],
    }
    assert pushes(event) == found["expected"]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-12T08:15:02Z", "2026-11-12T08:15:02Z"),
        ("2026-11-12T01:15:02.5-07:00", "2026-11-12T08:15:02.5Z"),
        ("2026-11-12T08:15:02+0000", "2026-11-12T08:15:02Z"),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-11-12T08:15:02", None),
        ("{{ now() }}", None),
        (1794473702, "2026-11-12T08:55:02Z"),
        (1794473702.9, "2026-11-12T08:55:02Z"),
        (0, None),
        (-1, None),
        (True, None),
        (10**30, None),
        (float("nan"), None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_times(time: t.Any, expected: str | None) -> None:
    assert pushes(*changed("33", ("push_data.pushed_at", time)))[0]["at"] == expected


def test_nothing_secret_and_nothing_unbounded_comes_out() -> None:
    payload, headers = changed("36", ("events.0.actor.user", "a-token-of-gitlab"))
    assert "a-token-of-gitlab" not in json.dumps(
        main({"payload": payload, "meta": {"headers": headers | {"X-Token": "a-token-of-gitlab"}}})
    )
    many = changed("17", ("updated_tags", [f"v{number}" for number in range(5000)]))
    assert len(pushes(*many)) == 1000
    deep = json.dumps(None)
    for _level in range(2000):
        deep = f"[{deep}]"
    assert pushes(deep) == []
    assert pushes(*changed("84", ("manifest", "[" * 200_000)))[0]["tag"] == "2026.11"


KEYS = sorted(set(re.findall(r'"([A-Za-z_-]+)"', FILTER.read_text(encoding="utf-8"))))
WORDS = [
    *(
        "push",
        "PUSH_ARTIFACT",
        "harbor.artifact.pushed",
        "INSERT",
        "container",
        "created",
        "CREATED",
        "docker",
        "pushed",
        "published",
        "SUCCESS",
    ),
    *(
        "aws.ecr",
        "ECR Image Action",
        "PUSH",
        "Notification",
        "zotregistry.image.updated",
        "v1",
        "team/web",
        "r.test/team/web:v1",
        DIGEST,
    ),
]
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(WORDS))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), inner, max_size=6),
    ),
    max_leaves=25,
)


def check(result: t.Any) -> None:
    """Each push is something that a pull spec can say."""
    assert list(result) == ["pushes"]
    for push in result["pushes"]:
        assert list(push) == ["registry", "repository", "tag", "digest", "at"]
        text = f"{push['registry'] or 'r.test'}/{push['repository']}:{push['tag']}" + (
            f"@{push['digest']}" if push["digest"] else ""
        )
        assert str(PullSpec.parse(text)) == text
        assert push["at"] is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", push["at"])


@given(event=values)
def test_no_event_raises(event: t.Any) -> None:
    check(main(event))


@given(payload=values, headers=values)
def test_no_payload_raises(payload: t.Any, headers: t.Any) -> None:
    check(main({"payload": payload, "meta": {"headers": headers}}))


@given(data=st.data(), name=st.sampled_from(NAMES), value=values)
def test_no_example_with_something_else_in_it_raises(data: st.DataObject, name: str, value: t.Any) -> None:
    """One value of a real payload is replaced, at any depth."""
    found = example(name)
    place: t.Any = found
    key: t.Any = data.draw(st.sampled_from(["payload", "headers"]))
    while isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = (
            data.draw(st.sampled_from(sorted(place)))
            if isinstance(place, dict)
            else data.draw(st.integers(0, len(place) - 1))
        )
    place[key] = value
    check(main({"payload": found["payload"], "meta": {"headers": found["headers"]}}))


def test_the_documentation_says_the_options_and_its_examples_are_yaml() -> None:
    documentation = yaml.safe_load(MODULE["DOCUMENTATION"])
    assert list(documentation["options"]) == ["registry"]
    assert documentation["short_description"]
    for source in yaml.safe_load(MODULE["EXAMPLES"]):
        assert [name for one in source["filters"] for name in one] == [
            "quayside.openshift_images.registry_push",
            "eda.builtin.event_splitter",
        ]
