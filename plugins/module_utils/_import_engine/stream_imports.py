# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ImageStreamImport on the wire: what is asked of the server, and what its answers mean.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

One request carries at most ``IMAGES_PER_REQUEST`` images, because the server lets three pass at once and then two per
second (server-behaviour.md 2.6). An answer is HTTP 201 even when images failed; answers are matched to images by position,
since ``tag`` in the answer is that of the source (contract case import_not_found). Success means status Success *and* an
image (contract case hub_second_pass), and an image that failed beside others is tried once more alone before it counts.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._core.errors import ApiError, Invalid
from .._core.references import PullSpec
from .images import ImportItem, Outcome, parse_image
from .observed import EXTERNAL, ImportFailure, told_failure

IMAGES_PER_REQUEST = 3

# What the server writes where an image was answered Success without an image (contract case hub_second_pass).
_NO_IMAGE = "unknown error prevented import"

# Time for the answer to travel once the server's own limit, the timeout query parameter, has passed. Seconds.
_ANSWER_GRACE = 15.0


class ImportAnswer(NamedTuple):
    """Outcomes by position of the items; ``stream`` is the stored ImageStream object after an import, None after a lookup."""

    outcomes: list[Outcome]
    stream: dict[str, t.Any] | None = None


class RepositoryAnswer(NamedTuple):
    """The tags of a repository: those that the server looked up, and the names of those beyond its limit."""

    images: dict[str, Outcome]
    additional: list[str]
    failure: ImportFailure | None = None

    @property
    def tags(self) -> list[str]:
        """All names, in the server's order."""
        return [*self.images, *self.additional]


def is_of_one_image(error: ApiError) -> bool:
    """Say whether one image alone may be why the server did not do a whole request: a list that it refuses (contract case
    list_entry_without_platform), or a registry that does not answer before the request's time is over (504)."""
    return isinstance(error, Invalid) or error.status == 504


def chunks(items: t.Sequence[ImportItem]) -> list[list[ImportItem]]:
    """Divide ``items`` into requests.

    The server takes ``insecure`` from the first image of a repository in a request (server-behaviour.md 2.7), so that one
    request never holds both values for one repository.
    """
    requests: list[list[ImportItem]] = []
    open_requests: dict[bool, list[ImportItem]] = {}
    for item in items:
        current = open_requests.get(item.insecure)
        if current is None or len(current) == IMAGES_PER_REQUEST:
            current = open_requests[item.insecure] = []
            requests.append(current)
        current.append(item)
    return requests


def send_images(
    client: ClusterClient,
    namespace: str,
    stream: str,
    items: t.Sequence[ImportItem],
    *,
    store: bool,
    timeout: int,
    resource_version: str = "",
) -> ImportAnswer:
    """Import (``store``) or only look up ``items`` in one request.

    ``resource_version`` is a precondition: ``Conflict`` where the stream was written since (contract case
    resource_version_conflict). ``timeout`` is the server's limit for the request in seconds; without it the server stops
    after 34. A request that the server refuses as a whole because of one image (422, case list_entry_without_platform)
    gives that image's failure when it was alone in it, and ``Invalid`` else.
    """
    spec = {"import": store, "images": [item.body() for item in items]}
    try:
        answer = _send(client, namespace, stream, spec, timeout, resource_version)
    except Invalid as error:
        if len(items) > 1:
            raise
        # The name of the request says nothing about the image, and is another for a lookup than for the import.
        head = f'ImageStreamImport.image.openshift.io "{stream}" is invalid: '
        message = error.server_message
        return ImportAnswer([ImportFailure(error.reason or "Invalid", message[len(head):] if message.startswith(head) else message)])
    status, sent = answer.get("status") or {}, (answer.get("spec") or {}).get("images") or []
    found = list(status.get("images") or ())
    outcomes = [
        _outcome(found[i] if i < len(found) else {}, (sent[i] if i < len(sent) else {}).get("importPolicy"), item.import_mode)
        for i, item in enumerate(items)
    ]
    return ImportAnswer(outcomes, status.get("import"))


def send_repository(
    client: ClusterClient, namespace: str, stream: str, repository: PullSpec, *, import_mode: str | None, insecure: bool, timeout: int
) -> RepositoryAnswer:
    """Look up a repository's tags; nothing is stored. The server looks at 50 tags at the most and names the others."""
    policy: dict[str, t.Any] = {"insecure": insecure}
    if import_mode:
        policy["importMode"] = import_mode
    spec = {"import": False, "repository": {"from": {"kind": EXTERNAL, "name": str(repository)}, "importPolicy": policy}}
    answer = _send(client, namespace, stream, spec, timeout, "")
    used = ((answer.get("spec") or {}).get("repository") or {}).get("importPolicy")
    result = (answer.get("status") or {}).get("repository") or {}
    images = {image["tag"]: _outcome(image, used, import_mode) for image in result.get("images") or () if image.get("tag")}
    status = result.get("status") or {}
    failure = None
    if status.get("status") == "Failure" and not images:
        failure = told_failure(status)
    return RepositoryAnswer(images, list(result.get("additionalTags") or ()), failure)


def _send(
    client: ClusterClient, namespace: str, stream: str, spec: dict[str, t.Any], timeout: int, resource_version: str
) -> dict[str, t.Any]:
    metadata = {"name": stream, "namespace": namespace}
    if resource_version:
        metadata["resourceVersion"] = resource_version
    body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStreamImport", "metadata": metadata, "spec": spec}
    answer: dict[str, t.Any] = client.request(
        "POST",
        image_path(namespace, "imagestreamimports"),
        query={"timeout": f"{timeout}s"},
        body=body,
        timeout=timeout + _ANSWER_GRACE,
        repeatable=True,
    )
    return answer


def _outcome(found: t.Mapping[str, t.Any], used_policy: t.Mapping[str, t.Any] | None, asked_mode: str | None) -> Outcome:
    status, image = found.get("status") or {}, found.get("image") or {}
    mode = (used_policy or {}).get("importMode") or asked_mode or ""
    if status.get("status") != "Success":
        return told_failure(status, mode, _NO_IMAGE)
    if not (image.get("metadata") or {}).get("name"):
        return ImportFailure("", _NO_IMAGE, mode)
    return parse_image(image, mode)
