# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tag of a stream that points to another tag, an image of a stream, or an external reference, as declared.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.references import (
    PullSpec,
    check_digest,
    check_namespace,
    check_stream_name,
    check_tag_name,
)
from .._import_engine.desired import check_policies
from .._import_engine.images import EXTERNAL

STREAM_TAG = "ImageStreamTag"
STREAM_IMAGE = "ImageStreamImage"
KINDS = (STREAM_TAG, STREAM_IMAGE, EXTERNAL)
_IMPORT_OPTIONS = ("scheduled", "insecure", "import_mode")


class Source(NamedTuple):
    """What a tag is to point to.

    ``stream`` and ``tag`` or ``digest`` for the kinds of streams, ``pull_spec`` for an external image.
    """

    kind: str
    namespace: str = ""
    stream: str = ""
    tag: str = ""
    digest: str = ""
    pull_spec: str = ""


class DesiredStreamTag(NamedTuple):
    """The tag as declared.

    ``source`` is None if the tag is to be absent; ``None`` for a policy means: keep. With ``take_over`` it is written
    though somebody else reconciles the stream.
    """

    namespace: str
    stream: str
    tag: str
    source: Source | None
    alias: bool = False
    reference: bool = False
    reference_policy: str | None = None
    insecure: bool | None = None
    import_mode: str | None = None
    take_over: bool = False

    @property
    def where(self) -> str:
        """Return the tag for sentences."""
        return f"{self.namespace}/{self.stream}:{self.tag}"


def desired_stream_tag(params: t.Mapping[str, t.Any]) -> DesiredStreamTag:
    """Turn the options of image_stream_tag into values.

    ``InputError`` says which option is at fault and what to give.
    """
    namespace, name = params["namespace"], params["name"]
    stream, colon, tag = name.partition(":")
    if not colon:
        raise InputError(f'name "{name}" is not a tag of a stream: write it as stream:tag')
    check_namespace(namespace)
    check_stream_name(namespace, stream)
    check_tag_name(tag)
    if params["state"] == "absent":
        return DesiredStreamTag(namespace, stream, tag, None, take_over=bool(params.get("take_over")))
    if not params.get("from"):
        raise InputError(f"{namespace}/{name}: from is missing: say what the tag is to point to")
    check_policies(params)
    source = _source(params, namespace)
    wanted = DesiredStreamTag(
        namespace,
        stream,
        tag,
        source,
        alias=bool(params.get("alias")),
        reference=bool(params.get("reference")),
        reference_policy=params.get("reference_policy"),
        insecure=params.get("insecure"),
        import_mode=params.get("import_mode"),
        take_over=bool(params.get("take_over")),
    )
    _check_combination(wanted, source, params)
    return wanted


def inferred_kind(text: str) -> str:
    """Return the kind that ``oc tag`` takes for a source without ``--source`` (server-behaviour.md 3)."""
    first, slash, _rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return EXTERNAL
    if "@" in text:
        return STREAM_IMAGE
    return STREAM_TAG if ":" in text else EXTERNAL


def _source(params: t.Mapping[str, t.Any], own_namespace: str) -> Source:
    text = params["from"]
    kind = params.get("from_kind") or inferred_kind(text)
    if kind not in KINDS:
        raise InputError(f'from_kind "{kind}" is unknown: give {STREAM_TAG}, {STREAM_IMAGE} or {EXTERNAL}')
    if kind == EXTERNAL:
        if params.get("from_namespace"):
            raise InputError(
                f'from_namespace names the namespace of a stream: leave it out for the external image "{text}"'
            )
        return Source(EXTERNAL, pull_spec=str(PullSpec.parse(text)))
    written, slash, rest = text.rpartition("/")
    if slash and params.get("from_namespace") not in (None, written):
        raise InputError(
            f'from "{text}" and from_namespace "{params["from_namespace"]}" name different namespaces: give one'
        )
    namespace = written if slash else params.get("from_namespace") or own_namespace
    check_namespace(namespace)
    separator = "@" if kind == STREAM_IMAGE else ":"
    stream, found, last = rest.partition(separator)
    if not found and not (kind == STREAM_TAG and params.get("alias")):
        example = "stream@sha256:..." if kind == STREAM_IMAGE else "stream:tag"
        raise InputError(f'from "{text}" is not an {kind}: write it as {example}')
    if not found:
        # Within one stream an alias may name the tag alone, as the API itself writes it.
        stream, last = params["name"].partition(":")[0], rest
    check_stream_name(namespace, stream)
    if kind == STREAM_IMAGE:
        check_digest(last, text)
        return Source(kind, namespace, stream, digest=last)
    check_tag_name(last)
    return Source(kind, namespace, stream, tag=last)


def _check_combination(wanted: DesiredStreamTag, source: Source, params: t.Mapping[str, t.Any]) -> None:
    if source.kind != EXTERNAL:
        # False says what holds for every such tag.
        given = [option for option in _IMPORT_OPTIONS if params.get(option)]
        if given:
            raise InputError(f"{wanted.where}: {given[0]} is for external images: leave it out for an {source.kind}")
        if wanted.reference and not wanted.alias and source.kind == STREAM_TAG:
            raise InputError(
                f"{wanted.where}: reference keeps a tag from being imported: leave it out for a copy of a tag"
            )
    if wanted.alias:
        if source.kind != STREAM_TAG:
            raise InputError(f"{wanted.where}: alias follows another tag: from_kind has to be {STREAM_TAG}")
        if (source.namespace, source.stream) != (wanted.namespace, wanted.stream):
            raise InputError(
                f"{wanted.where}: alias works only inside one stream, because the cluster does not follow tags of "
                "other streams: leave alias out for a copy, and run the task again when the source moves"
            )
        if source.tag == wanted.tag:
            raise InputError(f"{wanted.where}: the tag cannot be an alias of itself")
    elif source.kind == STREAM_TAG and (source.namespace, source.stream, source.tag) == (
        wanted.namespace,
        wanted.stream,
        wanted.tag,
    ):
        raise InputError(f"{wanted.where}: the tag cannot be a copy of itself")
    if wanted.reference and params.get("scheduled"):
        raise InputError(f"{wanted.where}: a reference is not imported: leave scheduled out")
