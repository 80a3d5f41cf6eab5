# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ImageStreamImport on the wire: imports, and lookups that store nothing (contract case lookup_without_import).

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

One request carries at most ``IMAGES_PER_REQUEST`` images, because the server lets three pass at once and then two
per second (server-behaviour.md 2.6). An answer is HTTP 201 even when images failed; answers are matched to images by
position, since ``tag`` in the answer is that of the source (contract case import_not_found). Success means status
Success *and* an image (contract case hub_second_pass), and an image that failed beside others is tried once more
alone before it counts.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._core.concurrency import concurrent_map
from .._core.errors import ApiError, ApiUnreachable, CollectionError, Invalid, Unauthorized
from .._core.references import PullSpec
from .images import EXTERNAL, NOBODYS_NAME, ImportFailure, ImportItem, Lookup, Outcome, parse_image
from .observed import failure_from_status

Answer = t.Union[Outcome, CollectionError]

IMAGES_PER_REQUEST = 3

# What the server writes if an image was answered Success without an image (contract case hub_second_pass).
NO_IMAGE = "unknown error prevented import"

# Time for the answer to travel once the server's own limit, the timeout query parameter, has passed. Seconds.
_ANSWER_GRACE = 15.0


class ImportAnswer(NamedTuple):
    """Outcomes by position of the items.

    ``stream`` is the stored ImageStream object after an import, None after a lookup.
    """

    outcomes: list[Outcome]
    stream: dict[str, t.Any] | None = None


class RepositoryAnswer(NamedTuple):
    """The tags of a repository: those that the server looked up, and the names of those beyond its limit."""

    images: dict[str, Outcome]
    additional: list[str]
    failure: ImportFailure | None = None

    @property
    def tags(self) -> list[str]:
        """Return all names, in the server's order."""
        return [*self.images, *self.additional]


def may_be_one_images_fault(error: ApiError) -> bool:
    """Say whether one image alone may be why the server did not do a whole request.

    That is so for a list that the server refuses (contract case list_entry_without_platform), and for a registry that
    does not answer before the request's time is over (504).
    """
    return isinstance(error, Invalid) or error.status == 504


def chunks(items: t.Sequence[ImportItem]) -> list[list[ImportItem]]:
    """Divide ``items`` into requests.

    The server takes ``insecure`` from the first image of a repository in a request (server-behaviour.md 2.7), so
    that one request never holds both values for one repository.
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

    ``resource_version`` is a precondition: ``Conflict`` if the stream was written since (contract case
    resource_version_conflict). ``timeout`` is the server's limit for the request in seconds; without it the server
    stops after 34. A request that the server refuses as a whole because of one image (422, case
    list_entry_without_platform) gives that image's failure when it was alone in it, and ``Invalid`` else.
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
        return ImportAnswer(
            [ImportFailure(error.reason or "Invalid", message[len(head) :] if message.startswith(head) else message)]
        )
    status, sent = answer.get("status") or {}, (answer.get("spec") or {}).get("images") or []
    found = list(status.get("images") or ())
    outcomes = [
        _outcome(
            found[i] if i < len(found) else {}, (sent[i] if i < len(sent) else {}).get("importPolicy"), item.import_mode
        )
        for i, item in enumerate(items)
    ]
    return ImportAnswer(outcomes, status.get("import"))


def send_repository(
    client: ClusterClient,
    namespace: str,
    stream: str,
    repository: PullSpec,
    *,
    import_mode: str | None,
    insecure: bool,
    timeout: int,
) -> RepositoryAnswer:
    """Look up a repository's tags; nothing is stored. The server looks at 50 tags at the most and names the others."""
    policy: dict[str, t.Any] = {"insecure": insecure}
    if import_mode:
        policy["importMode"] = import_mode
    spec = {
        "import": False,
        "repository": {"from": {"kind": EXTERNAL, "name": str(repository)}, "importPolicy": policy},
    }
    answer = _send(client, namespace, stream, spec, timeout, "")
    used = ((answer.get("spec") or {}).get("repository") or {}).get("importPolicy")
    result = (answer.get("status") or {}).get("repository") or {}
    images = {
        image["tag"]: _outcome(image, used, import_mode) for image in result.get("images") or () if image.get("tag")
    }
    status = result.get("status") or {}
    failure = None
    if status.get("status") == "Failure" and not images:
        failure = failure_from_status(status)
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


