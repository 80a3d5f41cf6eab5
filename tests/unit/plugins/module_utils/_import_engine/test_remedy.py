# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiUnreachable
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import ImportFailure
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.remedy_finder import RemedyFinder
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    HUB,
    NAMESPACE,
    PRIVATE,
    SECRETS,
    forbidden,
    recorded,
    recorded_error,
)

WEB = PullSpec.parse(f"{PRIVATE}/team/web:v1")
PASSWORD = "s3cr3t-of-the-test"
UNAUTHORIZED = ImportFailure("Unauthorized", f'you may not have access to the container image "{WEB}"')


def secret(name: str, key: str, content: dict[str, t.Any]) -> dict[str, t.Any]:
    data = base64.b64encode(json.dumps({"auths": {key: content}}).encode()).decode()
    return {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": data}}


REFUSED = "The registry refuses it: correct the entry, or let its user pull the image."
PULL = secret("pull", PRIVATE, {"username": "puller", "password": PASSWORD})


def finder(cluster: ScriptedCluster) -> tuple[RemedyFinder, list[str]]:
    masked: list[str] = []
    return RemedyFinder(cluster.client, lambda *values: masked.extend(values)), masked


def recorded_failure(case: str, step: int, position: int = 0) -> ImportFailure:
    status = recorded(case, step)["status"]["images"][position]["status"]
    return ImportFailure(status.get("reason", ""), status.get("message", ""))


@pytest.mark.parametrize(
    "failure",
    [
        UNAUTHORIZED,
        # what ECR says of its token, twelve hours later
        ImportFailure(
            "InternalError",
            "Internal error occurred: r/team/web:v1: error parsing HTTP 403 response body: no error details found: "
            '"Your authorization token has expired. Reauthenticate and try again."',
        ),
    ],
)
@pytest.mark.parametrize(("ends", "expired"), [(1_000_000_000, True), (4_000_000_000, False)])
def test_an_expired_credential_is_named_as_what_is_wrong(failure: ImportFailure, ends: int, expired: bool) -> None:
    token = base64.b64encode(json.dumps({"payload": "x", "expiration": ends}).encode()).decode()
    pull = secret("ecr", PRIVATE, {"username": "AWS", "password": token})
    found, masked = finder(ScriptedCluster().on("GET", SECRETS, {"items": [pull]}))
    advice = found.remedy(NAMESPACE, WEB, failure)
    used = f'For {WEB} the API server uses the key "{PRIVATE}" of the secret "ecr" (user "AWS").'
    said = "That credential expired at 2001-09-09T01:46:40Z: give a fresh one." if expired else REFUSED
    assert advice == f"{used} {said}"
    assert token in masked


def internal(words: str) -> ImportFailure:
    return ImportFailure("InternalError", f'Internal error occurred: r/team/web:v1: Get "https://r/v2/": {words}')


def page(status: int, body: str) -> ImportFailure:
    """Return a web page in the place of a registry's answer."""
    problem = "invalid character '<' looking for beginning of value"
    return ImportFailure(
        "InternalError",
        f'Internal error occurred: r/team/web:v1: error parsing HTTP {status} response body: {problem}: "{body}"',
    )


def test_words_of_others_steer_no_remedy() -> None:
    found, _masked = finder(ScriptedCluster())
    for words in (
        "blocked",
        "is forbidden",
        "timeout",
        "EOF today",
        "connection refused by policy",
        "no such host here",
    ):
        assert (
            found.remedy(
                NAMESPACE,
                WEB,
                ImportFailure("InternalError", f"Internal error occurred: unknown: the registry says {words} of it"),
            )
            == ""
        )


def test_a_pull_spec_without_a_registry_is_said_to_be_on_docker_hub() -> None:
    found, _masked = finder(ScriptedCluster())
    advice = found.remedy(NAMESPACE, PullSpec.parse("team/web:v1"), ImportFailure("NotFound", "no such image"))
    assert advice.endswith(
        "A pull spec without a registry is on Docker Hub: write the host first if another one is meant."
    )


@pytest.mark.parametrize(
    "message",
    [
        'Internal error occurred: Get "https://r/v2/team/web/tags/list": no basic auth credentials',
        "Internal error occurred: unauthorized: authentication required",
        "Internal error occurred: r/team/web:v1: denied: requested access to the resource is denied",
        (
            "Internal error occurred: r/team/web:v1: error parsing HTTP 403 response body: no error details found: "
            '"Your authorization token has expired."'
        ),
    ],
)
def test_what_the_server_takes_for_an_error_of_its_own_is_explained_as_a_refused_credential(message: str) -> None:
    found, _masked = finder(ScriptedCluster().on("GET", SECRETS, {"items": [PULL]}))
    advice = found.remedy(NAMESPACE, WEB, ImportFailure("InternalError", message))
    assert (
        advice == f'For {WEB} the API server uses the key "{PRIVATE}" of the secret "pull" (user "puller"). {REFUSED}'
    )


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (
            recorded_failure("import_not_found", 1),
            "The registry has no such tag, digest or repository: check the pull spec.",
        ),
        (
            recorded_failure("insecure_registries", 0),
            "The registry speaks plain HTTP: set insecure to true for this tag",
        ),
        (
            recorded_failure("insecure_registries", 2),
            "The cluster does not trust the registry's certificate: add its CA",
        ),
        (recorded_failure("unreachable_registry", 0), "Nothing answers there: check host and port"),
        (
            ImportFailure(
                "InternalError", "r/x:v1: tls: failed to verify certificate: x509: certificate is valid for a, not r"
            ),
            "The registry's certificate does not fit",
        ),
        (
            ImportFailure("InternalError", "dial tcp: lookup r on 10.0.0.1:53: no such host"),
            "cannot resolve the registry's name",
        ),
        (
            ImportFailure("InternalError", "dial tcp: lookup r on 10.0.0.1:53: server misbehaving"),
            "cannot resolve the registry's name",
        ),
        (
            ImportFailure("InternalError", "dial tcp 10.9.9.9:443: connect: no route to host"),
            "Nothing answers there: check host and port",
        ),
        (
            ImportFailure("InternalError", "dial tcp 10.9.9.9:443: connect: network is unreachable"),
            "Nothing answers there: check host and port",
        ),
        (
            ImportFailure("InternalError", "dial tcp 10.9.9.9:443: connect: connection timed out"),
            "did not answer the API server in time",
        ),
        (
            ImportFailure("InternalError", "net/http: request canceled (Client.Timeout exceeded): i/o timeout"),
            "did not answer the API server in time",
        ),
        (ImportFailure("InternalError", "context deadline exceeded"), "did not answer the API server in time"),
        (
            ImportFailure("InternalError", "toomanyrequests: You have reached your pull rate limit"),
            "limits the rate of pulls",
        ),
        (ImportFailure("InternalError", "TOOMANYREQUESTS"), "limits the rate of pulls"),
        (
            ImportFailure("InternalError", "r/x:v1: name unknown: repository name not known to registry"),
            "has no such repository",
        ),
        (ImportFailure("InternalError", "r/x:v1: manifest unknown"), "has no such tag or digest"),
        (
            ImportFailure("Invalid", recorded_error("list_entry_without_platform", 3).server_message),
            "set import_mode to Legacy for this tag",
        ),
        (
            ImportFailure("Invalid", 'importing images from registry "h:443" is forbidden'),
            "do not allow imports from this registry",
        ),
        (ImportFailure("Forbidden", "registry h blocked"), "block this registry"),
        (internal("tls: x509: certificate has expired or is not yet valid"), "certificate does not fit"),
        (
            internal("x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs"),
            "certificate does not fit",
        ),
        (
            internal("x509: certificate relies on legacy Common Name field, use SANs instead"),
            "certificate does not fit",
        ),
        (internal("x509: certificate signed by unknown authority"), "does not trust the registry's certificate"),
        (internal("remote error: tls: bad certificate"), "asks for a client certificate"),
        (internal("remote error: tls: certificate required"), "asks for a client certificate"),
        (internal("proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused"), "The cluster's own proxy"),
        (internal("proxyconnect tcp: dial tcp: lookup proxy on 10.0.0.1:53: no such host"), "The cluster's own proxy"),
        (internal("Forbidden"), "The cluster's own proxy"),
        (page(429, "<html>slow down</html>"), "limits the rate of pulls"),
        (page(404, "<html>blocked: connection refused, timeout, EOF</html>"), "is no registry"),
        (page(403, "<html>This site is blocked by your administrator</html>"), "answers with a page of its own"),
        (page(502, "<html>Bad Gateway</html>"), "The registry itself fails"),
        (internal("mediaType in manifest is 'application/vnd.docker.distribution.manifest.v1+prettyjws'"), "schema 1"),
        (ImportFailure("", "unknown error prevented import"), "repeated the import without the namespace's secrets"),
    ],
)
def test_a_known_failure_comes_with_what_to_do(failure: ImportFailure, advice: str) -> None:
    cluster = ScriptedCluster()
    found, _masked = finder(cluster)
    assert advice in found.remedy(NAMESPACE, WEB, failure)
    assert cluster.sent == []


