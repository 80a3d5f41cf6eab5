# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What registries do now and then: met by the API server while it imports, and by modules that read a registry
themselves.

A docstring is a row of the table in docs/reliability.md: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections.abc import Callable, Iterator

import pytest
from registries.access import HubAccess
from registries.client import RegistryAddress, RegistryClient
from registries.content import RegistryContent
from registries.embedded import EmbeddedRegistry
from registries.faults import Fault
from registries.fleet import start_embedded
from registries.ports import choose_port

from .place import PASSWORD, Json, Place
from .running import Run

BROKE_OFF = (
    "The registry, or what stands before it, broke the connection off: run again later, and look at its state if it "
    "stays."
)
FAILS = "The registry itself fails: run again later, and look at its state if it stays."
LIMITS = "The registry limits the rate of pulls: run again later, or give a credential with a higher limit."
# Each fault with the words of the server's library, in which {get} stands for the request, and the remedy of the
# module.
IMPORT_FAULTS = [
    pytest.param(Fault(reset=True), "{get}: EOF", BROKE_OFF, id="reset"),
    pytest.param(Fault(cut=True), "{get}: unexpected EOF", BROKE_OFF, id="half an answer"),
    pytest.param(Fault(status=429, retry_after="1"), "toomanyrequests: a fault of the test registry", LIMITS, id="429"),
    pytest.param(Fault(status=500), "received unexpected HTTP status: 500 Internal Server Error", FAILS, id="500"),
    pytest.param(Fault(status=503), "received unexpected HTTP status: 503 Service Unavailable", FAILS, id="503"),
    pytest.param(Fault(status=504), "received unexpected HTTP status: 504 Gateway Timeout", FAILS, id="504"),
]
READ_FAULTS = [
    pytest.param(
        Fault(reset=True), "could not be reached at https://{host} (WHY); check host, port and network", id="reset"
    ),
    pytest.param(
        Fault(cut=True),
        "could not be reached at https://{host} (WHY); check host, port and network",
        id="half an answer",
    ),
    pytest.param(
        Fault(status=429, retry_after="1"),
        'limits the rate of requests and did not give "v1" of team/web (HTTP 429: "a fault of the test registry"); '
        "retry after the 1 second that it names, or with a credential",
        id="429",
    ),
    *(
        pytest.param(
            Fault(status=code),
            f'answered HTTP {code}: "a fault of the test registry" at the request for "v1" of team/web; it fails '
            "itself, retry later",
            id=str(code),
        )
        for code in (500, 503, 504)
    ),
]
RESET = re.compile(
    r"\((Remote end closed connection without response|Connection reset by peer|IncompleteRead\([^)]*\))\)"
)


def two_tags(place: Place) -> Json:
    tags = [{"name": tag, "from": place.image(tag)} for tag in ("v1", "v2")]
    return {"namespace": place.namespaces[0], "name": "web", "tags": tags, "refresh": "missing", "timeout": 1}


def imports(place: Place, *faults: Fault, **options: t.Any) -> Run:
    """Import both tags while the registry has these faults."""
    place.registry.switches.faults = [dataclasses.replace(fault) for fault in faults]
    return place.run("image_stream_import", **{**two_tags(place), **options})


def imported(place: Place) -> list[str]:
    return sorted(tag for tag, items in place.digests(place.namespaces[0], "web").items() if items)


def gets_there(place: Place) -> None:
    """Once the registry is well the next run does what is left, and the one after it nothing."""
    place.repair()
    assert place.run("image_stream_import", **two_tags(place)).failure == ""
    assert imported(place) == ["v1", "v2"]
    assert all(len(items) == 1 for items in place.digests(place.namespaces[0], "web").values())
    assert not place.run("image_stream_import", **two_tags(place)).changed


@pytest.mark.parametrize(
    "fault", [fault.values[0] for fault in IMPORT_FAULTS], ids=[fault.id for fault in IMPORT_FAULTS]
)
def test_import_meets_a_registry_that_fails_once(place: Place, fault: Fault) -> None:
    """The registry resets, ends its answer in the middle, or answers 429, 500, 503 or 504, once, while the API
    server imports.

    Nothing: the task succeeds.

    An image that failed beside others is tried once more alone, after a pause if the registry seems to fail for a
    moment.
    """
    run = imports(place, dataclasses.replace(fault, path="/manifests/v1", times=1))
    assert (run.failure, run.changed) == ("", True)
    assert imported(place) == ["v1", "v2"]


