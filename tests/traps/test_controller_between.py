# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The import controller of a real cluster acts at any point between two of the engine's requests, and in the middle
of an import.

Whatever the past of a stream, whatever is declared: check mode foresees the report of the run, the run ends with
what is declared, and neither the next run nor the controller finds anything to do.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from traps.conftest import OpenScene
from traps.scene import Json, ListeningClient, Run, Scene, Sent
from traps.test_random_pasts import declaration, interfere, sources

_STEPS = 2
_LAST_POINT = 10
# An example takes about as long as a hundred of a property without servers.
_EXAMPLES = max(12, examples.max_examples // 100)
_POINTS = st.dictionaries(st.integers(2, _LAST_POINT), st.sampled_from(["before", "during"]), max_size=_LAST_POINT)


@dataclass
class Interference:
    """Lets the controller act at some requests of a run: by their number from 1, before them or during them."""

    scene: Scene
    points: t.Mapping[int, str]
    count: int = 0
    acted: list[t.Any] = field(default_factory=list)

    def before(self, _sent: Sent) -> None:
        """Act before a request."""
        self.count += 1
        point = self.points.get(self.count)
        if point == "before":
            self.acted.append((self.count, self.scene.control.let_import(self.scene.namespace)))
        elif point == "during":
            self.scene.control.clear_faults()
            self.scene.control.fault(path=f"{self.scene.namespace}/imagestreamimports", imports="during")

    def client(self) -> ListeningClient:
        """Return a client that is interfered with."""
        client = self.scene.client()
        client.before = self.before
        return client


def differences(foreseen: t.Any, done: t.Any, path: str = "") -> list[str]:
    """If a run reports something else than check mode."""
    if isinstance(foreseen, dict) and isinstance(done, dict):
        return [
            text
            for key in sorted({*foreseen, *done})
            for text in differences(foreseen.get(key), done.get(key), f"{path}.{key}")
        ]
    if isinstance(foreseen, list) and isinstance(done, list) and len(foreseen) == len(done):
        return [
            text
            for index, (one, other) in enumerate(zip(foreseen, done, strict=True))
            for text in differences(one, other, f"{path}[{index}]")
        ]
    return [] if foreseen == done else [f"{path}: foreseen {foreseen!r}, done {done!r}"]


def told(run: Run) -> Json:
    """Return what a run reports."""
    report = run.report
    return {
        "changed": report.changed,
        "results": report.results,
        "before": report.before,
        "after": report.after,
        "failure": report.failure,
    }


def hold(scene: Scene, points: t.Mapping[int, str], options: Json) -> list[Sent]:
    """Assert what has to hold for a run that the controller acts between; return the requests of the run."""
    began = scene.stream() if "web" in scene.versions() else {}
    foreseen = scene.run(check_mode=True, concurrency=1, **options)
    interference = Interference(scene, points)
    done = scene.run(client=interference.client(), concurrency=1, **options)
    scene.control.clear_faults()

    sent = [
        (one.method, one.path.rpartition("/")[2], one.looks_up, [image["to"]["name"] for image in one.imports])
        for one in done.sent
    ]
    acted = f"points {points}, where the controller imported {interference.acted}"
    how = f"\nfrom {began.get('spec')} {began.get('status')}\ndeclared {options}\n{acted}\nsent {sent}"
    found = differences(told(foreseen), told(done))
    assert not found, "\n".join(found) + how
    scene.control.let_import(scene.namespace)
    settled = scene.versions()
    # A list that the server refuses to store is tried for ever (contract case list_entry_without_platform).
    left = [one for one in scene.control.let_import(scene.namespace) if one["code"] != 422]
    assert not left, f"the controller still imports {left}{how}"
    again = scene.run(concurrency=1, **options)
    assert not again.report.changed, f"the next run changes {again.changes}{how}"
    assert scene.versions() == settled, f"the next run, or the controller after this one, wrote something{how}"
    return done.sent


def tag(name: str, source: str, **options: t.Any) -> Json:
    """Return an entry of ``tags``."""
    return {"name": name, "from": source, **options}


def nothing(_scene: Scene) -> None:
    """No past."""


def single(scene: Scene) -> None:
    """Create a tag of a single image, kept whole in name only."""
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})


def flipped_by_hand(scene: Scene) -> None:
    """Somebody has just set another import mode, and the controller has yet to see it."""
    scene.import_as_others(v1={"from": f"{scene.web}:v1", "spec": {"importPolicy": {"importMode": "PreserveOriginal"}}})
    scene.patch_tag("v1", importPolicy={"importMode": "Legacy"})


def pointed_to_nothing(scene: Scene) -> None:
    """Somebody has just set a source that is not there."""
    scene.import_as_others(v1={"from": f"{scene.web}:v1"})
    scene.patch_tag("v1", **{"from": {"kind": "DockerImage", "name": f"{scene.web}:absent"}})


