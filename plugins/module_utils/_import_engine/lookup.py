# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What registries serve now, asked through the cluster: lookups that store nothing (contract case lookup_without_import).

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.concurrency import concurrent_map
from .._core.errors import (
    ApiError,
    ApiUnreachable,
    CollectionError,
    Unauthorized,
)
from .images import ImportItem, Lookup, Outcome
from .observed import ImportFailure
from .stream_imports import chunks, is_of_one_image, send_images

Answer = t.Union[Outcome, CollectionError]

# What requests are called that are not about one stream.
_NOBODYS_NAME = "lookup"


def look_up(client: ClusterClient, lookups: t.Collection[Lookup], concurrency: int, timeout: int) -> dict[Lookup, Answer]:
    """Answer each different question once, ``concurrency`` requests at a time; ``timeout`` in seconds per request.

    A request that the API server refuses gives its error for the images that were in it, and does not hide the others.
    Raises ``ApiUnreachable`` and ``Unauthorized``, since no other request would fare better.
    """
    requests = _requests(lookups)
    answers: dict[Lookup, Answer] = {}
    for part in concurrent_map(lambda request: _answer(client, request[0], request[1], timeout), requests, concurrency):
        answers.update(part)
    return answers


def refused_for(stream: str, error: CollectionError) -> CollectionError:
    """Return the refusal of a lookup in the words that the import of ``stream`` would have got: check mode says what the run says."""
    if not isinstance(error, ApiError):
        return error
    text = str(error).replace(f'image stream import "{_NOBODYS_NAME}"', f'image stream import "{stream}"')
    return type(error)(
        text,
        status=error.status,
        reason=error.reason,
        server_message=error.server_message,
        details=error.details,
        method=error.method,
        path=error.path,
    )


def _requests(lookups: t.Collection[Lookup]) -> list[tuple[str, list[tuple[Lookup, ImportItem]]]]:
    """Divide into requests: (stream name of the request, its lookups). A lookup that does not depend on a stream's
    annotations may share a request with those of other streams; it gets a target name that no annotated tag has."""
    groups: dict[tuple[str, str], list[Lookup]] = {}
    for lookup in dict.fromkeys(lookups):
        groups.setdefault((lookup.namespace, lookup.stream), []).append(lookup)
    requests = []
    for (_namespace, stream), group in groups.items():
        by_item = {}
        for index, lookup in enumerate(group):
            by_item[ImportItem(lookup.source, lookup.tag or f"lookup-{index}", lookup.import_mode, lookup.insecure)] = lookup
        requests += [(stream or _NOBODYS_NAME, [(by_item[item], item) for item in chunk]) for chunk in chunks(list(by_item))]
    return requests


def _answer(
    client: ClusterClient, stream: str, asked: t.Sequence[tuple[Lookup, ImportItem]], timeout: int
) -> dict[Lookup, Answer]:
    namespace = asked[0][0].namespace
    try:
        outcomes = send_images(client, namespace, stream, [item for _lookup, item in asked], store=False, timeout=timeout).outcomes
    except (ApiUnreachable, Unauthorized):
        raise
    except CollectionError as error:
        if len(asked) == 1 or not (isinstance(error, ApiError) and is_of_one_image(error)):
            return {lookup: error for lookup, _item in asked}
        alone = list(range(len(asked)))
        outcomes = [ImportFailure(error.reason, "")] * len(asked)
    else:
        alone = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, ImportFailure)] if len(asked) > 1 else []
    answers: dict[Lookup, Answer] = {lookup: outcome for (lookup, _item), outcome in zip(asked, outcomes)}
    for index in alone:
        # It may have failed only because of another image in the request (contract case hub_second_pass).
        answers.update(_answer(client, stream, [asked[index]], timeout))
    return answers
