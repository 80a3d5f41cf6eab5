# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many writers of one object at once, at the pace of real life: nobody's work is lost, and nobody sees an error.

A docstring is a row of the table in docs/reliability.md: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import functools
import json
import random
import threading
import time
import typing as t
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from emulator.client import IMAGE, ApiClient

from .jobs import FOREIGN
from .place import STRATEGIC_MERGE, Json, Place
from .running import Run, set_pace

ACCOUNT = "builder"
LISTS = ("imagePullSecrets", "secrets")


@pytest.fixture(autouse=True)
def at_the_pace_of_real_life(place: Place) -> None:
    set_pace(1)


def together(work: Sequence[Callable[[], t.Any]]) -> list[t.Any]:
    """Do everything at once, each in a thread of its own; returns what came of it."""
    start = threading.Barrier(len(work))

    def begin(one: Callable[[], t.Any]) -> t.Any:
        start.wait(30)
        return one()

    with ThreadPoolExecutor(max_workers=len(work)) as pool:
        return [future.result(120) for future in [pool.submit(begin, one) for one in work]]


class OtherClients:
    """Others who write the service account in ways of their own, and do it right."""

    def __init__(self, place: Place, path: str) -> None:
        self._emulator = place.emulator
        self._path = path

    def mount(self, number: int, adds: bool) -> None:
        """Send a strategic merge patch of one entry of ``secrets``, which the server merges by name: no version is
        needed."""
        entry = {"name": f"m{number}"} if adds else {"$patch": "delete", "name": f"m{number}"}
        with self._api() as api:
            api.send("PATCH", self._path, {"secrets": [entry]}, content_type=STRATEGIC_MERGE).raise_for_status()

    def pull(self, number: int, adds: bool) -> None:
        """One entry of ``imagePullSecrets`` more or less."""
        name = f"p{number}"
        self._replace(lambda names: [*names, name] if adds else [one for one in names if one != name])

    def drop_dockercfg(self) -> None:
        """Do what a careless playbook does to the cluster's own secret."""
        self._replace(lambda names: [one for one in names if "-dockercfg-" not in one])

    def _replace(self, change: Callable[[list[str]], list[str]]) -> None:
        """Patch ``imagePullSecrets``, which the server replaces: read, patch with the version, again after 409."""
        with self._api() as api:
            for _turn in range(200):
                found = api.send("GET", self._path).json()
                wanted = change([entry["name"] for entry in found.get("imagePullSecrets") or []])
                body = {
                    "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                    "imagePullSecrets": [{"name": name} for name in wanted],
                }
                answer = api.send("PATCH", self._path, body, content_type=STRATEGIC_MERGE)
                if answer.status_code != requests.codes.conflict:
                    answer.raise_for_status()
                    return
                time.sleep(random.uniform(0, 0.1))
        raise AssertionError("the other client was never fast enough")

    def _api(self) -> ApiClient:
        return ApiClient(self._emulator.url, self._emulator.ca_file, self._emulator.admin_token)


def _link(place: Place, number: int, state: str) -> Run:
    options = {"service_account": ACCOUNT, "secrets": [f"l{number}"], "for": ["pull", "mount"], "state": state}
    return place.run("sa_secret_link", namespace=place.namespaces[0], **options)


@pytest.mark.rounds(3, 200)
def test_twenty_writers_of_a_service_account(place: Place, rounds: int) -> None:
    """Twenty writers of one service account at once: this module, strategic merge patches, and the controller that
    puts its dockercfg back.

    Nothing: each task succeeds.

    Every entry that somebody added stays, each one removed stays removed, and the cluster's own secret is in both
    lists in the end.
    """
    namespace = place.namespaces[0]
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{ACCOUNT}"
    place.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": ACCOUNT}})
    for name in [f"{letter}{number}" for letter in "lmpu" for number in range(8)]:
        place.put_secret(namespace, name, FOREIGN)
    others = OtherClients(place, path)
    with place.service_account_controller():
        expected: dict[str, set[str]] = {name: set() for name in LISTS}
        for turn in range(rounds):
            adds = turn % 2 == 0
            state = "present" if adds else "absent"

            work: list[Callable[[], t.Any]] = [functools.partial(_link, place, number, state) for number in range(8)]
            work += [functools.partial(others.mount, number, adds) for number in range(6)]
            work += [functools.partial(others.pull, number, adds) for number in range(5)]
            runs = [run for run in together([*work, others.drop_dockercfg]) if isinstance(run, Run)]
            assert [(run.failure, run.changed) for run in runs] == [("", True)] * 8
            change = set.union if adds else set.difference
            expected["imagePullSecrets"] = change(
                expected["imagePullSecrets"], {*(f"l{n}" for n in range(8)), *(f"p{n}" for n in range(5))}
            )
            expected["secrets"] = change(
                expected["secrets"], {*(f"l{n}" for n in range(8)), *(f"m{n}" for n in range(6))}
            )
            _wait_for_dockercfg(place, namespace)
            for name in LISTS:
                names = place.links(namespace, ACCOUNT, name)
                own = [one for one in names if "-dockercfg-" in one]
                assert len(own) == 1
                assert sorted(names) == sorted([*expected[name], *own]), f"round {turn}"