def not_there(scene: Scene) -> None:
    """Somebody has just created the stream with a tag that the registry does not have."""
    tags = [{"name": name, "from": {"kind": "DockerImage", "name": f"{scene.web}:{name}"}} for name in ("v1", "absent")]
    scene.api.send(
        "POST", scene.api.image("imagestreams"), {"metadata": {"name": "web"}, "spec": {"tags": tags}}
    ).raise_for_status()


def created_by_hand(scene: Scene) -> None:
    """Somebody has just created the stream with a tag that is declared and one that is not."""
    tags = [{"name": name, "from": {"kind": "DockerImage", "name": f"{scene.web}:{name}"}} for name in ("v1", "v2")]
    scene.api.send(
        "POST", scene.api.image("imagestreams"), {"metadata": {"name": "web"}, "spec": {"tags": tags}}
    ).raise_for_status()


SITUATIONS: dict[str, tuple[Callable[[Scene], None], Callable[[Scene], Json]]] = {
    "a new stream": (nothing, lambda scene: {"tags": [tag(name, f"{scene.web}:{name}") for name in ("v1", "v2")]}),
    "a new stream with a preference": (
        nothing,
        lambda scene: {
            "tags": [
                tag("v1", f"{scene.web}:v1"),
                tag("arm", f"{scene.web}:v1", prefer_architecture="arm64", import_mode="Legacy"),
            ]
        },
    ),
    "a new stream with a tag that is not there": (
        nothing,
        lambda scene: {
            "tags": [
                tag("v1", f"{scene.web}:v1", prefer_architecture="arm64"),
                tag("none", f"{scene.web}:absent", prefer_architecture="arm64"),
            ]
        },
    ),
    "another mode of a single image": (
        single,
        lambda scene: {"tags": [tag("v2", f"{scene.web}:v2", import_mode="PreserveOriginal")]},
    ),
    "another name of the same image": (
        single,
        lambda scene: {"tags": [tag("v2", f"{scene.web}@{scene.digest('v2')}")]},
    ),
    "a new preference and a new tag": (
        single,
        lambda scene: {
            "tags": [
                tag("v2", f"{scene.web}:v1", prefer_architecture="ppc64le"),
                tag("v1", f"{scene.web}:v1", prefer_os="linux"),
            ]
        },
    ),
    "a mode set by hand": (
        flipped_by_hand,
        lambda scene: {"tags": [tag("v1", f"{scene.web}:v1", import_mode="PreserveOriginal")]},
    ),
    "a mode set by hand that is declared": (
        flipped_by_hand,
        lambda scene: {"tags": [tag("v1", f"{scene.web}:v1", import_mode="Legacy")]},
    ),
    "a source set by hand": (pointed_to_nothing, lambda scene: {"tags": [tag("v1", f"{scene.web}:v1")]}),
    "a stream created by hand, with a purge": (
        created_by_hand,
        lambda scene: {"tags": [tag("v1", f"{scene.web}:v1", scheduled=True)], "purge_tags": True},
    ),
    "a tag set by hand that is not there": (
        not_there,
        lambda scene: {"tags": [tag(name, f"{scene.web}:{name}") for name in ("v1", "absent")]},
    ),
    "forced": (
        single,
        lambda scene: {"tags": [tag("v2", f"{scene.web}:v2"), tag("v1", f"{scene.web}:v1")], "refresh": "always"},
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_controller_acts_at_each_point_in_turn(open_scene: OpenScene, situation: str) -> None:
    """A running import controller acts between any two requests of a run, and in the middle of an import: 409 (2.11,
    ctl_created_with_preference).

    Check mode foresees the report all the same, and afterwards neither the next run nor the controller finds
    anything to do.
    """
    before, declared = SITUATIONS[situation]
    failed = []
    points: list[dict[int, str]] = [{}]
    for number in range(2, _LAST_POINT):
        points += [{number: "before"}, {number: "during"}]
    points += [dict.fromkeys(range(2, 2 * _LAST_POINT), moment) for moment in ("before", "during")]
    needed = _LAST_POINT
    for point in points:
        if min(point, default=0) > needed and len(point) == 1:
            continue
        with open_scene() as scene:
            scene.secret("pull", {scene.hosts["private"]: scene.good_credential()})
            before(scene)
            try:
                needed = len(hold(scene, point, declared(scene)))
            except AssertionError as error:
                failed.append(f"{point}: {error}")
    assert not failed, "\n\n".join(failed)


@settings(examples, max_examples=_EXAMPLES)
@given(random=st.randoms(use_true_random=False), points=_POINTS, rested=st.booleans())
def test_the_controller_acts_at_any_points(
    open_scene: OpenScene, random: Random, points: dict[int, str], rested: bool
) -> None:
    """What the controller still has to do when a run begins, it may do at any point of it, whatever somebody did
    before (2.11, ctl_failures).

    That holds for random pasts, declarations and points; ``rested``: the controller had nothing left to do when the
    run began.
    """
    with open_scene() as scene:
        scene.secret("pull", {scene.hosts["private"]: scene.good_credential()})
        images = sources(scene)
        for _step in range(_STEPS):
            interfere(random, images, scene)
        if rested:
            scene.control.let_import(scene.namespace)
        options = declaration(random, images, scene)
        hold(scene, points, options)
