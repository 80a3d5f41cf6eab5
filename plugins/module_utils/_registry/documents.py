# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What registries serve, as values: manifests, lists of them, image configurations, pages of tags. No network here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

What a registry serves was written by others: every field is checked before it is used, and what does not fit is a
``BadDocument``, whose text ends a sentence.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .._core.errors import InputError
from .._core.manifests import Manifest
from .._core.outward import excerpt
from .._core.references import check_digest, check_tag_name

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPES = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
LIST_TYPES = (DOCKER_LIST, OCI_INDEX)
CONFIG_TYPES = ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json")
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"
_LONGEST_NUMBER = 30
_LONGEST_LINKS = 16 * 1024
_LINK_SPACE = " \t\r\n"


class BadDocument(ValueError):
    """What a registry served cannot be used. The text ends a sentence about it."""


class Descriptor(NamedTuple):
    """What a manifest says about another document or a layer; ``size`` in bytes."""

    media_type: str
    digest: str
    size: int


class ServedManifest(NamedTuple):
    """A manifest, or a list of them, as a registry served it. ``digest`` is that of its bytes, ``size`` their number.

    ``children`` are a list's, ``config`` and ``layers`` a single image's.
    """

    digest: str
    media_type: str
    size: int
    children: tuple[Manifest, ...] = ()
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()

    @property
    def is_list(self) -> bool:
        """Return whether this is a manifest list or an image index."""
        return self.media_type in LIST_TYPES


class ImageConfig(NamedTuple):
    """What an image's configuration says of it; ``created`` is RFC 3339 text, "" if it is not said."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    created: str = ""
    labels: t.Mapping[str, str] = MappingProxyType({})


def digest_of(content: bytes, like: str = "sha256:") -> str:
    """Return the digest of ``content``, by the algorithm of the digest ``like``."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def load_object(content: bytes) -> dict[str, t.Any]:
    """Return the JSON object that ``content`` is; ``BadDocument`` says why it is none."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadDocument("it is not UTF-8 text") from None
    try:
        document = json.loads(text, parse_constant=_refuse_number, parse_int=_bounded_int, parse_float=_finite)
    except RecursionError:
        raise BadDocument("its JSON is nested too deeply") from None
    except ValueError:
        raise BadDocument("it is not JSON") from None
    if not isinstance(document, dict):
        raise BadDocument("it is JSON, but not an object")
    return document


def parse_manifest(content: bytes, content_type: str, digest: str) -> ServedManifest:
    """Return the manifest of ``content``, which the registry named ``content_type`` and whose digest is ``digest``.

    Schema 1 is refused: current clusters and tools no longer take it. So is what two readers could take for two
    different things: a list with layers, a media type that is not that of the answer.
    """
    if content_type.startswith(_SCHEMA_1):
        raise _schema_1()
    document = load_object(content)
    named = document.get("mediaType")
    if document.get("schemaVersion") == 1:
        raise _schema_1()
    if document.get("schemaVersion") != 2:
        raise BadDocument("it is not a manifest: its schemaVersion is not 2")
    if content_type in MANIFEST_TYPES and named in MANIFEST_TYPES and named != content_type:
        raise BadDocument(f'it calls itself "{named}", and the registry calls it "{content_type}"')
    media_type = content_type if content_type in MANIFEST_TYPES else named
    if media_type not in MANIFEST_TYPES:
        raise BadDocument(
            "it is neither an image nor a list of images (its media type is "
            f'"{excerpt(clean(str(named or content_type)), 100)}")'
        )
    if "manifests" in document and ("layers" in document or "config" in document):
        raise BadDocument("it is a list and an image at the same time")
    if media_type in LIST_TYPES:
        children = tuple(_child(entry) for entry in _listed(document, "manifests"))
        if any(child.digest == digest for child in children):
            raise BadDocument("it is a list that lists itself")
        return ServedManifest(digest, media_type, len(content), children=children)
    layers = tuple(_descriptor(entry) for entry in _listed(document, "layers"))
    return ServedManifest(digest, media_type, len(content), config=_descriptor(document.get("config")), layers=layers)


def parse_config(content: bytes) -> ImageConfig:
    """Return what an image's configuration says; fields of another kind than they should be are a ``BadDocument``."""
    document = load_object(content)
    inner = document.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    if labels is None:
        labels = {}
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise BadDocument("its labels are not strings by name")
    texts = {name: _text(document, name) for name in ("os", "architecture", "variant", "created")}
    return ImageConfig(**texts, labels={clean(name): clean(value) for name, value in labels.items()})