def _wait_for_dockercfg(place: Place, namespace: str) -> None:
    deadline = time.monotonic() + 10
    while not all(any("-dockercfg-" in one for one in place.links(namespace, ACCOUNT, name)) for name in LISTS):
        assert time.monotonic() < deadline, "the controller did not put its secret back"
        time.sleep(0.05)


@pytest.mark.rounds(1, 20)
@pytest.mark.parametrize("refresh", ["missing", "always"])
def test_eight_imports_of_the_same_streams(place: Place, rounds: int, refresh: str) -> None:
    """Eight runs of image_stream_import on the same streams at once.

    Nothing: each task succeeds.

    The state is that of one run, with one history item a tag. The next run finds nothing to do.
    """
    namespace = place.namespaces[0]
    tags = [
        {"name": f"v{number}", "from": place.image(f"v{number}"), "reference_policy": "Local"} for number in range(1, 8)
    ]

    def declared(name: str) -> Json:
        streams = [{"name": f"{name}-{number}", "tags": tags, "lookup_policy_local": True} for number in range(3)]
        return {"namespace": namespace, "streams": streams, "refresh": refresh}

    alone = place.run("image_stream_import", **declared("alone"))
    assert alone.failure == ""
    for turn in range(rounds):
        name = f"shared{turn}"
        runs = together([lambda name=name: place.run("image_stream_import", **declared(name))] * 8)
        assert [run.failure for run in runs] == [""] * 8
        assert any(run.changed for run in runs)
        for number in range(3):
            assert _meaning(place, namespace, f"{name}-{number}") == _meaning(place, namespace, f"alone-{number}")
            assert all(len(items) == 1 for items in place.digests(namespace, f"{name}-{number}").values())
        before = place.versions()
        again = place.run("image_stream_import", **{**declared(name), "refresh": "missing"})
        assert (again.failure, again.changed) == ("", False)
        assert place.versions() == before
        for number in range(3):
            place.call("DELETE", f"{IMAGE}/namespaces/{namespace}/imagestreams/{name}-{number}")


def _meaning(place: Place, namespace: str, name: str) -> Json:
    """Return what a stream is, without what tells when and how often it was written, and its own name."""
    stream = place.streams(namespace)[name]
    meant: Json = json.loads(json.dumps({"spec": stream["spec"], "tags": place.digests(namespace, name)}))
    for tag in meant["spec"]["tags"]:
        del tag["generation"]
    return meant


@pytest.mark.rounds(2, 20)
def test_ten_writers_of_a_pull_secret(place: Place, rounds: int) -> None:
    """Ten runs of pull_secret with update merge, each with a registry of its own, on one secret at once, new or not.

    Nothing: each task succeeds.

    All ten registries are there, and those that were there before.
    """
    namespace = place.namespaces[0]
    for turn in range(rounds):
        name = f"pull{turn}"
        if turn % 2:
            place.put_secret(namespace, name, FOREIGN)

        def add(number: int, name: str = name) -> Run:
            registry = {"registry": f"r{number}.example", "username": "puller", "password": f"own-{number}"}
            return place.run("pull_secret", namespace=namespace, name=name, registries=[registry], check_others=False)

        runs = together([lambda n=n: add(n) for n in range(10)])
        assert [(run.failure, run.changed) for run in runs] == [("", True)] * 10
        kept = {"foreign.example": "other:theirs"} if turn % 2 else {}
        assert place.logins(namespace, name) == {**{f"r{n}.example": f"puller:own-{n}" for n in range(10)}, **kept}


@pytest.mark.rounds(2, 20)
def test_ten_writers_of_a_secret_that_has_to_be_created_anew(place: Place, rounds: int) -> None:
    """The same if the secret has to be deleted and recreated first, and each run would do it (recreate).

    Nothing: each task succeeds.

    The same, and no copy of the former secret stays.
    """
    namespace = place.namespaces[0]
    for turn in range(rounds):
        name = f"anew{turn}"
        place.put_secret(namespace, name, FOREIGN, kind="Opaque")

        def add(number: int, name: str = name) -> Run:
            registry = {"registry": f"r{number}.example", "username": "puller", "password": f"own-{number}"}
            return place.run(
                "pull_secret", namespace=namespace, name=name, registries=[registry], recreate=True, check_others=False
            )

        runs = together([lambda n=n: add(n) for n in range(10)])
        assert [(run.failure, run.changed) for run in runs] == [("", True)] * 10
        assert place.logins(namespace, name) == {
            **{f"r{n}.example": f"puller:own-{n}" for n in range(10)},
            "foreign.example": "other:theirs",
        }
        assert f"{name}.former" not in place.secret_names(namespace)
