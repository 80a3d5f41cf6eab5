# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show a person how a push moves a tag: a registry, the rulebook and an emulated cluster on this machine."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from .scene import Scene

_TAGS = ("1.0", "1.1", "latest")


def main() -> int:
    """Zero when every push arrived."""
    print("Starting Debian's docker-registry, an emulated cluster and ansible-rulebook (20 s)", flush=True)
    with tempfile.TemporaryDirectory(prefix="quayside-push-") as directory, Scene(Path(directory)) as scene:
        registry = scene.registry.host
        for tag in _TAGS:
            scene.push("team/web", tag, f"{tag} first")
        scene.declare("web", {tag: f"team/web:{tag}" for tag in _TAGS})
        time.sleep(7)
        print(
            f"\nThe stream shop/web tracks {registry}/team/web:{{{','.join(_TAGS)}}}, scheduled: the cluster looks "
            "every 15 minutes."
        )
        print(
            f"The registry tells {scene.url} of pushes; the rulebook quayside.openshift_images.registry_push listens.\n"
        )
        print("One push acts at once:", flush=True)
        _push(scene, ("1.0",), "second")
        time.sleep(7)
        print("\nThree pushes: the first acts at once, the others together three seconds later:", flush=True)
        _push(scene, _TAGS, "third")
        print("\nWhat the playbook said:\n")
        print(
            "\n".join(
                f"    {line}"
                for line in scene.rulebook.log().splitlines()
                if line.startswith(("TASK", "changed", "ok:", "cluster"))
            )
        )
    return 0


def _push(scene: Scene, tags: tuple[str, ...], content: str) -> None:
    start, digests = time.monotonic(), {}
    for tag in tags:
        digests[tag] = scene.push("team/web", tag, f"{tag} {content}")
        print(f"    {time.monotonic() - start:5.1f} s  pushed team/web:{tag}, now {digests[tag][:19]}", flush=True)
    for tag, digest in digests.items():
        scene.wait("web", tag, digest)
        print(f"    {time.monotonic() - start:5.1f} s  shop/web:{tag} has   {digest[:19]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