@pytest.mark.parametrize("status", [500, 503])
def test_import_of_a_single_image_meets_a_registry_that_fails_once(place: Place, status: int) -> None:
    """The registry answers 500 or 503 once, and the image is the only one of its request.

    Nothing: the task succeeds.

    It is tried once more after a pause; three such pauses in a stream at most.
    """
    run = imports(place, Fault(path="/manifests/v1", status=status, times=1), tags=two_tags(place)["tags"][:1])
    assert (run.failure, imported(place)) == ("", ["v1"])


@pytest.mark.parametrize(("fault", "said", "remedy"), IMPORT_FAULTS)
def test_import_meets_a_registry_that_fails(place: Place, fault: Fault, said: str, remedy: str) -> None:
    """The same for one image of several, for good.

    "1 of 2 tags could not be imported", with the tag, the server's words and what to do about it.

    The other images are imported and reported. The next run imports exactly the failed one again.
    """
    run = imports(place, dataclasses.replace(fault, path="/manifests/v1"))
    image = place.image("v1")
    words = said.format(get=f'Get "https://{place.registry.host}/v2/team/web/manifests/v1"')
    assert run.failure == (
        f"1 of 2 tags could not be imported:\n- {place.namespaces[0]}/web:v1 from {image}\n    InternalError: Internal "
        f"error occurred: {image}: {words}\n    -> {remedy}"
    )
    assert (run.changed, imported(place)) == (True, ["v2"])
    assert [tag["changed"] for tag in run.results["streams"][0]["tags"]] == [True, True]
    assert [tag["tag"] for tag in run.results["failed_tags"]] == ["v1"]
    gets_there(place)


def test_import_meets_a_registry_that_refuses_connections(place: Place) -> None:
    """The registry of one image refuses connections.

    "1 of 2 tags could not be imported", with the tag, "connection refused" and "Nothing answers there: check host
    and port, ...".

    The other images are imported and reported.
    """
    nowhere = f"localhost:{choose_port(0)}"
    tags = two_tags(place)["tags"]
    tags[0]["from"] = f"{nowhere}/team/web:v1"
    run = imports(place, tags=tags)
    address = nowhere.replace("localhost", "127.0.0.1")
    assert run.failure == (
        f"1 of 2 tags could not be imported:\n- {place.namespaces[0]}/web:v1 from {nowhere}/team/web:v1\n    "
        "InternalError: Internal error occurred: "
        f'{nowhere}/team/web:v1: Get "https://{nowhere}/v2/": dial tcp {address}: connect: connection refused\n    -> '
        "Nothing answers there: check host and port, and that the API server can reach the registry."
    )
    assert imported(place) == ["v2"]
    gets_there(place)


def test_import_meets_a_registry_that_does_not_answer(place: Place) -> None:
    """The registry does not serve one image before the time of the import request is over: the API server answers
    504.

    "1 of 2 tags could not be imported", with the tag, "Timeout: ..." and "The registry did not answer the API server
    in time: ...".

    After a request that timed out the images go one by one, so that a slow one does not cost the others. They are
    imported and reported. Three slow ones in a row end it for the stream.
    """
    run = imports(place, Fault(path="/manifests/v1", delay=2.5))
    assert run.failure == (
        f"1 of 2 tags could not be imported:\n- {place.namespaces[0]}/web:v1 from {place.image('v1')}\n    Timeout: "
        "Timeout: request did not complete within requested timeout - context deadline exceeded\n    -> The registry "
        "did not answer the API server in time: check the network between them, then run again."
    )
    assert imported(place) == ["v2"]
    gets_there(place)