@pytest.mark.parametrize("words", ["lookup r on 10.0.0.1:53: no such host", "connect: connection refused"])
def test_a_registry_that_is_not_reached_may_have_a_mirror_of_tags_only(words: str) -> None:
    failure = ImportFailure("InternalError", f"dial tcp: {words}")
    other = dataclasses.replace(failure, import_mode="PreserveOriginal")
    found, _masked = finder(ScriptedCluster())
    alone = found.remedy(NAMESPACE, WEB, dataclasses.replace(failure, import_mode="Legacy"))
    assert alone
    assert found.remedy(NAMESPACE, WEB, other).startswith(f"{alone} If an ImageTagMirrorSet mirrors this registry, ")


def test_nothing_is_made_up_for_a_failure_that_is_not_known() -> None:
    found, _masked = finder(ScriptedCluster())
    assert found.remedy(NAMESPACE, WEB, ImportFailure("InternalError", "something new")) == ""


@pytest.mark.parametrize(
    "failure",
    [
        UNAUTHORIZED,
        recorded_failure("hub_second_pass", 4),
        recorded_failure("secret_malformed_breaks_namespace", 2),
    ],
)
def test_a_refused_credential_is_explained_from_the_secrets_of_the_namespace(failure: ImportFailure) -> None:
    cluster = ScriptedCluster().on("GET", SECRETS, {"items": [PULL]})
    found, _masked = finder(cluster)
    text = found.remedy(NAMESPACE, WEB, failure)
    assert f'the key "{PRIVATE}" of the secret "pull"' in text
    cluster.assert_all_asked()


