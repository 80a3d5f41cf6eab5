# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module from options to its answer; the cluster is scripted, see stream_scenes."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiUnreachable
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.modules import image_stream_import
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.documentation import (
    argument_spec_of,
    documented_spec,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    SECRETS,
    STREAMS,
    WEB_V1_AMD64,
    WEB_V1_LIST,
    WEB_V2,
    recorded,
    recorded_error,
    refusal,
    tag,
)

WEB = f"{PRIVATE}/team/web"
ACCESS = {"host": "https://api.example.com:6443", "api_key": "token-of-the-test"}
V2 = {"namespace": NAMESPACE, "name": "web", "tags": [tag("v2", f"{WEB}:v2")]}
PASSWORD = "s3cr3t-of-the-test"
NEVER = (
    PASSWORD,
    base64.b64encode(PASSWORD.encode()).decode(),
    base64.b64encode(f"puller:{PASSWORD}".encode()).decode(),
    ACCESS["api_key"],
)

Run = t.Callable[..., t.Any]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ScriptedCluster:
    scripted = ScriptedCluster()
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: scripted.client)
    return scripted


@pytest.fixture
def run(cluster: ScriptedCluster, run_module_main: Run) -> Run:
    """Run the module; whatever happens, no secret may be in what it prints, and every answer has to be asked for."""

    def run_it(options: dict[str, t.Any], **how: bool) -> t.Any:
        outcome = run_module_main(image_stream_import.main, {**ACCESS, **options}, **how)
        assert [secret for secret in NEVER if secret in outcome.text] == []
        cluster.assert_all_asked()
        return outcome

    return run_it


def test_the_documentation_and_the_argument_spec_say_the_same() -> None:
    assert argument_spec_of(image_stream_import) == documented_spec(image_stream_import)


def test_the_defaults_are_those_of_the_task_and_entries_have_none() -> None:
    options = image_stream_import.argument_spec().options
    defaults = {"purge_tags": False, "refresh": "drifted", "state": "present"}
    assert {name: options[name].get("default") for name in defaults} == defaults
    assert [name for name, entry in options["streams"]["options"].items() if "default" in entry] == []


def test_what_is_returned_is_documented() -> None:
    documented = yaml.safe_load(image_stream_import.RETURN)
    assert sorted(documented) == ["failed_tags", "streams", "summary"]


def test_a_first_run(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4)).on(
        "POST", IMPORTS, recorded("reimport_unchanged", 1)
    )
    outcome = run(V2, diff=True)
    assert (outcome.code, outcome.result["changed"]) == (0, True)
    (stream,) = outcome.result["streams"]
    (shown,) = stream["tags"]
    assert (shown["digest"], shown["reasons"], shown["changed"]) == (WEB_V2, ["stream_missing"], True)
    [(header, (before, [line]))] = outcome.diff.items()
    assert (header, before) == (f"image stream {NAMESPACE}/web", [])
    assert line.startswith(f"v2: {WEB}:v2@{WEB_V2[:15]} Legacy Source")


def test_a_second_run(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3)).on(
        "POST", IMPORTS, recorded("access_import_only", 1)
    )
    outcome = run(V2, diff=True)
    assert (outcome.code, outcome.result["changed"], cluster.writes) == (0, False, [])
    assert outcome.diff == {}


def test_check_mode_says_what_the_run_then_does(cluster: ScriptedCluster, run: Run) -> None:
    policies = {"import_mode": "PreserveOriginal", "reference_policy": "Local"}
    options = {"namespace": NAMESPACE, "name": "web", "tags": [tag("v1", f"{WEB}:v1", **policies)]}
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4)).on(
        "POST", IMPORTS, recorded("lookup_without_import", 2)
    )
    would = run(options, check_mode=True, diff=True)
    assert cluster.writes == []
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4)).on(
        "POST", IMPORTS, recorded("import_preserve_original", 1)
    )
    did = run(options, diff=True)
    assert would.result["streams"][0]["tags"][0]["digest"] == WEB_V1_LIST
    assert {key: value for key, value in would.result.items() if key != "invocation"} == {
        key: value for key, value in did.result.items() if key != "invocation"
    }