def parse_tag_page(content: bytes) -> list[str]:
    """Return the tags of one page of a tag list."""
    tags = load_object(content).get("tags")
    if tags is None:
        return []
    if not isinstance(tags, list):
        raise BadDocument('its "tags" is not a list')
    for tag in tags:
        try:
            check_tag_name(tag if isinstance(tag, str) else "")
        except InputError:
            raise BadDocument(f"it names {excerpt(clean(json.dumps(tag)), 60)}, which is no tag") from None
    return tags


def next_target(header: str) -> str:
    """Return the target of the link to the next page in a ``Link`` header (RFC 8288); "" if there is none.

    What is not understood is a ``BadDocument``: a list that ends too early would be taken as the whole one.
    """
    found = set()
    for target, parameters in _links(header):
        if "next" not in parameters.get("rel", "").lower().split():
            continue
        if "anchor" in parameters or not target:
            raise BadDocument("its link to the next page is about another document")
        found.add(target)
    if len(found) > 1:
        raise BadDocument("it has several links to next pages")
    return found.pop() if found else ""


def _links(header: str) -> t.Iterator[tuple[str, dict[str, str]]]:
    """Yield target and parameters of each link; of a parameter that is there twice the first one counts."""
    if len(header) > _LONGEST_LINKS:
        raise BadDocument(f"its links are longer than {_LONGEST_LINKS} characters")
    rest = header.strip(_LINK_SPACE)
    while rest:
        if rest.startswith(","):
            rest = rest[1:].lstrip(_LINK_SPACE)
            continue
        target, closed, rest = rest[1:].partition(">") if rest.startswith("<") else ("", "", "")
        if not closed:
            raise BadDocument("its links cannot be read")
        parameters: dict[str, str] = {}
        rest = rest.lstrip(_LINK_SPACE)
        while rest.startswith(";"):
            name, value, rest = _parameter(rest[1:].lstrip(_LINK_SPACE))
            parameters.setdefault(name, value)
        if rest and not rest.startswith(","):
            raise BadDocument("its links cannot be read")
        yield target.strip(_LINK_SPACE), parameters


def _parameter(text: str) -> tuple[str, str, str]:
    """Return name and value of the parameter at the beginning of the text, and what comes after it."""
    name = re.match(r"[^\s=;,<>\"]*", text)
    found = name.group() if name else ""
    rest = text[len(found) :].lstrip(_LINK_SPACE)
    if not rest.startswith("="):
        return found.lower(), "", rest
    rest = rest[1:].lstrip(_LINK_SPACE)
    value = re.match(r'"((?:[^"\\]|\\.)*)"', rest) or re.match(r'([^\s;,"]+)', rest)
    if not value:
        raise BadDocument("its links cannot be read")
    return found.lower(), re.sub(r"\\(.)", r"\1", value.group(1)), rest[value.end() :].lstrip(_LINK_SPACE)


def clean(text: str) -> str:
    """Return ``text`` without what cannot be printed as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _schema_1() -> BadDocument:
    return BadDocument(
        "it is of Docker's schema 1, which clusters no longer import; push the image again with a current tool"
    )


def _listed(document: t.Mapping[str, t.Any], name: str) -> list[t.Any]:
    entries = document.get(name)
    if not isinstance(entries, list):
        raise BadDocument(f'its "{name}" is not a list')
    return entries


def _child(entry: t.Any) -> Manifest:
    found = _descriptor(entry)
    platform = entry.get("platform")
    if platform is None:
        platform = {}
    if not isinstance(platform, dict):
        raise BadDocument("the platform of one of its manifests is not an object")
    system, architecture, variant = (_text(platform, name) for name in ("os", "architecture", "variant"))
    return Manifest(system, architecture, variant, found.digest, found.size, found.media_type)


def _descriptor(entry: t.Any) -> Descriptor:
    if not isinstance(entry, dict):
        raise BadDocument("one of its entries is not an object")
    digest, size = entry.get("digest"), entry.get("size")
    try:
        check_digest(digest if isinstance(digest, str) else "", "")
    except InputError:
        raise BadDocument("one of its entries has no digest") from None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise BadDocument("one of its entries has no size")
    return Descriptor(_text(entry, "mediaType"), str(digest), size)


def _text(document: t.Mapping[str, t.Any], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadDocument(f'its "{name}" is not a string')
    return clean(value)


def _refuse_number(text: str) -> t.NoReturn:
    raise ValueError(text)


def _bounded_int(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        # reading a number takes time that grows with the square of its length
        raise ValueError("number too long")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
