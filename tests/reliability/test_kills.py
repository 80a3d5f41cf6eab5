# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL at random moments of a run. The numbers are the same in each session: ``QUAYSIDE_SEED`` chooses others.

A docstring is a row of the table in docs/reliability.md: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import threading
import time
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import client as cluster_client
from emulator.faults import Fault

from .jobs import IMPORT, JOBS, LINK, OTHER_WRITES, RECREATION, SAMPLES, SECRET, TAG, Job
from .place import Json, Place
from .running import MODULES, WRITERS, run, set_pace

SEED = int(os.environ.get("QUAYSIDE_SEED", "4"))
# Every request takes so much longer that a moment of a run is more often between two steps than before the first one.
LATENCY = 0.01
MANY_TAGS = [f"v{number}" for number in range(1, 10)]


def many_streams(place: Place) -> Json:
    """Nine tags of a stream that exists, and two streams that do not: created, patched and imported."""
    tags = [{"name": tag, "from": place.image(tag)} for tag in MANY_TAGS]
    policies = {"reference_policy": "Local", "prefer_architecture": "arm64"}
    changed = [{"name": "old", "from": place.image("old"), **policies}]
    streams = [
        {"name": "web", "tags": [*tags, *changed]},
        *({"name": name, "tags": tags[:4], "lookup_policy_local": True} for name in ("one", "two")),
    ]
    return {"namespace": place.namespaces[0], "streams": streams, "refresh": "missing"}


def many_streams_are_there(place: Place) -> bool:
    digests = {name: place.digests(place.namespaces[0], name) for name in ("web", "one", "two")}
    return all(
        len(digests[name].get(tag, [])) == 1
        for name, tags in (("web", [*MANY_TAGS, "old"]), ("one", MANY_TAGS[:4]), ("two", MANY_TAGS[:4]))
        for tag in tags
    )


PURGE = OTHER_WRITES["remove a tag"]
IMPORTS = Job(IMPORT.module, IMPORT.prepare, many_streams, many_streams_are_there, IMPORT.kept, "", "", "")
KILLED = [
    *(pytest.param(job, id=job.name) for job in (IMPORTS, TAG, SECRET, LINK, SAMPLES)),
    pytest.param(RECREATION, id="pull_secret recreate"),
]

OTHERS = [pytest.param(job, id=name) for name, job in OTHER_WRITES.items()]


class Victims:
    """Processes that run a module, forked from one that has everything loaded, so that a life lasts as long as its
    run."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *(f"{MODULES}.{module}" for module in WRITERS)])

    def live(self, module: str, options: Json, moment: float | None = None) -> float:
        """Run to the end, or kill after ``moment`` seconds; returns how long it lived."""
        ours, theirs = self._context.Pipe()
        victim = self._context.Process(target=_run, args=(theirs, module, options))
        victim.start()
        theirs.close()
        ours.recv()
        began = time.monotonic()
        victim.join(moment)
        if moment is not None and victim.pid is not None and victim.is_alive():
            # it may end by itself just now
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim.pid, signal.SIGKILL)
        victim.join(60)
        ours.close()
        assert victim.exitcode in (0, -signal.SIGKILL)
        victim.close()
        return time.monotonic() - began


def _run(ready: t.Any, module: str, options: Json) -> None:
    set_pace()
    ready.send(None)
    run(module, options)


@pytest.fixture(scope="module")
def victims() -> Victims:
    return Victims()


@pytest.mark.rounds(5, 50)
@pytest.mark.parametrize("job", KILLED)
def test_kill_at_any_moment(place: Place, victims: Victims, job: Job, rounds: int) -> None:
    """The run is ended with SIGKILL at a random moment.

    What Ansible says of a module that died. The next run succeeds.

    No entry of a secret or list that somebody else put there is lost: a secret that was just being recreated is
    kept as NAME.former. The next run makes everything as declared, also check mode foresees it, and the one after it
    finds nothing to do.
    """
    chance = random.Random(f"{SEED} {job.name}")
    struck = 0
    life = 0.0
    for turn in range(rounds + 1):
        place.begin_anew()
        job.prepare(place)
        options = {**place.access(), **job.options(place)}
        place.break_api(Fault(delay=LATENCY, count=None))
        if turn == 0:
            life = victims.live(job.module, options)
            assert job.is_done(place)
            continue
        # random, but one in each part of its life
        moment = life * (turn - chance.random()) / rounds
        victims.live(job.module, options, moment)
        # what it has sent may still be under way
        time.sleep(3 * LATENCY)
        place.repair()
        assert job.kept(place), f"something is lost after a kill at {moment:.4f} of {life:.4f} s"
        struck += not job.done(place)
        foreseen = place.run(job.module, **job.options(place), check_mode=True)
        done = place.run(job.module, **job.options(place))
        assert (done.failure, foreseen.failure) == ("", "")
        assert foreseen.changed == done.changed
        assert job.is_done(place), f"not as declared after a kill at {moment:.4f} of {life:.4f} s"
        before = place.versions()
        assert not place.run(job.module, **job.options(place)).changed
        assert place.versions() == before
    # a kill that comes too late for everything shows nothing
    assert struck


class _Killed(BaseException):
    """The process is gone: nothing handles this."""


@pytest.mark.parametrize(
    "job", [*(pytest.param(job, id=job.name) for job in JOBS), pytest.param(IMPORTS, id="many streams"), *OTHERS]
)
def test_end_before_and_after_each_request(place: Place, monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    """The run ends before or after any one of its requests.

    The same.

    The same, for each of its requests and whatever the modules write: new streams and secrets, policies, tags,
    streams and secrets that are deleted, secrets that are recreated, links that are taken away. Only the history
    of a tag that purge_tags removes may stay, for image_stream_tag with state absent to remove.
    """
    send = cluster_client.ClusterClient.request
    lock, sent, end = threading.Lock(), 0, (0, False)

    def request(client: cluster_client.ClusterClient, *given: t.Any, **named: t.Any) -> t.Any:
        nonlocal sent
        with lock:
            sent += 1
            number = sent
        last, is_sent = end
        if last and (number > last or (number == last and not is_sent)):
            raise _Killed
        answer = send(client, *given, **named)
        if number == last:
            raise _Killed
        return answer

    monkeypatch.setattr(cluster_client.ClusterClient, "request", request)
    job.prepare(place)
    assert place.run(job.module, **job.options(place)).failure == ""
    for moment in itertools.product(range(1, sent + 1), (False, True)):
        place.begin_anew()
        job.prepare(place)
        sent, end = 0, moment
        with contextlib.suppress(_Killed):
            place.run(job.module, **job.options(place))
        end = 0, False
        assert job.kept(place), f"something is lost after {moment}"
        foreseen = place.run(job.module, **job.options(place), check_mode=True)
        done = place.run(job.module, **job.options(place))
        assert (done.failure, foreseen.failure) == ("", "")
        assert foreseen.changed == done.changed
        if job == PURGE:
            _finish_the_purge(place)
        assert job.is_done(place), f"not as declared after {moment}"
        assert not place.run(job.module, **job.options(place)).changed


def _finish_the_purge(place: Place) -> None:
    """Remove the history that an ended purge may have left: the tag itself is gone."""
    assert [tag["name"] for tag in place.streams(place.namespaces[0])["web"]["spec"]["tags"]] == ["old"]
    removed = place.run("image_stream_tag", namespace=place.namespaces[0], name="web:v9", state="absent")
    assert removed.failure == ""
