# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""200 streams of one tag: one task for all, and a loop of tasks for one each."""

from __future__ import annotations

from collections import Counter

from .figures import Figure
from .playbook import run_playbook
from .scene import Scene

_STREAMS = 200
_MODULE = "quayside.openshift_images.image_stream_import"


def run(scene: Scene) -> list[Figure]:
    """Return the figures."""
    sources = scene.push("team/many", _STREAMS, 20)
    streams = [
        {"name": f"many-{number}", "tags": [{"name": "v1", "from": source}]} for number, source in enumerate(sources)
    ]
    common = {**scene.by_token, "namespace": scene.api.namespace, "insecure": True}
    together = {"name": "together", _MODULE: {**common, "streams": streams}}
    looped = {
        "name": "one by one",
        _MODULE: {**common, "name": "{{ item.name }}", "tags": "{{ item.tags }}"},
        "loop": streams,
        "loop_control": {"label": "{{ item.name }}"},
    }
    scene.delete_streams()
    with scene.requests() as sent:
        ours = run_playbook(scene.directory, [together])["together"]
    kinds = Counter(f"{request['method']} {request['path'].rsplit('/', 1)[-1]}" for request in sent)
    scene.delete_streams()
    other = run_playbook(scene.directory, [looped])["one by one"]
    details = {"together": ours, "one by one": other, "requests": dict(kinds)}
    return [
        Figure(
            "many_streams",
            "200 new streams of one tag",
            f"one task, {ours:.1f} s",
            f"a loop of tasks, {other:.0f} s",
            "≥",
            15,
            other / ours,
            details,
        ),
        Figure(
            "many_streams",
            "HTTP requests for 200 new streams",
            f"{len(sent)} ({_told(kinds)})",
            "a LIST and 200 imports",
            "≤",
            1,
            len(sent) / (_STREAMS + 1),
            details,
        ),
    ]


def _told(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
