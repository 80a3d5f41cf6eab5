# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults in the middle of a task with many items: what was done by then is reported, and the next run does the rest.

A docstring is a row of the table in docs/reliability.md: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from emulator.access import AUTHENTICATED, MASTERS, User
from emulator.faults import Fault

from .jobs import FOREIGN, OURS
from .place import ROBOT, Json, Place
from .running import Run

STREAMS = ("one", "two", "three")
EXPIRED = (
    "answered 401 Unauthorized: Unauthorized; the bearer token of the option api_key is wrong or has expired: log in "
    "again and pass the new one (oc whoami --show-token)"
)


def streams_of(place: Place) -> Json:
    """Three streams of four tags, one after the other: two requests each."""
    tags = [{"name": tag, "from": place.image(tag)} for tag in ("v1", "v2", "v3", "v4")]
    return {
        "namespace": place.namespaces[0],
        "streams": [{"name": name, "tags": tags} for name in STREAMS],
        "concurrency": 1,
        "refresh": "missing",
    }


def reported(run: Run) -> dict[str, list[str]]:
    """Return the tags of each stream that the run says it has imported."""
    return {
        stream["name"]: [tag["name"] for tag in stream["tags"] if tag["digest"]] for stream in run.results["streams"]
    }


def imported(place: Place) -> dict[str, list[str]]:
    """Return the tags of each stream that have an image."""
    return {
        name: sorted(tag for tag, items in place.digests(place.namespaces[0], name).items() if items)
        for name in STREAMS
    }


def gets_there(place: Place) -> None:
    """Assert that the next run does what is left, and the one after it nothing."""
    assert place.run("image_stream_import", **streams_of(place)).failure == ""
    assert imported(place) == {name: ["v1", "v2", "v3", "v4"] for name in STREAMS}
    before = place.versions()
    assert not place.run("image_stream_import", **streams_of(place)).changed
    assert place.versions() == before


def test_token_expires_in_the_middle_of_a_batch(place: Place) -> None:
    """The token expires in the middle of a batch of image streams.

    What was imported before is in the result; then for the stream at which it happened "Cannot ...: the API server
    ... answered 401 ...", and for each one after it "not attempted any more, because of: ...".

    No request is sent with a token that is known to be refused. With a new one the next run does the rest.
    """
    place.break_api(Fault("POST", "/imagestreamimports", skip=3, expire=ROBOT))
    run = place.run("image_stream_import", **streams_of(place))
    namespace = place.namespaces[0]
    refused = (
        f'Cannot create image stream import "two" in namespace "{namespace}": the API server {place.emulator.url} '
        f"{EXPIRED}."
    )
    assert run.failure == (
        f"5 of 12 tags could not be imported:\n- {namespace}/two: {refused} (not imported: v4)\n- {namespace}/three: "
        f"not attempted any more, because of: {refused} (not imported: v1, v2, v3, v4)"
    )
    assert run.changed
    assert reported(run) == imported(place) == {"one": ["v1", "v2", "v3", "v4"], "two": ["v1", "v2", "v3"], "three": []}
    assert [entry["tag"] for entry in run.results["failed_tags"]] == ["v4", "v1", "v2", "v3", "v4"]
    place.log_in()
    gets_there(place)


