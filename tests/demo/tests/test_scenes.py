# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A demo that cannot fail shows nothing: each claim is broken here once, and has to end the demo with its sentence."""

from __future__ import annotations

import copy
import typing as t
from pathlib import Path

import pytest
from demo.claims import ClaimBrokenError
from demo.cluster import Address, Cluster, Snapshot
from demo.job import PARTNER_PASSWORD, Job
from demo.playbook import Playbook, Run, TaskResult
from demo.scenes import Stage, second_run, upstream_moved
from registries.client import RegistryAddress

SECRET = Address("secrets", "shop", "registries")
WEB = Address("imagestreams", "shop", "web")


def stream(digests: dict[str, str], version: str) -> dict[str, t.Any]:
    """Return an image stream with one level of history."""
    tags = [
        {"name": name, "generation": 1, "from": {"kind": "DockerImage", "name": f"registry/web:{name}"}}
        for name in digests
    ]
    history = [{"tag": name, "items": [{"image": digest, "generation": 1}]} for name, digest in digests.items()]
    return {
        "metadata": {"name": "web", "resourceVersion": version},
        "spec": {"tags": tags},
        "status": {"tags": history},
    }


def state(digests: dict[str, str], version: str = "1") -> Snapshot:
    """Everything that the fake cluster has."""
    secret = {"metadata": {"name": "registries", "resourceVersion": "1"}, "data": {}}
    return Snapshot({WEB: stream(digests, version), SECRET: secret})


class FakeCluster(Cluster):
    """The state that the fake playbook sets."""

    now: t.ClassVar[Snapshot] = Snapshot()

    def __init__(self) -> None:
        """Without a connection."""

    def snapshot(self) -> Snapshot:
        return Snapshot(copy.deepcopy(dict(self.now)))

    def settled(self, seconds: float = 30.0) -> Snapshot:
        return self.snapshot()


class FakePlaybook(Playbook):
    """Runs that were thought up, each with the state of the cluster after it."""

    play: t.ClassVar[list[tuple[Run, Snapshot | None]]] = []

    def run(self, *_options: str, other: str = "") -> Run:
        run, after = self.play.pop(0)
        if after is not None:
            FakeCluster.now = after
        return run


class FakeJob(Job):
    """An upstream without a registry."""

    def move_stable(self) -> str:
        return "sha256:new"


def result(**content: t.Any) -> TaskResult:
    """Return the result of an import."""
    return TaskResult("Import", "image_stream_import", "", "ok", bool(content.get("changed")), content)


def moved(*tags: str, diff: t.Any = None) -> Run:
    """Return a run that reports these tags of shop/web as moved upstream."""
    reported = [{"name": tag, "changed": True, "reasons": ["upstream_moved"]} for tag in tags]
    streams = [{"namespace": "shop", "name": "web", "tags": reported}]
    return Run(0, "", [result(changed=bool(tags), streams=streams, diff=diff)])


NOTHING = Run(0, "ok", [result(changed=False)])
BEFORE = {"stable": "sha256:old", "v1": "sha256:one"}
AFTER = {"stable": "sha256:new", "v1": "sha256:one"}


def stage(*runs: tuple[Run, Snapshot | None]) -> Stage:
    """Return a stage with that play."""
    FakeCluster.now = state(BEFORE)
    FakePlaybook.play = list(runs)
    job = FakeJob({"private": RegistryAddress("registry", "puller", "its-password-123")})
    return Stage(FakeCluster(), job, FakePlaybook("play", {}, {}, Path()), lambda _line: None, Path())


def test_a_run_that_does_nothing_holds() -> None:
    second_run(stage((NOTHING, None), (NOTHING, None)))


def test_a_moved_tag_that_is_followed_holds() -> None:
    upstream_moved(stage((moved("stable"), None), (moved("stable"), state(AFTER, "2"))))


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([(Run(2, "it broke", []), None)], "ended with 2:\nit broke"),
        ([(NOTHING, state(BEFORE, "2"))], "check mode wrote imagestream shop/web"),
        ([(NOTHING, None), (moved("v1"), None)], "check mode predicted the changes"),
        ([(NOTHING, None), (NOTHING, state(BEFORE, "2"))], "the second run wrote imagestream shop/web"),
        ([(moved("v1"), None), (moved("v1"), None)], "the second run changed Import"),
        ([(Run(0, "", [result(warnings=["beware"])]), None)], "warned: beware"),
        ([(Run(2, f"shown {PARTNER_PASSWORD}", []), None)], "shows a password"),
    ],
)
def test_second_run_ends_with_what_did_not_hold(runs: list[tuple[Run, Snapshot | None]], sentence: str) -> None:
    with pytest.raises(ClaimBrokenError) as broken:
        second_run(stage(*runs))
    assert sentence in str(broken.value)
    assert PARTNER_PASSWORD not in str(broken.value)


@pytest.mark.parametrize(
    ("predicted", "done", "after", "sentence"),
    [
        (moved("stable"), moved("v1"), None, "check mode predicted the tags"),
        (moved("stable", diff={"a": 1}), moved("stable", diff={"a": 2}), None, "check mode showed the diff {'a': 1}"),
        (
            moved("stable", "v1"),
            moved("stable", "v1"),
            state(AFTER, "2"),
            "the run reports shop/web/stable, shop/web/v1",
        ),
        (moved("stable"), moved("stable"), None, "tags that are another now: nothing"),
        (moved("stable"), moved("stable"), state({**AFTER, "v1": "sha256:x"}, "2"), "shop/web/stable, shop/web/v1"),
        (moved("stable"), moved("stable"), state({**BEFORE, "stable": "sha256:x"}, "2"), "is sha256:x, not sha256:new"),
    ],
)
def test_upstream_moved_ends_with_what_did_not_hold(
    predicted: Run, done: Run, after: Snapshot | None, sentence: str
) -> None:
    with pytest.raises(ClaimBrokenError) as broken:
        upstream_moved(stage((predicted, None), (done, after)))
    assert sentence in str(broken.value)


def test_a_write_beside_the_moved_stream_is_seen() -> None:
    after = state(AFTER, "2")
    after[SECRET]["metadata"]["resourceVersion"] = "2"
    with pytest.raises(ClaimBrokenError, match="secret shop/registries"):
        upstream_moved(stage((moved("stable"), None), (moved("stable"), after)))