# What the server says of an image that neither a mirror nor the registry itself gives it (server-behaviour.md 2.5,
# 2.7).
ELSEWHERE = PullSpec.parse("registry.example.com/team/web:v1")
UNREACHABLE = (
    f'{ELSEWHERE}: Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host'
)


def test_a_mirror_that_refuses_is_explained_with_the_keys_for_the_mirror() -> None:
    refused = f'Internal error occurred: [you may not have access to the container image "{WEB}", {UNREACHABLE}]'
    found, _masked = finder(ScriptedCluster().on("GET", SECRETS, {"items": [PULL]}))
    text = found.remedy(NAMESPACE, ELSEWHERE, ImportFailure("InternalError", refused))
    assert text == (
        f"The cluster looks in the mirror {PRIVATE}/team/web first. "
        f'For {WEB} the API server uses the key "{PRIVATE}" of the secret "pull" (user "puller"). {REFUSED}'
    )


def test_a_registry_that_refuses_behind_a_mirror_that_is_gone_is_explained_as_itself() -> None:
    refused = f'Internal error occurred: [{UNREACHABLE}, you may not have access to the container image "{WEB}"]'
    found, _masked = finder(ScriptedCluster().on("GET", SECRETS, {"items": [PULL]}))
    text = found.remedy(NAMESPACE, WEB, ImportFailure("InternalError", refused))
    assert text == f'For {WEB} the API server uses the key "{PRIVATE}" of the secret "pull" (user "puller"). {REFUSED}'