def _outcome(
    found: t.Mapping[str, t.Any], used_policy: t.Mapping[str, t.Any] | None, asked_mode: str | None
) -> Outcome:
    status, image = found.get("status") or {}, found.get("image") or {}
    mode = (used_policy or {}).get("importMode") or asked_mode or ""
    if status.get("status") != "Success":
        return failure_from_status(status, mode, NO_IMAGE)
    if not (image.get("metadata") or {}).get("name"):
        return ImportFailure("", NO_IMAGE, mode)
    return parse_image(image, mode)


def look_up(
    client: ClusterClient, lookups: t.Collection[Lookup], concurrency: int, timeout: int
) -> dict[Lookup, Answer]:
    """Answer each different question once, ``concurrency`` requests at a time; ``timeout`` in seconds per request.

    A request that the API server refuses gives its error for the images that were in it, and does not hide the others.
    Raises ``ApiUnreachable`` and ``Unauthorized``, since no other request would fare better.
    """
    requests = _lookup_requests(lookups)
    answers: dict[Lookup, Answer] = {}
    for part in concurrent_map(lambda request: _ask(client, request[0], request[1], timeout), requests, concurrency):
        answers.update(part)
    return answers


def _lookup_requests(lookups: t.Collection[Lookup]) -> list[tuple[str, list[tuple[Lookup, ImportItem]]]]:
    """Divide into requests: (stream name of the request, its lookups).

    A lookup that does not depend on a stream's annotations may share a request with those of other streams; it gets a
    target name that no annotated tag has.
    """
    groups: dict[tuple[str, str], list[Lookup]] = {}
    for lookup in dict.fromkeys(lookups):
        groups.setdefault((lookup.namespace, lookup.stream), []).append(lookup)
    requests = []
    for (_namespace, stream), group in groups.items():
        by_item = {}
        for index, lookup in enumerate(group):
            by_item[ImportItem(lookup.source, lookup.tag or f"lookup-{index}", lookup.import_mode, lookup.insecure)] = (
                lookup
            )
        requests += [
            (stream or NOBODYS_NAME, [(by_item[item], item) for item in chunk]) for chunk in chunks(list(by_item))
        ]
    return requests


def _ask(
    client: ClusterClient, stream: str, asked: t.Sequence[tuple[Lookup, ImportItem]], timeout: int
) -> dict[Lookup, Answer]:
    namespace = asked[0][0].namespace
    try:
        outcomes = send_images(
            client, namespace, stream, [item for _lookup, item in asked], store=False, timeout=timeout
        ).outcomes
    except (ApiUnreachable, Unauthorized):
        raise
    except CollectionError as error:
        if len(asked) == 1 or not (isinstance(error, ApiError) and may_be_one_images_fault(error)):
            return {lookup: error for lookup, _item in asked}
        alone = list(range(len(asked)))
        outcomes = [ImportFailure(error.reason, "")] * len(asked)
    else:
        alone = (
            [i for i, outcome in enumerate(outcomes) if isinstance(outcome, ImportFailure)] if len(asked) > 1 else []
        )
    answers: dict[Lookup, Answer] = {lookup: outcome for (lookup, _item), outcome in zip(asked, outcomes)}
    for index in alone:
        # It may have failed only because of another image in the request (contract case hub_second_pass).
        answers.update(_ask(client, stream, [asked[index]], timeout))
    return answers
