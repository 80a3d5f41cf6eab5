# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the PUT of a manifest to the new item of the stream, with the real parts; what is lost; what a push costs a
large cluster."""

from __future__ import annotations

import statistics
import time
import typing as t

from push.scene import Scene as PushScene

from .figures import Figure
from .nothing_to_do import fill
from .playbook import module_files
from .processes import run_module_file
from .scene import Scene

_BENCH = "pushes"
_TIMED = 50
_REPOSITORIES = 20
_TAGS = 10
# The cluster's own schedule, and a usual interval of those who run a task instead. Both are waited for half of it, on
# average.
_SCHEDULE = 900.0
_POLLING = 60.0
_MODULE = "quayside.openshift_images.image_stream_refresh"


def run(scene: Scene) -> list[Figure]:
    """Return the figures."""
    with PushScene(scene.directory / "push") as pushing:
        figures = _times(pushing)
        figures += _losses(pushing)
    return [*figures, *_large_cluster(scene)]


def _times(scene: PushScene) -> list[Figure]:
    """Pushes one after another, each of another repository, so that each is a first one."""
    for number in range(_TIMED):
        scene.push(f"timed/{number}", "v1", f"{number} old")
        scene.declare(f"timed-{number}", {"v1": f"timed/{number}:v1"})
    _settle()
    took = []
    for number in range(_TIMED):
        digest = scene.push(f"timed/{number}", "v1", f"{number} new")
        took.append(scene.wait(f"timed-{number}", "v1", digest))
    half, most = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    details = {"seconds": took}
    what = f"from a push to the new image of the tag, {_TIMED} pushes, s"
    return [
        Figure(_BENCH, f"{what}, median", f"{half:.2f} s", _others(0.5), "≤", 2, half, details),
        Figure(_BENCH, f"{what}, 95 of 100", f"{most:.2f} s", _others(0.95), "≤", 3, most, details),
    ]


def _others(part: float) -> str:
    """Return how long that part of pushes waits at the most for those who ask at intervals: any moment of one is as
    likely."""
    return (
        f"the schedule, {part * _SCHEDULE:.0f} s; a task every minute, {part * _POLLING:.0f} s and its run (both "
        "computed)"
    )


def _losses(scene: PushScene) -> list[Figure]:
    """Bursts over many tags of some repositories: without a break, and with a rulebook that is restarted in between."""
    calm, _all = _lost(scene, "calm", restart=False)
    restarted, expected = _lost(scene, "restart", restart=True)
    scene.play("drift", variables={"drift_correct": True, "image_streams_desired": _declared(scene, expected)})
    left = len(_missing(scene, expected))
    pushes = _REPOSITORIES * _TAGS
    return [
        Figure(_BENCH, f"lost of {pushes} pushes, no drift run", str(calm), "none", "≤", 0, calm, {}),
        Figure(
            _BENCH,
            f"lost of {pushes} pushes with a restart of the rulebook, no drift run",
            str(restarted),
            f"the {_TAGS} that were sent while it was down",
            "≤",
            _TAGS,
            restarted,
            {},
        ),
        Figure(_BENCH, "left of them after the next drift run that corrects", str(left), "none", "≤", 0, left, {}),
    ]


def _lost(scene: PushScene, name: str, *, restart: bool) -> tuple[int, dict[tuple[str, str], str]]:
    """Return how many pushes did not arrive, and the digest that each stream's tag should have."""
    tags = [f"t{number}" for number in range(_TAGS)]
    for number in range(_REPOSITORIES):
        for tag in tags:
            scene.push(f"{name}/{number}", tag, f"{name} {number} {tag} old")
        scene.declare(f"{name}-{number}", {tag: f"{name}/{number}:{tag}" for tag in tags})
    _settle()
    expected: dict[tuple[str, str], str] = {}
    for number in range(_REPOSITORIES):
        down = restart and number == _REPOSITORIES // 2
        if down:
            # A stop ends what is under way, so that only what nobody hears is counted.
            _lacking(scene, expected)
            scene.rulebook.stop()
        for tag in tags:
            expected[f"{name}-{number}", tag] = scene.push(f"{name}/{number}", tag, f"{name} {number} {tag} new")
        if down:
            scene.rulebook.start()
    return _lacking(scene, expected), expected


def _lacking(scene: PushScene, expected: t.Mapping[tuple[str, str], str]) -> int:
    """Wait until every tag has its digest, or for five minutes; return how many have not."""
    deadline = time.monotonic() + 300
    missing = dict(expected)
    while missing and time.monotonic() < deadline:
        time.sleep(1)
        missing = _missing(scene, missing)
    return len(missing)


def _missing(scene: PushScene, expected: t.Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    return {key: digest for key, digest in expected.items() if digest not in scene.history(*key)[:1]}


def _declared(scene: PushScene, expected: t.Iterable[tuple[str, str]]) -> list[dict[str, t.Any]]:
    """Return the streams as a job declares them."""
    streams: dict[str, list[dict[str, t.Any]]] = {}
    for stream, tag in expected:
        source = f"{scene.registry.host}/{stream.replace('-', '/')}:{tag}"
        streams.setdefault(stream, []).append({"name": tag, "from": source, "insecure": True, "scheduled": True})
    return [{"namespace": "shop", "name": name, "tags": tags} for name, tags in streams.items()]


def _settle() -> None:
    """Wait until what the preparations were about is over."""
    time.sleep(20)


def _large_cluster(scene: Scene) -> list[Figure]:
    """Return a push that one of 5,000 tags tracks."""
    streams = fill(scene)
    source = streams[0]["tags"][0]["from"]
    registry, _slash, rest = source.partition("/")
    repository, _colon, tag = rest.rpartition(":")
    push = {"registry": registry, "repository": repository, "tag": tag, "digest": "sha256:" + "0" * 64}
    options: dict[str, t.Any] = {
        **scene.by_token,
        "pushes": [push],
        "only_scheduled": False,
        "label_selectors": [],
        "results": "changed",
    }
    files = module_files(scene.directory, {"refresh": (_MODULE, options)})
    with scene.requests() as sent:
        usage = run_module_file(files["refresh"])
    tracked = usage.answer["summary"]["tags"]
    kinds = sorted({f"{request['method']} {request['path'].rsplit('/', 1)[-1]}" for request in sent})
    least = 2 + tracked
    return [
        Figure(
            _BENCH,
            f"HTTP requests of a push that {tracked} of 5,000 tags track",
            f"{len(sent)} ({', '.join(kinds)})",
            f"a LIST of the streams, one of the mirrors, {tracked} imports",
            "≤",
            1,
            len(sent) / least,
            {"requests": len(sent)},
        ),
        Figure(
            _BENCH,
            "memory of it, MB",
            f"{usage.size:.0f} MB",
            "limit",
            "≤",
            150,
            usage.size,
            {"seconds": usage.seconds},
        ),
    ]
