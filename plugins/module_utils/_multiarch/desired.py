# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags are asked about, and how: options, checked and typed, without any access to the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.names import namespaces_from
from .._core.numbers import check_numbers
from .._core.references import check_namespace
from .._import_engine.desired import DesiredStream, desired_streams

_GLOB = frozenset("*?[")


class TagNames(NamedTuple):
    """Which tags are asked about: shell patterns for namespaces, streams and tags; none of a kind stands for all."""

    namespaces: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def has_stream(self, namespace: str, name: str) -> bool:
        """Return whether the stream is asked about."""
        return _fits(namespace, self.namespaces) and _fits(name, self.streams)

    def has_tag(self, name: str) -> bool:
        """Return whether a tag of such a stream is asked about."""
        return _fits(name, self.tags)


class MigrationQuestion(NamedTuple):
    """Which tags are asked about. ``recorded`` is what could go back, None on the way there.

    ``trigger_namespaces`` are those whose workloads are looked at for triggers, None for all.
    """

    names: TagNames
    recorded: list[DesiredStream] | None
    trigger_namespaces: tuple[str, ...] | None
    concurrency: int
    timeout: int


def migration_question(params: t.Mapping[str, t.Any]) -> MigrationQuestion:
    """Return what the options of ``multiarch_migration_info`` ask about; raise ``InputError`` if they cannot be."""
    check_numbers(params, concurrency=1, timeout=1)
    for option in ("namespaces", "names", "tags", "trigger_namespaces"):
        if params[option] is not None and not params[option]:
            raise InputError(f"{option} is empty: list at least one, or leave it out")
    namespaces = tuple(dict.fromkeys(params["namespaces"] or filter(None, [params["namespace"]])))
    for namespace in namespaces:
        if not is_pattern(namespace):
            check_namespace(namespace)
    where = (
        None if params["trigger_namespaces"] is None else namespaces_from({"namespaces": params["trigger_namespaces"]})
    )
    names = TagNames(namespaces, tuple(params["names"] or ()), tuple(params["tags"] or ()))
    recorded = None if params["record"] is None else recorded_streams(params["record"], names)
    return MigrationQuestion(names, recorded, where, params["concurrency"], params["timeout"])


def is_pattern(text: str) -> bool:
    """Return whether the text is a shell pattern rather than a name."""
    return bool(_GLOB.intersection(text))


def recorded_streams(record: t.Iterable[t.Mapping[str, t.Any]], names: TagNames) -> list[DesiredStream]:
    """Return the streams of a record, each once and with the tags that are asked about.

    A record is added to by each migration, so that a later entry for a tag replaces an earlier one. Raises
    InputError for what cannot be a record.
    """
    joined: dict[tuple[str, str], dict[str, t.Mapping[str, t.Any]]] = {}
    for entry in record:
        joined.setdefault((entry["namespace"], entry["name"]), {}).update((tag["name"], tag) for tag in entry["tags"])
    streams = []
    for (namespace, name), tags in joined.items():
        chosen = [tag for tag_name, tag in tags.items() if names.has_tag(tag_name)]
        if chosen and names.has_stream(namespace, name):
            streams.append({"namespace": namespace, "name": name, "tags": chosen})
    try:
        return desired_streams({"streams": streams}) if streams else []
    except InputError as error:
        raise InputError(f"record: {error.message}") from error


def _fits(name: str, patterns: t.Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