def test_lookups_meet_a_registry_that_does_not_answer(place: Place) -> None:
    """The same while it is only looked up whether images have moved, over several streams.

    "... Cannot create image stream import "one" ...: the API server ... answered 504 Timeout: ...", for that stream
    only.

    The lookups of the other streams are answered.
    """
    namespace = place.namespaces[0]
    for name, tag in (("one", "v1"), ("two", "v2")):
        place.import_tags(namespace, name, tag)
    place.registry.switches.faults = [Fault(path="/manifests/v1", delay=2.5)]
    streams = [
        {"name": name, "tags": [{"name": tag, "from": place.image(tag)}]}
        for name, tag in (("one", "v1"), ("two", "v2"))
    ]
    run = place.run("image_stream_import", namespace=namespace, streams=streams, refresh="drifted", timeout=1)
    assert run.failure == (
        f'1 of 2 tags could not be imported:\n- {namespace}/one: Cannot create image stream import "one" in namespace '
        f'"{namespace}": the API server '
        f"{place.emulator.url} answered 504 Timeout: Timeout: request did not complete within requested timeout - "
        "context deadline exceeded; it is not ready or did not answer in time: run the task again, and look at the "
        "state of the API (oc get apiservice v1.image.openshift.io, oc get clusteroperator openshift-apiserver) if it "
        "stays. (not imported: v1)"
    )
    # a failed run shows what changed or failed, and counts the rest
    assert [(stream["name"], stream["error"] is None) for stream in run.results["streams"]] == [("one", False)]
    assert [tag["tag"] for tag in run.results["failed_tags"]] == ["v1"]
    assert (run.results["summary"]["failed"], run.results["summary"]["unchanged"]) == (1, 1)


# Modules that read registries from where they run.


def describes(place: Place) -> Run:
    login = {"registry": place.registry.host, "username": "puller", "password": PASSWORD}
    return place.run(
        "registry_image_info",
        image=place.image("v1"),
        registries=[login],
        registry_ca_cert=place.registry_ca,
        timeout=1,
    )


def verifies(place: Place) -> Run:
    login = {"registry": place.registry.host, "username": "puller", "password": PASSWORD, "ca_cert": place.registry_ca}
    return place.run("pull_secret", namespace=place.namespaces[0], name="verified", registries=[login], verify=True)


@pytest.mark.parametrize("module", [describes, verifies], ids=["registry_image_info", "pull_secret"])
@pytest.mark.parametrize("fault", [fault.values[0] for fault in READ_FAULTS], ids=[fault.id for fault in READ_FAULTS])
def test_module_meets_a_registry_that_fails_once(place: Place, module: Callable[[Place], Run], fault: Fault) -> None:
    """A module reads a registry itself, or logs in to verify a credential, and meets one of these faults once.

    Nothing: the task succeeds.

    Three tries, with random waits, or of the time in Retry-After up to ten seconds.
    """
    place.registry.switches.faults = [dataclasses.replace(fault, path="/v2/", times=1)]
    assert module(place).failure == ""


@pytest.mark.parametrize(("fault", "said"), READ_FAULTS)
def test_module_meets_a_registry_that_fails(place: Place, fault: Fault, said: str) -> None:
    """The same for good.

    "1 of 1 image could not be read: ...: The registry "..." could not be reached at ...", "limits the rate of requests
    ...", or "answered HTTP 500: "..." at ...; it fails itself, retry later".

    Three tries at most.
    """
    before = len(place.registry.switches.requests)
    run_fault = dataclasses.replace(fault, path="/manifests/")
    place.registry.switches.faults = [run_fault]
    run = describes(place)
    host = place.registry.host
    assert (
        RESET.sub("(WHY)", run.failure)
        == f'1 of 1 image could not be read:\n- {place.image("v1")}: The registry "{host}" {said.format(host=host)}'
    )
    asked = [entry for entry in place.registry.switches.requests[before:] if "/manifests/" in entry["path"]]
    assert len(asked) <= 6


def test_credential_is_verified_at_a_registry_that_fails(place: Place) -> None:
    """The registry fails while a credential is verified before it is written.

    "The registry "..." answered HTTP 503: "..." at /v2/; it fails itself, retry later; nothing was written".

    No secret is written with a credential that was not verified.
    """
    place.registry.switches.faults = [Fault(path="/v2/", status=503)]
    run = verifies(place)
    assert (
        run.failure
        == f'The registry "{place.registry.host}" answered HTTP 503: "a fault of the test registry" at /v2/; it fails '
        "itself, retry later; nothing was written"
    )
    assert run.results["verified"][0]["result"] == "failed"
    assert "verified" not in place.secret_names(place.namespaces[0])


