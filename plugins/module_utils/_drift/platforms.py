# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which platforms the registry offers for a tag, and which of them the cluster took.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Only an answer under PreserveOriginal shows a list (server-behaviour.md 2.3), so that a tag which takes one child is
looked up once more in that mode. An image that is neither the list nor one of its children any more is read from the
cluster.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._core.concurrency import concurrent_map
from .._core.errors import ApiUnreachable, CollectionError, Unauthorized
from .._import_engine.images import Image, ImportFailure, Lookup, parse_image
from .._import_engine.result import StreamResult
from .._import_engine.stream_imports import look_up

_PRESERVE = "PreserveOriginal"
# What attestations beside the images carry as their platform.
_NO_PLATFORM = "unknown/unknown"

# Namespace, stream and tag.
Place = tuple[str, str, str]


class Platforms(NamedTuple):
    """``offered`` by the registry and ``taken`` by the cluster, None if that is not known.

    ``single``: no list is offered.
    """

    offered: list[str] | None
    taken: list[str] | None
    single: bool

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as the modules return it."""
        return self._asdict()


def platforms_of(
    client: ClusterClient, results: t.Sequence[StreamResult], *, concurrency: int, timeout: int
) -> dict[Place, Platforms]:
    """Return the platforms of the tags that are declared; what cannot be found out is None, and never an error."""
    upstream: dict[Place, Image | Lookup] = {}
    digests: dict[Place, str] = {}
    for result in results:
        if result.error is not None or result.desired.absent:
            continue
        for tag in result.desired.tags:
            place = (*result.desired.key, tag.name)
            held, shown, outcome = (
                result.before.tags.get(tag.name),
                result.after.tags.get(tag.name),
                result.outcomes.get(tag.name),
            )
            digests[place] = held.digest if held else ""
            if isinstance(outcome, Image) and outcome.is_known and outcome.import_mode == _PRESERVE:
                upstream[place] = outcome
            elif not isinstance(outcome, ImportFailure):
                upstream[place] = Lookup(place[0], str(tag.source), _PRESERVE, bool(shown and shown.insecure))
    answers = look_up(client, {one for one in upstream.values() if isinstance(one, Lookup)}, concurrency, timeout)
    offers: dict[Place, Image] = {}
    for place, one in upstream.items():
        answer = answers[one] if isinstance(one, Lookup) else one
        if isinstance(answer, Image):
            offers[place] = answer
    unknown = {(place, digest) for place, digest in digests.items() if digest and not _is_of(digest, offers.get(place))}
    images = _read(client, sorted(unknown), concurrency)
    return {place: _platforms(digest, offers.get(place), images.get(place)) for place, digest in digests.items()}


def _is_of(digest: str, offer: Image | None) -> bool:
    return offer is not None and digest in (offer.digest, *(child.digest for child in offer.manifests))


def _platforms(digest: str, offer: Image | None, image: Image | None) -> Platforms:
    offered = _names(offer) if offer else None
    taken: list[str] | None = None
    if not digest:
        taken = []
    elif image is not None:
        taken = [_offered_name(name, offered or ()) for name in _names(image)]
    elif offer is not None and digest == offer.digest:
        taken = offered
    elif offer is not None:
        taken = [child.platform for child in offer.manifests if child.digest == digest] or None
    return Platforms(offered, taken, offer is not None and not offer.manifests)


def _names(image: Image) -> list[str]:
    """Return the platforms of a list. Of a single image the cluster knows the architecture only."""
    if not image.manifests:
        return [image.architecture] if image.architecture else []
    return sorted({name for name in (child.platform for child in image.manifests) if name not in ("", _NO_PLATFORM)})


def _offered_name(name: str, offered: t.Sequence[str]) -> str:
    """Return the platform that is offered for the architecture ``name`` of a single image, if there is one only.

    If there are others, return the name itself.
    """
    fitting = [platform for platform in offered if name in platform.split("/")[1:2]]
    return fitting[0] if len(fitting) == 1 else name


def _read(client: ClusterClient, wanted: t.Sequence[tuple[Place, str]], concurrency: int) -> dict[Place, Image]:
    def read(one: tuple[Place, str]) -> Image | None:
        (namespace, stream, _tag), digest = one
        try:
            found = client.get(image_path(namespace, "imagestreamimages", f"{stream}@{digest}"))
        except (ApiUnreachable, Unauthorized):
            raise
        except CollectionError:
            return None
        return parse_image(found.get("image") or {}, "")

    return {one[0]: image for one, image in zip(wanted, concurrent_map(read, wanted, concurrency)) if image is not None}
