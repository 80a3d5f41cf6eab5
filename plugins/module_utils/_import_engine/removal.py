# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags taken out of a stream on the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._cluster.client import STRATEGIC_MERGE, ClusterClient, image_path
from .._core.errors import NotFound


def remove_tags(client: ClusterClient, path: str, names: t.Sequence[str], version: str) -> dict[str, t.Any]:
    """Take the tags out of a stream's spec; ``Conflict`` if the stream is not as it was read any more.

    Return the stream.
    """
    tags = [{"name": name, "$patch": "delete"} for name in names]
    body = {"metadata": {"resourceVersion": version}, "spec": {"tags": tags}}
    # A repeated one would be a conflict with the first.
    stream: dict[str, t.Any] = client.request("PATCH", path, body=body, content_type=STRATEGIC_MERGE, repeatable=False)
    return stream


def drop_history(client: ClusterClient, namespace: str, stream: str, tag: str) -> None:
    """Delete what a removed tag has left."""
    with contextlib.suppress(NotFound):
        client.delete(image_path(namespace, "imagestreamtags", f"{stream}:{tag}"))