def test_an_image_that_a_mirror_does_not_have_is_to_be_mirrored() -> None:
    missing = f'Internal error occurred: [dockerimage.image.openshift.io "{WEB}" not found, {UNREACHABLE}]'
    text = finder(ScriptedCluster())[0].remedy(NAMESPACE, ELSEWHERE, ImportFailure("InternalError", missing))
    assert text == (
        f"The cluster looks in the mirror {PRIVATE}/team/web first, which does not have the image: mirror it, or check "
        "the pull spec."
    )


def test_what_a_registry_says_is_not_taken_for_an_image() -> None:
    for lie in (
        'you may not have access to the container image "https://x y"',
        'dockerimage.image.openshift.io "A B" not found',
    ):
        assert (
            finder(ScriptedCluster())[0].remedy(
                NAMESPACE, WEB, ImportFailure("InternalError", f"Internal error occurred: {lie}")
            )
            == ""
        )


def test_that_no_credential_matches_is_said_with_the_key_that_would() -> None:
    cluster = ScriptedCluster().on("GET", SECRETS, {"items": []})
    text = finder(cluster)[0].remedy(NAMESPACE, WEB, UNAUTHORIZED)
    assert text.startswith("The namespace has no registry secret that imports use")
    assert f'Add a credential with the key "{PRIVATE}" to' in text


def test_without_the_right_to_read_secrets_the_key_that_would_match_is_said() -> None:
    cluster = ScriptedCluster().on("GET", SECRETS, forbidden("GET", SECRETS))
    found, _masked = finder(cluster)
    first, second = (
        found.remedy(NAMESPACE, PullSpec.parse(text), UNAUTHORIZED)
        for text in (f"{PRIVATE}/team/web:v1", f"{HUB}/private/plain:v2")
    )
    assert f'"{PRIVATE}" would match' in first
    assert f'"{HUB}" would match' in second
    cluster.assert_all_asked()


def test_an_api_server_that_is_gone_does_not_hide_the_failure() -> None:
    cluster = ScriptedCluster().on("GET", SECRETS, ApiUnreachable("the API server is gone"))
    found, _masked = finder(cluster)
    for _tag in range(2):
        # it is asked once, however many tags have failed
        text = found.remedy(NAMESPACE, WEB, UNAUTHORIZED)
        assert text == "Which credential the API server used cannot be said: the API server is gone"


def test_secrets_are_read_once_for_a_namespace_and_masked() -> None:
    elsewhere = SECRETS.replace(NAMESPACE, "billing")
    cluster = ScriptedCluster().on("GET", SECRETS, {"items": [PULL]}).on("GET", elsewhere, {"items": []})
    found, masked = finder(cluster)
    texts = [
        found.remedy(NAMESPACE, WEB, UNAUTHORIZED),
        found.remedy(NAMESPACE, WEB, UNAUTHORIZED),
        found.remedy("billing", WEB, UNAUTHORIZED),
    ]
    assert PASSWORD in masked
    hidden = [
        PASSWORD,
        base64.b64encode(f"puller:{PASSWORD}".encode()).decode(),
        base64.b64encode(PASSWORD.encode()).decode(),
    ]
    assert [word for word in hidden for text in texts if word in text] == []
    cluster.assert_all_asked()