def test_a_failed_tag_fails_the_task_after_everything_else_was_done(cluster: ScriptedCluster, run: Run) -> None:
    failed_again = recorded("import_partial_failure", 1)
    failed_again["status"]["images"] = failed_again["status"]["images"][1:2]
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4))
    cluster.on("POST", IMPORTS, recorded("import_partial_failure", 1), failed_again)
    outcome = run({**V2, "tags": [tag(name, f"{WEB}:{name}") for name in ("v1", "nope", "v2")]})
    assert outcome.failed
    assert outcome.result["changed"]
    assert outcome.result["msg"] == (
        f"1 of 3 tags could not be imported:\n- {NAMESPACE}/web:nope from {WEB}:nope\n    NotFound: "
        "dockerimage.image.openshift.io "
        f'"{WEB}:nope" not found\n    -> The registry has no such tag, digest or repository: check the pull spec.'
    )
    assert [failed["tag"] for failed in outcome.result["failed_tags"]] == ["nope"]
    digests = {shown["name"]: shown["digest"] for shown in outcome.result["streams"][0]["tags"]}
    assert digests == {"v1": WEB_V1_AMD64, "nope": None, "v2": WEB_V2}


def test_a_refused_credential_is_explained_and_stays_secret(cluster: ScriptedCluster, run: Run) -> None:
    auths = {"auths": {PRIVATE: {"username": "puller", "password": PASSWORD}}}
    secret = {
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode()},
    }
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4))
    cluster.on("POST", IMPORTS, recorded("import_unauthorized", 0))
    cluster.on("GET", SECRETS, {"items": [secret]})
    outcome = run({**V2, "tags": [tag("v1", f"{WEB}:v1")]}, diff=True)
    assert outcome.failed
    assert (
        f'For {WEB}:v1 the API server uses the key "{PRIVATE}" of the secret "pull" (user "puller").'
        in outcome.result["msg"]
    )


def test_only_what_changed_is_returned_on_request(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
    outcome = run({**V2, "refresh": "missing", "results": "changed"})
    assert outcome.result["streams"] == []
    assert outcome.result["summary"]["tags"] == 1


def test_a_stream_is_removed(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3)).on(
        "DELETE", f"{STREAMS}/web", {"status": "Success"}
    )
    outcome = run({"namespace": NAMESPACE, "name": "web", "state": "absent"})
    assert outcome.result["changed"]
    assert outcome.result["streams"][0]["state"] == "absent"


@pytest.mark.parametrize("check_mode", [True, False])
def test_several_streams_and_the_time_limit_of_a_request(cluster: ScriptedCluster, run: Run, check_mode: bool) -> None:
    cluster.on("GET", STREAMS, {"items": []})
    answer = recorded("lookup_without_import", 1) if check_mode else recorded("reimport_unchanged", 1)
    cluster.on("POST", IMPORTS, *[answer] * (1 if check_mode else 2))
    streams = [{"name": name, "tags": [tag("v2", f"{WEB}:v2")]} for name in ("web", "api")]
    outcome = run({"namespace": NAMESPACE, "streams": streams, "timeout": 300}, check_mode=check_mode)
    assert [stream["name"] for stream in outcome.result["streams"]] == ["web", "api"]
    assert {request.query["timeout"] for request in cluster.sent if request.method == "POST"} == {"300s"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {**V2, "tags": [tag("v2", f"{WEB}:v2", import_mode="Sometimes")]},
            (
                f'stream {NAMESPACE}/web, tag v2: import_mode "Sometimes" is unknown: valid ImportMode values are '
                "Legacy or PreserveOriginal"
            ),
        ),
        ({**V2, "concurrency": 0}, "concurrency is 0: give a number from 1"),
        ({**V2, "timeout": -1}, "timeout is -1: give a number from 1"),
        (
            {"namespace": NAMESPACE, "streams": []},
            "streams is empty: list at least one image stream, or leave the task out",
        ),
        ({**V2, "streams": [{"name": "web"}]}, "parameters are mutually exclusive: name|streams"),
        ({"namespace": NAMESPACE}, "one of the following is required: name, streams"),
        (
            {**V2, "pending_credentials": [{"namespace": "No", "registries": ["r"]}]},
            '"No" is not a namespace name: at most 63 lower case letters, digits and - between them',
        ),
    ],
)
def test_bad_input_ends_before_the_first_request(
    cluster: ScriptedCluster, run: Run, options: dict[str, t.Any], sentence: str
) -> None:
    outcome = run(options)
    assert (outcome.failed, outcome.result["msg"]) == (True, sentence)
    assert cluster.sent == []