def test_module_meets_a_registry_that_does_not_answer(place: Place) -> None:
    """The registry accepts the connection and does not answer a module in time.

    "... could not be reached at ... (no answer within 1 second); check host, port and network".

    That is not retried: it has cost the whole time already.
    """
    place.registry.switches.faults = [Fault(path="/v2/", delay=2.5)]
    run = describes(place)
    host = place.registry.host
    assert run.failure == (
        f'1 of 1 image could not be read:\n- {place.image("v1")}: The registry "{host}" could not be reached at '
        f"https://{host} (no answer within 1 second); check host, port and network"
    )


def test_module_meets_a_registry_that_refuses_connections(place: Place) -> None:
    """The registry refuses the connection of a module.

    "... could not be reached at ... (Connection refused); check host, port and network".

    Three tries at most.
    """
    nowhere = f"localhost:{choose_port(0)}"
    run = place.run("registry_image_info", image=f"{nowhere}/team/web:v1")
    assert run.failure == (
        f'1 of 1 image could not be read:\n- {nowhere}/team/web:v1: The registry "{nowhere}" could not be reached at '
        f"https://{nowhere} (Connection refused); check host, port and network"
    )


@pytest.fixture
def hub(place: Place) -> Iterator[EmbeddedRegistry]:
    """Yield a registry with a token server, and one image."""
    running = start_embedded(RegistryContent(), access=HubAccess("hub", "good"))
    with RegistryClient(RegistryAddress(running.host, "hub", "good", insecure=True)) as client:
        client.push_image("private/web", "v1", ["linux/amd64"], salt="v1")
    yield running
    running.stop()


def describes_by_token(place: Place, hub: EmbeddedRegistry) -> Run:
    login = {"registry": hub.host, "username": "hub", "password": "good", "insecure": True}
    return place.run("registry_image_info", image=f"{hub.host}/private/web:v1", registries=[login], timeout=1)


def verifies_by_token(place: Place, hub: EmbeddedRegistry) -> Run:
    login = {"registry": hub.host, "username": "hub", "password": "good", "insecure": True}
    return place.run("pull_secret", namespace=place.namespaces[0], name="verified", registries=[login], verify=True)


def tokens_asked_for(hub: EmbeddedRegistry, before: int) -> int:
    return len([entry for entry in hub.switches.requests[before:] if entry["path"] == "/token"])


BY_TOKEN = pytest.mark.parametrize(
    "module", [describes_by_token, verifies_by_token], ids=["registry_image_info", "pull_secret"]
)
TOKEN_FAULTS = [
    pytest.param(
        Fault(reset=True), "could not be reached at http://{host} (WHY); check host, port and network", id="reset"
    ),
    pytest.param(
        Fault(cut=True),
        "could not be reached at http://{host} (WHY); check host, port and network",
        id="half an answer",
    ),
    pytest.param(
        Fault(status=429, retry_after="1"),
        'answered HTTP 429: "a fault of the test registry" at its token server; it limits the rate of requests, retry '
        "later",
        id="429",
    ),
    *(
        pytest.param(
            Fault(status=code),
            f'answered HTTP {code}: "a fault of the test registry" at its token server; it fails itself, retry later',
            id=str(code),
        )
        for code in (500, 503, 504)
    ),
]


@BY_TOKEN
@pytest.mark.parametrize("fault", [fault.values[0] for fault in TOKEN_FAULTS], ids=[fault.id for fault in TOKEN_FAULTS])
def test_module_meets_a_token_server_that_fails_once(
    place: Place, hub: EmbeddedRegistry, module: Callable[[Place, EmbeddedRegistry], Run], fault: Fault
) -> None:
    """The token server of a registry resets, ends its answer in the middle, or answers 429, 500, 503 or 504, once.

    Nothing: the task succeeds.

    Three tries, as at the registry itself.
    """
    hub.switches.faults = [dataclasses.replace(fault, path="/token", times=1)]
    before = len(hub.switches.requests)
    assert module(place, hub).failure == ""
    assert tokens_asked_for(hub, before) == 2