def test_token_file_rotates_in_the_middle_of_a_batch(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token of a kubeconfig's tokenFile expires in the middle of a batch, and the file holds a new one by then.

    Nothing: the task succeeds.

    The file is read again after the first refusal, once for each request.
    """
    access = place.emulator.cluster.access
    token_file, kubeconfig = tmp_path / "token", tmp_path / "kubeconfig"
    token_file.write_text(place.token, encoding="utf-8")
    cluster = {"server": place.emulator.url, "certificate-authority": str(place.emulator.ca_file)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {"tokenFile": str(token_file)}}],
        "contexts": [{"name": "me", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "me",
    }
    kubeconfig.write_text(json.dumps(document), encoding="utf-8")
    expire = access.expire

    def rotate(user: str | None = None) -> int:
        ended = expire(user)
        token_file.write_text(access.issue(User(ROBOT, (MASTERS, AUTHENTICATED))), encoding="utf-8")
        return ended

    monkeypatch.setattr(access, "expire", rotate)
    fault = place.break_api(Fault("POST", "/imagestreamimports", skip=3, expire=ROBOT))
    run = place.run(
        "image_stream_import",
        **{**streams_of(place), "kubeconfig": str(kubeconfig), "host": None, "api_key": None, "ca_cert": None},
    )
    assert (run.failure, run.changed, fault.hits) == ("", True, 1)
    assert imported(place) == {name: ["v1", "v2", "v3", "v4"] for name in STREAMS}


def test_restart_in_the_middle_of_a_batch(place: Place) -> None:
    """The API server starts again in the middle of a batch of image streams.

    Nothing: the task succeeds.

    The import that was cut off is looked at and, if needed, repeated. The others go on once the server is back.
    """
    fault = place.break_api(Fault("POST", "/imagestreamimports", skip=2, outage=0.5))
    run = place.run("image_stream_import", **{**streams_of(place), "concurrency": 3})
    assert (run.failure, run.changed, fault.hits) == ("", True, 1)
    # What was under way when the outage began may have been all that was left.
    place.back_again()
    assert imported(place) == {name: ["v1", "v2", "v3", "v4"] for name in STREAMS}
    assert sum(run.waits) <= 3 * 60
    gets_there(place)


def test_server_goes_away_in_the_middle_of_a_batch(place: Place) -> None:
    """The API server goes away in the middle of a batch, for longer than is waited.

    What was imported before is in the result; for the stream at which it happened, that the last request may have
    been carried out; for each one after it "not attempted any more, because of: ...".

    The waiting is done once, not for each stream. The next run does the rest.
    """
    place.break_api(Fault("POST", "/imagestreamimports", skip=3, outage=7.0))
    run = place.run("image_stream_import", **streams_of(place))
    namespace, host = place.namespaces[0], place.emulator.url
    refused = (
        f"the API server {host} refused the connection; check the option host and its port, and that it runs (tried 8 "
        "times)"
    )
    assert run.failure == (
        "5 of 12 tags could not be imported:\n"
        f'- {namespace}/two: Cannot create image stream import "two" in namespace "{namespace}": {refused}; it may '
        "have been carried out, so run the task again to see. (not imported: v4)\n"
        f'- {namespace}/three: not attempted any more, because of: Cannot read image stream "two" in namespace '
        f'"{namespace}": {refused}. '
        "(not imported: v1, v2, v3, v4)"
    )
    assert run.changed
    place.back_again()
    assert reported(run) == imported(place) == {"one": ["v1", "v2", "v3", "v4"], "two": ["v1", "v2", "v3"], "three": []}
    gets_there(place)


def test_one_stream_of_a_batch_meets_an_error(place: Place) -> None:
    """The API server answers 500 for one image stream of a batch only.

    "4 of 12 tags could not be imported", with that stream, its tags and the server's words.

    Every other stream is imported and reported.
    """
    # three requests of one stream, two of the other ones
    place.call(
        "POST",
        f"/apis/image.openshift.io/v1/namespaces/{place.namespaces[0]}/imagestreams",
        {"metadata": {"name": "two"}},
    )
    place.break_api(Fault("GET", "/imagestreams/two$", status=500, count=None))
    place.break_api(Fault("POST", "/imagestreamimports", skip=2, count=8, status=500))
    run = place.run("image_stream_import", **streams_of(place))
    namespace = place.namespaces[0]
    assert run.failure == (
        "4 of 12 tags could not be imported:\n"
        f'- {namespace}/two: Cannot create image stream import "two" in namespace "{namespace}": the API server '
        f"{place.emulator.url} answered 500 InternalError: Internal error occurred: an error on the server has "
        "prevented the request from succeeding; this is an error inside the cluster: its API server's log says more. "
        "(not imported: v1, v2, v3, v4)"
    )
    assert (
        reported(run)
        == imported(place)
        == {"one": ["v1", "v2", "v3", "v4"], "two": [], "three": ["v1", "v2", "v3", "v4"]}
    )
    place.repair()
    gets_there(place)


def secrets_of(place: Place) -> Json:
    registries = [{"registry": host, "username": "puller", "password": "ours"} for host in OURS]
    return {"namespaces": place.namespaces, "name": "pull", "registries": registries, "check_others": False}


def links_of(place: Place) -> Json:
    return {"namespaces": place.namespaces, "service_account": "builder", "secrets": ["registry"]}


def secret_done(place: Place, namespace: str) -> bool:
    return place.logins(namespace) == {"foreign.example": "other:theirs", **OURS}


def link_done(place: Place, namespace: str) -> bool:
    return place.links(namespace, "builder").count("registry") == 1


BATCHES = [
    pytest.param(
        "pull_secret",
        secrets_of,
        secret_done,
        "/secrets/pull$",
        'update secret "pull"',
        'The pull secret "pull"',
        "secrets",
        id="pull_secret",
    ),
    pytest.param(
        "sa_secret_link",
        links_of,
        link_done,
        "/serviceaccounts/builder$",
        'update service account "builder"',
        "Linking secrets to service accounts",
        "service_accounts",
        id="sa_secret_link",
    ),
]


@pytest.mark.parametrize(("module", "options", "done", "path", "what", "subject", "results"), BATCHES)
@pytest.mark.parametrize(
    "fault", [Fault(status=500, count=None), Fault(delay=0.4, expire=ROBOT)], ids=["500", "expiry"]
)
def test_one_namespace_of_several_meets_an_error(
    place: Place,
    module: str,
    options: t.Callable[[Place], Json],
    done: t.Callable[[Place, str], bool],
    path: str,
    what: str,
    subject: str,
    results: str,
    fault: Fault,
) -> None:
    """The write in one namespace of several is answered with an error, or the token expires there.

    "... failed for 1 of 2, the others were done: <namespace>: Cannot ...".

    The other namespaces are done and reported, with their differences. The next run does the rest.
    """
    first, second = place.namespaces
    for namespace in place.namespaces:
        place.put_secret(namespace, "pull", FOREIGN)
        place.put_account(namespace, "builder")
    place.break_api(
        Fault("PUT", f"{second}{path}", fault.count, delay=fault.delay, status=fault.status, expire=fault.expire)
    )
    run = place.run(module, **options(place))
    said = (
        EXPIRED
        if fault.expire
        else "answered 500 InternalError: Internal error occurred: an error on the server has prevented the request "
        "from succeeding; this is an error "
        "inside the cluster: its API server's log says more"
    )
    name = second if module == "pull_secret" else f"{second}/builder"
    assert run.failure == (
        f'{subject} failed for 1 of 2, the others were done: {name}: Cannot {what} in namespace "{second}": the API '
        f"server {place.emulator.url} {said}."
    )
    assert run.changed
    assert [(entry["namespace"], entry["changed"]) for entry in run.results[results]] == [
        (first, True),
        (second, False),
    ]
    [entry] = run.results["diff"]
    assert entry["after_header"].partition("/")[0].endswith(f" {first}")
    assert (done(place, first), done(place, second)) == (True, False)
    place.repair()
    place.log_in()
    assert place.run(module, **options(place)).failure == ""
    assert done(place, second)
    assert not place.run(module, **options(place)).changed


@pytest.mark.parametrize("lasting", [False, True], ids=["for a while", "for good"])
def test_the_server_fails_while_the_samples_are_waited_for(place: Place, lasting: bool) -> None:
    """The API server fails after the configuration of the samples was written, while the operator is waited for.

    Nothing if it recovers within wait_timeout; else "configs.samples.operator.openshift.io/cluster was written as
    declared, but its effect could not be watched: ...".

    That the configuration was written is reported, and the waiting goes on through a failure that passes.
    """
    place.put_samples()
    # eight tries each time that it is looked at
    place.break_api(Fault("GET", "/configs/cluster", skip=1, count=None if lasting else 8, status=503))
    with place.samples_operator():
        run = place.run(
            "samples_operator", samples_registry="mirror.example", wait_timeout=2 if lasting else 30, wait_sleep=1
        )
    place.repair()
    assert run.changed
    assert run.results["config"]["samples_registry"] == place.samples()["samplesRegistry"] == "mirror.example"
    [entry] = run.results["diff"]
    assert entry["after_header"] == "configuration configs.samples.operator.openshift.io/cluster"
    assert "samples_registry: mirror.example" in entry["after"].splitlines()
    if lasting:
        assert run.failure == (
            "configs.samples.operator.openshift.io/cluster was written as declared, but its effect could not be "
            "watched: Cannot "
            f'read configuration "cluster": the API server {place.emulator.url} answered 503 ServiceUnavailable: the '
            "server is currently unable to handle the request; it is not ready or did not answer in time: run the task "
            "again, and look at the state of the API if it stays."
        )
    else:
        assert run.failure == ""
        assert run.results["outstanding"] == []


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("image_stream_info", {}),
        ("registry_access_info", {}),
        ("image_prune_risk_info", {}),
        ("multiarch_migration_info", {}),
    ],
)
def test_reading_modules(place: Place, module: str, options: Json) -> None:
    """A module that only reads meets each fault that passes: resets, 429, 500, 503, 504, answers too late, a restart.

    Nothing: the result is complete.

    Reading is always safe to repeat, within the same bounds.
    """
    namespace = place.namespaces[0]
    place.import_tags(namespace, "web", "old")
    place.put_account(namespace, "builder", "registry")
    given = {"namespaces": [namespace], **options}
    complete = place.run(module, **given)
    assert complete.failure == ""
    for fault in (
        Fault(reset="before"),
        Fault(reset="middle"),
        Fault(status=429, retry_after=1),
        Fault(status=500),
        Fault(status=503),
        Fault(status=504),
        Fault(delay=0.8),
        Fault(outage=0.3),
    ):
        fault.path = namespace
        place.break_api(fault)
        run = place.run(module, **given)
        assert fault.hits == 1
        assert run.results == complete.results


def _everything(place: Place) -> Json:
    """Return what is declared for cluster_drift: a secret and a link in two namespaces, streams that have other
    tags."""
    entry = {"registry": "a.example", "username": "puller", "password": "ours"}
    secret = {
        "name": "pull",
        "namespaces": place.namespaces,
        "registries": [entry],
        "link": [{"service_accounts": ["builder"]}],
    }
    tags = [{"name": tag, "from": place.image(tag)} for tag in ("v1", "old")]
    return {
        "secrets": [secret],
        "streams": [{"namespace": namespace, "name": "web", "tags": tags} for namespace in place.namespaces],
    }


def _prepare_everything(place: Place) -> None:
    for namespace in place.namespaces:
        place.put_account(namespace, "builder", "registry")
        place.import_tags(namespace, "web", "old")


PASSING = {
    "reset before": Fault(reset="before"),
    "reset in the answer": Fault(reset="middle"),
    "429": Fault(status=429, retry_after=1),
    "500": Fault(status=500),
    "503": Fault(status=503),
    "504": Fault(status=504),
    "too late": Fault(delay=0.8),
    "restart": Fault(outage=0.3),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_comparison_meets_a_fault(place: Place, fault: Fault) -> None:
    """cluster_drift compares a cluster with what is declared, and meets one of these faults.

    Nothing: the result is complete.

    It is that of a run that meets none.
    """
    _prepare_everything(place)
    complete = place.run("cluster_drift", **_everything(place), check_mode=True)
    struck = place.break_api(dataclasses.replace(fault, path=place.namespaces[0]))
    run = place.run("cluster_drift", **_everything(place), check_mode=True)
    assert struck.hits == 1
    assert (run.failure, run.results["changed"]) == ("", True)
    assert run.results == complete.results


@pytest.mark.parametrize("write", ["POST /secrets", "PUT /serviceaccounts/", "POST /imagestreamimports"])
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_correction_meets_a_fault(place: Place, fault: Fault, write: str) -> None:
    """cluster_drift corrects what is declared, and meets one of these faults at a secret, a link or an import.

    Nothing: the task succeeds, and is changed.

    Everything is there in the end, and the next run finds nothing to do.
    """
    _prepare_everything(place)
    method, _blank, kind = write.partition(" ")
    struck = place.break_api(dataclasses.replace(fault, method=method, path=f"{place.namespaces[0]}{kind}"))
    run = place.run("cluster_drift", **_everything(place))
    assert struck.hits == 1
    assert (run.failure, run.changed) == ("", True)
    # What was under way when an outage began may have been all that was left.
    place.back_again()
    for namespace in place.namespaces:
        assert place.logins(namespace) == {"a.example": "puller:ours"}
        assert "pull" in place.links(namespace, "builder")
        assert {"old", "v1"} == set(place.digests(namespace, "web"))
    before = place.versions()
    assert not place.run("cluster_drift", **_everything(place)).changed
    assert place.versions() == before