@pytest.mark.parametrize("refresh", ["sometimes", ""])
def test_an_unknown_refresh_names_the_known_ones(run: Run, refresh: str) -> None:
    outcome = run({**V2, "refresh": refresh})
    assert "missing, drifted, always" in outcome.result["msg"]


def test_a_refused_token_ends_the_run_with_its_status(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_error("access_denied", 0))
    outcome = run(V2)
    assert outcome.failed
    assert (outcome.result["status"], outcome.result["reason"]) == (401, "Unauthorized")
    assert "the bearer token of the option api_key is wrong or has expired" in outcome.result["msg"]


def test_missing_rights_are_named_with_the_role_to_ask_for(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_error("access_denied", 2))
    outcome = run(V2)
    assert outcome.failed
    assert (
        f'ask for a role with the right to get imagestreams.image.openshift.io in namespace "{NAMESPACE}"'
        in outcome.result["msg"]
    )
    assert outcome.result["streams"][0]["error"] in outcome.result["msg"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_missing_namespace_is_named(cluster: ScriptedCluster, run: Run, check_mode: bool) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4)).on(
        "POST", IMPORTS, recorded_error("invalid_requests", 8)
    )
    outcome = run(V2, check_mode=check_mode)
    assert outcome.failed
    assert 'create the namespace "no-such-namespace" first, or correct its name' in outcome.result["msg"]


@pytest.mark.parametrize("code", [404, 403])
def test_check_mode_looks_for_the_namespace_where_no_image_tells(cluster: ScriptedCluster, run: Run, code: int) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": "NotFound" if code == 404 else "Forbidden"}
    status |= {"details": {"name": NAMESPACE, "kind": "namespaces"}, "message": f'namespaces "{NAMESPACE}" not found'}
    cluster.on("GET", f"{STREAMS}/web", recorded_error("lookup_without_import", 4)).on(
        "GET", path, refusal("GET", path, code, status)
    )
    outcome = run({"namespace": NAMESPACE, "name": "web", "lookup_policy_local": True}, check_mode=True)
    found = outcome.result["streams"][0]
    assert (outcome.failed, outcome.result["changed"], found["state"]) == (
        (True, False, "absent") if code == 404 else (False, True, "present")
    )
    assert code == 403 or found["error"] == (
        f'Cannot read namespace "{NAMESPACE}": the API server https://api.example.com:6443 answered 404 NotFound: '
        f'namespaces "{NAMESPACE}" not found; create the namespace "{NAMESPACE}" first, or correct its name.'
    )


def test_plain_kubernetes_is_named(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on("GET", f"{STREAMS}/web", refusal("GET", f"{STREAMS}/web", 404, recorded("not_openshift", 1)))
    outcome = run(V2)
    assert "it is plain Kubernetes and not OpenShift" in outcome.result["msg"]


def test_an_api_server_out_of_reach_is_named(cluster: ScriptedCluster, run: Run) -> None:
    cluster.on(
        "GET", f"{STREAMS}/web", ApiUnreachable("Cannot read image stream: nothing listens at api.example.com:6443.")
    )
    outcome = run(V2)
    assert outcome.result["msg"] == "Cannot read image stream: nothing listens at api.example.com:6443."
