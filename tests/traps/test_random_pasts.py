# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Streams with a random past, and random declarations: what every scene keeps has to hold whatever somebody did before.

``--pasts N`` makes it N pasts instead of a few; a failing one is repeated with ``-k past_NUMBER``.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from random import Random

import pytest

from traps.scene import Json, Scene

_STEPS = 4
_NAMES = "abcd"
_MODES = ("Legacy", "PreserveOriginal")
_POLICIES: dict[str, tuple[t.Any, ...]] = {
    "import_mode": _MODES,
    "reference_policy": ("Source", "Local"),
    "scheduled": (True, False),
    "insecure": (True, True, False),
    "prefer_architecture": ("arm64", "ppc64le", "amd64", ""),
    "prefer_os": ("linux", "windows", ""),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a past."""
    if "past" in metafunc.fixturenames:
        numbers = range(metafunc.config.getoption("pasts"))
        metafunc.parametrize("past", numbers, ids=[f"past_{number}" for number in numbers])


def sources(scene: Scene) -> list[str]:
    """Return lists, single images, an index, one with an entry that names no platform, digests of both kinds; and what
    is not there."""
    private, plain = scene.hosts["private"], scene.hosts["plain"]
    recorded = (scene.fleet.contents or {})["private"].repositories["team/web"].tags
    found = [f"{scene.web}:{tag}" for tag in ("v1", "v2", "v3", "latest", "absent")]
    found += [f"{scene.web}@{recorded[tag]}" for tag in ("v1", "v2")]
    found += [
        f"{private}/team/{image}" for image in ("api:v1", "api:v2", "oci:v1", "odd:v1", "absent:v1", "moving:latest")
    ]
    return [*found, f"{plain}/team/plain:v1", f"{plain}/team/plain:v2"]


def declaration(random: Random, images: list[str], scene: Scene) -> Json:
    """Options of the module for one stream."""
    if random.random() < 0.07:
        return {"state": "absent"}
    declared = _some(random, {"insecure": (True,), "import_mode": _MODES}, 0.2)
    declared |= _some(
        random,
        {
            "refresh": ("missing", "drifted", "always"),
            "purge_tags": (True, False),
            "lookup_policy_local": (True, False),
        },
        0.3,
    )
    if random.random() < 0.1:
        declared["repository"] = random.choice([scene.web, f"{scene.hosts['private']}/team/api"])
        return declared | _some(random, {"tag_patterns": (["v*"], ["v1", "l*"])}, 0.5)
    names = [name for name in _NAMES if random.random() < 0.55]
    declared["tags"] = [
        {"name": name, "from": random.choice(images), **_some(random, _POLICIES, 0.3)} for name in names
    ]
    if not names and not declared.get("purge_tags"):
        declared.setdefault("lookup_policy_local", True)
    return declared


def _some(random: Random, options: t.Mapping[str, tuple[t.Any, ...]], share: float) -> Json:
    return {option: random.choice(values) for option, values in options.items() if random.random() < share}


def interfere(random: Random, images: list[str], scene: Scene) -> None:
    """Do what somebody else does to the stream, or to the registry."""
    if "web" not in scene.versions():
        if random.random() < 0.5:
            policy = {"importPolicy": {"insecure": True, "importMode": "Legacy"}}
            scene.import_as_others(**{name: {"from": random.choice(images), "spec": policy} for name in "ab"})
        return
    names = [tag["name"] for tag in scene.stream()["spec"].get("tags", [])]
    if not names or random.random() < 0.2:
        platforms = random.choice([("linux/amd64",), ("linux/amd64", "linux/arm64")])
        scene.push("team/moving", "latest", platforms, salt=str(random.random()))
        return
    name = random.choice(names)

    def put(**reference: t.Any) -> None:
        scene.api.send(
            "PUT",
            scene.api.image("imagestreamtags", f"web:{name}"),
            {"metadata": {"name": f"web:{name}"}, "tag": reference},
        )

    deeds: list[Callable[[], t.Any]] = [
        lambda: put(**{"from": {"kind": "ImageStreamTag", "name": random.choice(names)}}),
        lambda: put(**{"from": {"kind": "DockerImage", "name": random.choice(images)}, "generation": 0}),
        lambda: scene.patch_tag(name, importPolicy={"importMode": random.choice(_MODES)}),
        lambda: scene.patch_tag(name, reference=random.choice([True, False])),
        lambda: scene.patch_tag(name, generation=0),
        lambda: scene.patch({"tags": [{"name": name, "$patch": "delete"}]}),
    ]
    random.choice(deeds)()


def test_whatever_was_before(scene: Scene, past: int) -> None:
    """Check mode foresees the run, and the run after it writes nothing."""
    random, images = Random(past), sources(scene)
    if random.random() < 0.2:
        scene.control.change(default_import_mode="PreserveOriginal")
    for _step in range(_STEPS):
        interfere(random, images, scene)
        scene.converge(**declaration(random, images, scene))


def test_whatever_was_before_is_done_where_it_is_approved(scene: Scene, past: int) -> None:
    """A run that may do what check mode has shown, and nothing else, does all of that; one that may do nothing
    writes nothing."""
    random, images = Random(past), sources(scene)
    for _step in range(_STEPS):
        interfere(random, images, scene)
        options = {**declaration(random, images, scene), "refresh": random.choice(["missing", "drifted"])}
        shown = scene.run(check_mode=True, **options)
        before = scene.versions()
        assert scene.run(approved=[], **options).writes == []
        assert scene.versions() == before
        done = scene.run(approved=[change["id"] for change in shown.changes], **options)
        assert not done.held_back
        assert [change["id"] for change in done.changes] == [change["id"] for change in shown.changes]
        assert scene.run(check_mode=True, **options).changes == []
