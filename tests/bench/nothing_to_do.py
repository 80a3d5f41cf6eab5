# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that finds nothing to do on 1,000 streams with 5,000 tags, without and with a look at what registries serve."""

from __future__ import annotations

import typing as t
from collections import Counter

from .figures import Figure
from .playbook import module_files
from .processes import Usage, run_module_file
from .scene import Scene

_STREAMS = 1000
_TAGS = 5
_SEEDS = 40
_IMAGES = _SEEDS * _TAGS
_LATENCY = 0.2
_TURNS = 3
_MODULE = "quayside.openshift_images.image_stream_import"


def run(scene: Scene) -> list[Figure]:
    """Return the figures."""
    streams = fill(scene)
    common = {**scene.by_token, "namespace": scene.api.namespace, "insecure": True, "streams": streams}
    files = module_files(
        scene.directory,
        {
            "missing": (_MODULE, {**common, "refresh": "missing"}),
            "drifted": (_MODULE, {**common, "refresh": "drifted"}),
            "one at a time": (_MODULE, {**common, "refresh": "drifted", "concurrency": 1}),
            "download": ("download_streams", {**common, "refresh": "missing"}),
            "without options": (
                "bare_request",
                {**scene.by_token, "path": scene.api.image("imagestreams"), "decode": False},
            ),
        },
    )
    turns = [
        [run_module_file(files[name]) for name in ("missing", "download", "without options")] for _turn in range(_TURNS)
    ]
    ways = list(zip(*turns, strict=True))
    ours, download, bare = (min(usages, key=lambda usage: usage.cpu_seconds) for usages in ways)
    with scene.requests() as sent:
        answer = run_module_file(files["missing"]).answer
    _must_be_idle(answer)
    figures = [
        _processor_time(ours, download, bare),
        _time(*(min(usage.seconds for usage in usages) for usages in ways)),
        Figure(
            "nothing_to_do",
            "HTTP requests of it",
            f"{len(sent)}",
            "a handful",
            "≤",
            5,
            len(sent),
            {"requests": len(sent)},
        ),
        Figure(
            "nothing_to_do",
            "memory of it, MB",
            f"{ours.size:.0f} MB",
            f"limit; the download alone {download.size:.0f} MB",
            "≤",
            150,
            ours.size,
            {},
        ),
    ]
    return figures + _drifted(scene, files)


def _drifted(scene: Scene, files: t.Mapping[str, t.Any]) -> list[Figure]:
    """Lookups in turn and side by side, with a registry as far away as registries are."""
    with scene.requests() as sent:
        answer = run_module_file(files["drifted"]).answer
    _must_be_idle(answer)
    kinds = Counter(f"{request['method']} {request['path'].rsplit('/', 1)[-1]}" for request in sent)
    scene.control.fault(method="POST", path="/imagestreamimports", delay=_LATENCY, count=100_000)
    try:
        turns = [
            [run_module_file(files[name]).seconds for name in ("drifted", "one at a time")] for _turn in range(_TURNS)
        ]
    finally:
        scene.control.clear_faults()
    # The shortest of each: whatever else a busy machine does makes a run longer, never shorter.
    side_by_side, in_turn = (min(seconds) for seconds in zip(*turns, strict=True))
    least = 1 + -(-_IMAGES // 3)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return [
        Figure(
            "nothing_to_do",
            f"HTTP requests with refresh drifted, {_IMAGES} different images",
            f"{len(sent)} ({told})",
            f"a LIST and each image once, three a request: {least}",
            "≤",
            1,
            len(sent) / least,
            {"requests": dict(kinds)},
        ),
        Figure(
            "nothing_to_do",
            f"refresh drifted, each lookup {_LATENCY:g} s away",
            f"8 lookups at a time, {side_by_side:.1f} s",
            f"one at a time, {in_turn:.1f} s",
            "≥",
            4,
            in_turn / side_by_side,
            {"side by side": side_by_side, "in turn": in_turn},
        ),
    ]


def fill(scene: Scene) -> list[dict[str, t.Any]]:
    """Make the streams, and return them as they are declared."""
    scene.delete_streams()
    sources = scene.push("team/idle", _IMAGES, 20)
    seeds = []
    for number in range(_SEEDS):
        tags = {f"t{tag}": sources[number * _TAGS + tag] for tag in range(_TAGS)}
        seeds.append((tags, scene.import_tags("seed", tags)))
        scene.delete_streams()
    declared = []
    for number in range(_STREAMS):
        tags, stored = seeds[number % _SEEDS]
        name = f"idle-{number:04}"
        scene.copy_stream(stored, name)
        declared.append({"name": name, "tags": [{"name": tag, "from": source} for tag, source in tags.items()]})
    return declared


def _processor_time(ours: Usage, download: Usage, bare: Usage) -> Figure:
    usages = {"module": ours, "download": download, "download without options": bare}
    return Figure(
        "nothing_to_do",
        "processor time, refresh missing, 1,000 streams, 5,000 tags, nothing to do",
        f"the module, {ours.cpu_seconds:.2f} s",
        f"a module with the same options that only downloads the LIST, {download.cpu_seconds:.2f} s"
        f" (without options {bare.cpu_seconds:.2f} s, a ratio of {ours.cpu_seconds / bare.cpu_seconds:.2f})",
        "≤",
        2,
        ours.cpu_seconds / download.cpu_seconds,
        {name: {"seconds": usage.seconds, "CPU seconds": usage.cpu_seconds} for name, usage in usages.items()},
    )


def _time(ours: float, download: float, bare: float) -> Figure:
    return Figure(
        "nothing_to_do",
        "time of it, the answer of the API server included",
        f"the module, {ours:.2f} s",
        f"a module without options that only downloads the LIST, {bare:.2f} s (with the same options {download:.2f} s)",
        "≤",
        2,
        ours / bare,
        {"seconds": ours, "download": download, "download without options": bare},
    )


def _must_be_idle(answer: t.Mapping[str, t.Any]) -> None:
    if answer["changed"] or answer["summary"]["tags"] != _STREAMS * _TAGS:
        raise AssertionError(f"there was something to do: {answer['summary']}")