@BY_TOKEN
@pytest.mark.parametrize(("fault", "said"), TOKEN_FAULTS)
def test_module_meets_a_token_server_that_fails(
    place: Place, hub: EmbeddedRegistry, module: Callable[[Place, EmbeddedRegistry], Run], fault: Fault, said: str
) -> None:
    """The same for good.

    "The registry "..." could not be reached at ...", "answered HTTP 429: "..." at its token server; it limits the rate
    of requests, retry later", or "answered HTTP 500: "..." at its token server; it fails itself, retry later".

    Three tries at most. No secret is written with a credential that was not verified.
    """
    hub.switches.faults = [dataclasses.replace(fault, path="/token")]
    before = len(hub.switches.requests)
    run = module(place, hub)
    assert f'The registry "{hub.host}" {said.format(host=hub.host)}' in RESET.sub("(WHY)", run.failure)
    assert tokens_asked_for(hub, before) == 3
    assert "verified" not in place.secret_names(place.namespaces[0])


@pytest.mark.parametrize("named", ["3600", "Wed, 21 Oct 2465 07:28:00 GMT"])
@BY_TOKEN
def test_module_meets_a_token_server_that_asks_for_a_long_pause(
    place: Place, hub: EmbeddedRegistry, module: Callable[[Place, EmbeddedRegistry], Run], named: str
) -> None:
    """A registry or its token server asks for more than ten seconds of pause, as a number or as a date.

    "... answered HTTP 429: "..." at its token server; it limits the rate of requests, retry later".

    That is not waited for, nor is it asked again before.
    """
    hub.switches.faults = [Fault(path="/token", status=429, retry_after=named)]
    before = len(hub.switches.requests)
    assert (
        'answered HTTP 429: "a fault of the test registry" at its token server; it limits the rate of requests, retry '
        "later" in module(place, hub).failure
    )
    assert tokens_asked_for(hub, before) == 1


def test_module_meets_a_token_server_that_does_not_answer(place: Place, hub: EmbeddedRegistry) -> None:
    """The token server accepts the connection and does not answer in time.

    "... could not be reached at ... (no answer within 1 second); check host, port and network".

    That is not retried: it has cost the whole time already.
    """
    hub.switches.faults = [Fault(path="/token", delay=2.5)]
    before = len(hub.switches.requests)
    assert "(no answer within 1 second)" in describes_by_token(place, hub).failure
    assert tokens_asked_for(hub, before) == 1


def test_registry_token_expires_in_the_middle(place: Place) -> None:
    """The registry's token expires in the middle of reading a list of images of one repository.

    Nothing: the task succeeds.

    After a 401 a new token is fetched, once, however many requests were refused with the old one.
    """
    access = HubAccess("hub", "good")
    hub = start_embedded(RegistryContent(), access=access)
    try:
        with RegistryClient(RegistryAddress(hub.host, "hub", "good", insecure=True)) as client:
            for tag in ("v1", "v2", "v3"):
                client.push_image("private/web", tag, ["linux/amd64"], salt=tag)
        served = access.refusal
        reads = iter(range(100))

        def refusal(request: t.Any, repository: str) -> t.Any:
            if "/manifests/" in request.path and next(reads) == 3:
                access._known_by_token.clear()
            return served(request, repository)

        access.refusal = refusal  # type: ignore[method-assign]
        login = {"registry": hub.host, "username": "hub", "password": "good", "insecure": True}
        images = [f"{hub.host}/private/web:{tag}" for tag in ("v1", "v2", "v3")]
        before = len(hub.switches.requests)
        run = place.run("registry_image_info", images=images, registries=[login], concurrency=1)
        tokens = [entry for entry in hub.switches.requests[before:] if entry["path"] == "/token"]
    finally:
        hub.stop()
    assert run.failure == ""
    assert len(run.results["images"]) == 3
    assert len(tokens) == 2
