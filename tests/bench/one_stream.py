# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""60 tags of one repository into one stream: the module's requests of three, one request of 60, and what ``oc``
sends."""

from __future__ import annotations

import time
import typing as t

from .figures import Figure
from .playbook import module_files
from .processes import run_module_file
from .scene import Scene, entry

_TAGS = 60
_STREAM = "sixty"
_PATIENT = {"timeout": "300s"}


def run(scene: Scene) -> list[Figure]:
    """Return the figures."""
    sources = {f"v{number}": source for number, source in enumerate(scene.push("team/sixty", _TAGS, _TAGS))}
    tags = [{"name": name, "from": source} for name, source in sources.items()]
    options = {**scene.by_token, "namespace": scene.api.namespace, "name": _STREAM, "insecure": True, "tags": tags}
    files = module_files(scene.directory, {"sixty": ("quayside.openshift_images.image_stream_import", options)})
    ours = min(_fresh(scene, lambda: run_module_file(files["sixty"]).seconds) for _turn in range(3))
    one_request = _fresh(scene, lambda: _one_request(scene, sources))
    whole = _fresh(scene, lambda: _as_oc_does(scene, f"{scene.registry}/team/sixty"))
    seconds = {"module": ours, "one request": one_request, "oc import-image --all": whole}
    return [
        Figure(
            "one_stream",
            "60 tags into one stream",
            f"the module, {ours:.1f} s",
            f"one import request, {one_request:.1f} s",
            "≥",
            10,
            one_request / ours,
            seconds,
        ),
        Figure(
            "one_stream",
            "60 tags into one stream (oc: 50 of them)",
            f"the module, {ours:.1f} s",
            f"the requests of `oc import-image --all`, {whole:.1f} s",
            "≥",
            10,
            whole / ours,
            seconds,
        ),
    ]


def _fresh(scene: Scene, work: t.Callable[[], float]) -> float:
    scene.delete_streams()
    return work()


def _one_request(scene: Scene, sources: t.Mapping[str, str]) -> float:
    began = time.monotonic()
    answer = scene.api.import_images(
        _STREAM, *[entry(name, source) for name, source in sources.items()], query=_PATIENT
    )
    answer.raise_for_status()
    _all_stored(scene, len(sources))
    return time.monotonic() - began


def _as_oc_does(scene: Scene, repository: str) -> float:
    """``oc import-image --all --confirm``: reads the stream, and sends one request for the repository."""
    began = time.monotonic()
    scene.api.send("GET", scene.api.image("imagestreams", _STREAM))
    policy = {"insecure": True, "importMode": "Legacy"}
    spec = {"import": True, "repository": {"from": {"kind": "DockerImage", "name": repository}, "importPolicy": policy}}
    answer = scene.api.send(
        "POST", scene.api.image("imagestreamimports"), {"metadata": {"name": _STREAM}, "spec": spec}, query=_PATIENT
    )
    answer.raise_for_status()
    _all_stored(scene, 50)
    return time.monotonic() - began


def _all_stored(scene: Scene, tags: int) -> None:
    stored = scene.api.stream(_STREAM)["status"]["tags"]
    if len([tag for tag in stored if tag.get("items")]) != tags:
        raise AssertionError(f"{len(stored)} tags were imported, not {tags}")
