# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an API server, its load balancer or the network do now and then, met by the write of every module that writes.

A docstring is a row of the table in docs/reliability.md: the fault, what the user sees, what is guaranteed.
"""

from __future__ import annotations

import dataclasses
import re

import pytest
from emulator.faults import Fault
from registries.ports import choose_port

from .jobs import IMPORT, JOBS, OTHER_WRITES, TAG, Job
from .place import Place
from .running import Run

every_job = pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
OPEN = "; it may have been carried out, so run the task again to see"
NOT_READY = (
    "it is not ready or did not answer in time: run the task again, and look at the state of the API{} if it stays"
)
OF_IMAGES = " (oc get apiservice v1.image.openshift.io, oc get clusteroperator openshift-apiserver)"
# How the operating system and the HTTP library call a connection that the other side has reset.
RESET = re.compile(
    r"\((Remote end closed connection without response|Connection reset by peer|the answer is shorter than "
    r"announced|IncompleteRead[^)]*\)?)\)"
)


def strike(place: Place, job: Job, fault: Fault) -> tuple[Run, Fault]:
    """Run the job while its write meets the fault."""
    fault = place.break_api(dataclasses.replace(fault, method=job.method, path=job.path))
    return place.run(job.module, **job.options(place)), fault


def gets_through(place: Place, job: Job, fault: Fault) -> Run:
    """Assert that the job gets through the fault, says truly what it did, and the next run finds nothing to do."""
    job.prepare(place)
    run, fault = strike(place, job, fault)
    assert fault.hits == fault.count
    assert (run.failure, run.changed) == ("", True)
    place.back_again()
    assert job.is_done(place)
    _finds_nothing_to_do(place, job)
    return run


def fails(place: Place, job: Job, fault: Fault) -> Run:
    """Assert that, if the fault stays, the job fails and says truly what it did.

    Nothing is lost, and once all is well it gets there.
    """
    job.prepare(place)
    run, _fault = strike(place, job, dataclasses.replace(fault, count=None))
    place.repair()
    assert run.failure
    assert job.done(place) is run.changed is False
    assert job.kept(place)
    # bounded, and random, so that many who wait do not come back together
    assert sum(run.waits) <= 60
    assert len(run.waits) <= 16
    assert len(set(run.waits)) == len(run.waits)
    assert place.run(job.module, **job.options(place)).failure == ""
    assert job.is_done(place)
    _finds_nothing_to_do(place, job)
    return run


def _finds_nothing_to_do(place: Place, job: Job) -> None:
    before = place.versions()
    again = place.run(job.module, **job.options(place))
    assert (again.failure, again.changed) == ("", False)
    assert place.versions() == before


def tried(job: Job) -> str:
    """Only an import is repeated by the client itself: it names the version that it was made for."""
    return " (tried 4 times)" if job is IMPORT else ""


@every_job
def test_connection_refused(place: Place, job: Job) -> None:
    """The API server refuses connections from the first request on.

    After four tries: "Cannot read ...: the API server ... refused the connection; check the option host and its
    port, and that it runs".

    Nothing was sent, so nothing is changed.
    """
    job.prepare(place)
    nowhere = f"https://127.0.0.1:{choose_port(0)}"
    before = place.versions()
    run = place.run(job.module, **{**job.options(place), "host": nowhere})
    text = (
        f"the API server {nowhere} refused the connection; check the option host and its port, and that it runs (tried "
        "4 times)"
    )
    assert run.failure == f"Cannot {job.first.format(namespace=place.namespaces[0])}: {text}."
    assert (run.changed, len(run.waits)) == (False, 3)
    assert place.versions() == before


@every_job
@pytest.mark.parametrize("moment", ["before", "after", "middle"])
def test_connection_reset_once(place: Place, job: Job, moment: str) -> None:
    """The connection is reset before the work of a write, after it, or in the middle of the answer.

    Nothing: the task succeeds, and is changed.

    What became of the write is read before it is sent again. It is done once.
    """
    gets_through(place, job, Fault(reset=moment))


@every_job
def test_connection_reset_always(place: Place, job: Job) -> None:
    """Every connection of a write is reset before the work.

    "Cannot ...: the connection to the API server ... broke off before a complete answer came (...); it may have been
    carried out, so run the task again to see".

    The write is sent a few times at most. The next run gets there.
    """
    run = fails(place, job, Fault(reset="before"))
    text = (
        f"the connection to the API server {place.emulator.url} broke off before a complete answer came "
        f"(WHY){tried(job)}{OPEN}"
    )
    assert RESET.sub("(WHY)", run.failure) == job.sentence(place, job.what, text)


@every_job
@pytest.mark.parametrize("moment", ["after", "middle"])
def test_every_answer_is_lost(place: Place, job: Job, moment: str) -> None:
    """Every answer to a write is lost after the work was done.

    Nothing: the task succeeds, and is changed.

    The state is read, and found to be as declared.
    """
    job.prepare(place)
    run, _fault = strike(place, job, Fault(reset=moment, count=None))
    assert (run.failure, run.changed) == ("", True)
    assert job.is_done(place)


@every_job
def test_answer_too_late_once(place: Place, job: Job) -> None:
    """The answer to a write does not come in time; the work is done later.

    Nothing: the task succeeds, and is changed.

    The late write names the version that was read, so it is refused if another one was made meanwhile.
    """
    gets_through(place, job, Fault(delay=2.0))


@every_job
def test_answer_too_late_always(place: Place, job: Job) -> None:
    """No answer to a write comes in time.

    "Cannot ...: the API server ... did not answer completely within ... seconds; it may have been carried out, so
    run the task again to see".

    A request that costs its whole time is tried twice at most before the state is read. The next run gets there.
    """
    job.prepare(place)
    # later than the run lasts, so that none of them is carried out meanwhile
    run, _fault = strike(place, job, Fault(delay=3.0, reset="before", count=None))
    seconds, times = ("1.5", " (tried 2 times)") if job is IMPORT else ("0.5", "")
    text = f"the API server {place.emulator.url} did not answer completely within {seconds} seconds{times}{OPEN}"
    assert run.failure == job.sentence(place, job.what, text)
    assert (job.done(place), run.changed, job.kept(place)) == (False, False, True)
    place.repair()
    assert place.run(job.module, **job.options(place)).changed
    assert job.is_done(place)


@every_job
def test_too_many_requests_for_a_while(place: Place, job: Job) -> None:
    """429 with Retry-After, for a while.

    Nothing: the task succeeds, and is changed.

    The named time is waited, and a random part of up to a quarter more.
    """
    run = gets_through(place, job, Fault(status=429, retry_after=2, count=3))
    assert len(run.waits) == 3
    assert all(2.0 <= wait <= 2.5 for wait in run.waits)


@every_job
def test_too_many_requests_always(place: Place, job: Job) -> None:
    """429 with Retry-After, for good.

    "Cannot ...: the API server ... answered 429 TooManyRequests: ...; it is overloaded and asked to come back later;
    lower the concurrency or run the task again".

    Eight tries and a minute of waiting at most. Nothing is changed.
    """
    run = fails(place, job, Fault(status=429, retry_after=1))
    text = (
        f"the API server {place.emulator.url} answered 429 TooManyRequests: Too many requests, please try again later; "
        "it is overloaded and asked to come back later; lower the concurrency or run the task again"
    )
    assert run.failure == job.sentence(place, job.what, text)


@every_job
@pytest.mark.parametrize("after_work", [False, True], ids=["before", "after"])
def test_internal_error_once(place: Place, job: Job, after_work: bool) -> None:
    """500 once, before or after the work.

    Nothing: the task succeeds, and is changed.

    A 500 may come from a write that was done, so the state is read before it is sent again.
    """
    gets_through(place, job, Fault(status=500, after_work=after_work))


@every_job
def test_internal_error_always(place: Place, job: Job) -> None:
    """500 for good.

    "Cannot ...: the API server ... answered 500 InternalError: ...; this is an error inside the cluster: its API
    server's log says more".

    The write is sent a few times at most. Nothing is changed; the next run gets there.
    """
    run = fails(place, job, Fault(status=500))
    text = (
        f"the API server {place.emulator.url} answered 500 InternalError: Internal error occurred: an error on the "
        "server has prevented the "
        "request from succeeding; this is an error inside the cluster: its API server's log says more"
    )
    assert run.failure == job.sentence(place, job.what, text)


@every_job
def test_unavailable_for_a_while(place: Place, job: Job) -> None:
    """503 for a while.

    Nothing: the task succeeds, and is changed.

    Each wait is about twice as long as the one before, with a random part of half of it.
    """
    run = gets_through(place, job, Fault(status=503, count=3))
    first, second, third = run.waits
    assert 0.25 <= first <= 0.5 <= second <= 1.0 <= third <= 2.0


@every_job
def test_unavailable_always(place: Place, job: Job) -> None:
    """503 for good.

    "Cannot ...: the API server ... answered 503 ServiceUnavailable: ...; it is not ready or did not answer in time:
    run the task again, and look at the state of the API if it stays".

    Eight tries and a minute of waiting at most. Nothing is changed.
    """
    run = fails(place, job, Fault(status=503))
    said = "answered 503 ServiceUnavailable: the server is currently unable to handle the request"
    text = f"the API server {place.emulator.url} {said}; {NOT_READY.format(OF_IMAGES if job in (IMPORT, TAG) else '')}"
    assert run.failure == job.sentence(place, job.what, text)


@every_job
@pytest.mark.parametrize("count", [1, None], ids=["once", "always"])
def test_gateway_timeout_after_the_work(place: Place, job: Job, count: int | None) -> None:
    """504 after the server did the work, once or always.

    Nothing: the task succeeds, and is changed.

    The state is read, and found to be as declared.
    """
    job.prepare(place)
    run, _fault = strike(place, job, Fault(status=504, after_work=True, count=count))
    assert (run.failure, run.changed) == ("", True)
    assert job.is_done(place)
    place.repair()
    _finds_nothing_to_do(place, job)


@every_job
def test_gateway_timeout_always(place: Place, job: Job) -> None:
    """504 for good, and the work is never done.

    "Cannot ...: the API server ... answered 504 ...; it may have been carried out, so run the task again to see";
    for an import "... it is not ready or did not answer in time: ...".

    The write is sent a few times at most. Nothing is changed; the next run gets there.
    """
    run = fails(place, job, Fault(status=504))
    host, said = (
        place.emulator.url,
        "Timeout: request did not complete within requested timeout - context deadline exceeded",
    )
    if job is IMPORT:
        text = f"the API server {host} answered 504 Timeout: {said}; {NOT_READY.format(OF_IMAGES)}"
    else:
        text = f"the API server {host} answered 504 before the work was done: {said}{OPEN}"
    assert run.failure == job.sentence(place, job.what, text)


@every_job
def test_conflicts_for_a_while(place: Place, job: Job) -> None:
    """A storm of conflicts: 409 ten times in a row.

    Nothing: the task succeeds, and is changed.

    Each time the object is read and planned again, after a short random wait.
    """
    gets_through(place, job, Fault(status=409, count=10))


@every_job
def test_conflicts_always(place: Place, job: Job) -> None:
    """A storm of conflicts that does not end.

    "... was changed by somebody else each of the 20 times that it was about to be written; find out who keeps
    changing it, then run the task again".

    20 tries at most, 26 of an import. Nothing is changed; the next run gets there.
    """
    run = fails(place, job, Fault(status=409))
    namespace = place.namespaces[0]
    subject = {
        "image_stream_tag": f"The tag {namespace}/web:stable",
        "pull_secret": f'The secret "pull" in the namespace "{namespace}"',
        "sa_secret_link": f'The service account "builder" in the namespace "{namespace}"',
        "samples_operator": "configs.samples.operator.openshift.io/cluster",
    }.get(job.name)
    keeps = "find out who keeps changing it, then run the task again"
    if subject is None:
        text = (
            f"The image stream {namespace}/web was changed by somebody else each of the 26 times that it was about to "
            f"be written; {keeps}"
        )
        assert text in run.failure
    else:
        assert (
            run.failure
            == f"{subject} was changed by somebody else each of the 20 times that it was about to be written; {keeps}"
        )


@every_job
def test_restart(place: Place, job: Job) -> None:
    """The API server starts again just as a write arrives, and is away for ten seconds.

    Nothing: the task succeeds, and is changed.

    A server that has answered before and refuses connections is waited for, up to a minute.
    """
    run = gets_through(place, job, Fault(outage=0.5))
    assert 3 <= len(run.waits) <= 8


@every_job
def test_away_for_good(place: Place, job: Job) -> None:
    """The API server goes away just as a write arrives, and stays away.

    "Cannot ...: the connection to the API server ... broke off before a complete answer came (...); it may have been
    carried out, so run the task again to see".

    Eight tries and a minute of waiting at most. The next run gets there.
    """
    job.prepare(place)
    run, fault = strike(place, job, Fault(outage=7.0 if job is IMPORT else 4.0))
    host = place.emulator.url
    if job is IMPORT:
        text = (
            f"the API server {host} refused the connection; check the option host and its port, and that it runs "
            f"(tried 8 times){OPEN}"
        )
    else:
        text = f"the connection to the API server {host} broke off before a complete answer came (WHY){OPEN}"
    assert fault.hits == 1
    assert sum(run.waits) <= 120
    assert RESET.sub("(WHY)", run.failure) == job.sentence(place, job.what, text)
    assert run.changed is False
    place.back_again()
    assert (job.done(place), job.kept(place)) == (False, True)
    assert place.run(job.module, **job.options(place)).changed
    assert job.is_done(place)


@pytest.mark.parametrize("job", OTHER_WRITES.values(), ids=OTHER_WRITES)
def test_every_other_write(place: Place, job: Job) -> None:
    """Whatever else the modules write (new streams and secrets, policies, deletions, secrets recreated, links
    taken away) meets these faults once: a reset before or after the work, 429, 500 and 504 before or after the work,
    503, 409, a restart.

    Nothing: the task succeeds, and is changed.

    The same. What is gone already is no error, and what was deleted without an answer is reported as deleted.
    """
    for fault in (
        *(Fault(reset=moment) for moment in ("before", "after")),
        Fault(status=429, retry_after=1),
        *(Fault(status=code, after_work=after) for code in (500, 504) for after in (False, True)),
        Fault(status=503),
        Fault(status=409),
        Fault(outage=0.3),
    ):
        place.begin_anew()
        gets_through(place, job, fault)


@every_job
def test_token_expires(place: Place, job: Job) -> None:
    """The token of the task expires just before a write.

    "Cannot ...: the API server ... answered 401 Unauthorized: Unauthorized; the bearer token of the option api_key
    is wrong or has expired: log in again and pass the new one (oc whoami --show-token)".

    Nothing is retried with that token. With a new one the next run gets there.
    """
    job.prepare(place)
    run, _fault = strike(place, job, Fault(expire="robot"))
    text = (
        f"the API server {place.emulator.url} answered 401 Unauthorized: Unauthorized; the bearer token of the option "
        "api_key is wrong or has expired: log in again and pass the new one (oc whoami --show-token)"
    )
    assert run.failure == job.sentence(place, job.what, text)
    assert (run.changed, run.waits, job.done(place), job.kept(place)) == (False, [], False, True)
    place.log_in()
    assert place.run(job.module, **job.options(place)).changed
    assert job.is_done(place)
