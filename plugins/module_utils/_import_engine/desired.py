# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams as declared: options become typed, checked values. No cluster access; bad input ends here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.manifests import LEGACY, PRESERVE, check_platform_name
from .._core.numbers import check_numbers
from .._core.references import (
    PullSpec,
    check_namespace,
    check_stream_name,
    check_tag_name,
)

IMPORT_MODES = (LEGACY, PRESERVE)
REFERENCE_POLICIES = ("Source", "Local")
REFRESH = ("missing", "drifted", "always")

# The options that a tag may leave to its stream, and a stream to the task.
_INHERITED_BY_TAGS = (
    "import_mode",
    "reference_policy",
    "scheduled",
    "insecure",
    "prefer_architecture",
    "prefer_os",
)
_INHERITED_BY_STREAMS = (
    *_INHERITED_BY_TAGS,
    "namespace",
    "lookup_policy_local",
    "purge_tags",
    "purge_limit",
    "refresh",
    "state",
    "take_over",
)


class DesiredTag(NamedTuple):
    """A tag as declared. ``None`` means: keep what the tag has; on creation the cluster's default.

    ``reference`` False ends that the tag only refers to its source, as image_stream_tag declares.
    """

    name: str
    source: PullSpec
    import_mode: str | None = None
    reference_policy: str | None = None
    scheduled: bool | None = None
    insecure: bool | None = None
    prefer_architecture: str | None = None
    prefer_os: str | None = None
    reference: bool | None = None

    @property
    def has_preference(self) -> bool:
        """Return whether a platform for Legacy's choice is declared; an empty string declares that there is none."""
        return bool(self.prefer_architecture or self.prefer_os)


class DesiredRepository(NamedTuple):
    """A whole repository as declared: each of its tags that fits ``patterns`` (globs; all without any) is imported."""

    source: PullSpec
    patterns: tuple[str, ...]
    template: DesiredTag

    def tag(self, name: str) -> DesiredTag:
        """Return the desired tag for the repository's tag ``name``."""
        template = self.template
        source = PullSpec(self.source.registry, self.source.repository, name, "")
        return DesiredTag(
            name,
            source,
            template.import_mode,
            template.reference_policy,
            template.scheduled,
            template.insecure,
            template.prefer_architecture,
            template.prefer_os,
        )


class DesiredStream(NamedTuple):
    """An image stream as declared. With ``approved``, the ids of changes, nothing but these is to be changed.

    ``purge_limit`` is how many tags a purge may remove if they come from a repository; None for half of the
    stream's, at least four. With ``take_over`` it is written though somebody else reconciles it.
    """

    namespace: str
    name: str
    tags: tuple[DesiredTag, ...] = ()
    repository: DesiredRepository | None = None
    lookup_policy_local: bool | None = None
    purge_tags: bool = False
    refresh: str = "drifted"
    absent: bool = False
    approved: frozenset[str] | None = None
    purge_limit: int | None = None
    take_over: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Return namespace and name."""
        return self.namespace, self.name


class PendingCredential(NamedTuple):
    """A registry credential that an earlier task of the play would have written, had it not been in check mode."""

    namespace: str
    registry: str


def pending_credentials(params: t.Mapping[str, t.Any]) -> tuple[PendingCredential, ...]:
    """Turn the option pending_credentials into values; ``InputError`` for what cannot be a namespace."""
    pending = []
    for entry in params.get("pending_credentials") or ():
        check_namespace(entry["namespace"])
        pending += [PendingCredential(entry["namespace"], registry) for registry in entry["registries"]]
    return tuple(pending)


def desired_streams(params: t.Mapping[str, t.Any]) -> list[DesiredStream]:
    """Turn the options of image_stream_import into desired streams.

    ``InputError`` names the stream and tag at fault.
    """
    entries = params.get("streams")
    if entries is None:
        streams = [_desired_stream(params, {})]
    elif not entries:
        raise InputError("streams is empty: list at least one image stream, or leave the task out")
    else:
        for option in ("name", "tags", "repository", "tag_patterns"):
            if params.get(option) is not None:
                raise InputError(f"{option} and streams exclude each other: give {option} in each entry of streams")
        streams = [_desired_stream(entry, params) for entry in entries]
    seen: set[tuple[str, str]] = set()
    for stream in streams:
        if stream.key in seen:
            raise InputError(f"stream {stream.namespace}/{stream.name} is listed twice: join its entries")
        seen.add(stream.key)
    return streams


def _desired_stream(entry: t.Mapping[str, t.Any], task: t.Mapping[str, t.Any]) -> DesiredStream:
    options = dict(entry)
    for option in _INHERITED_BY_STREAMS:
        if options.get(option) is None:
            options[option] = task.get(option)
    namespace, name = options.get("namespace"), options.get("name")
    if not name:
        raise InputError("a stream needs a name")
    if not namespace:
        raise InputError(f"stream {name} needs a namespace: give it in the entry or for the whole task")
    where = f"stream {namespace}/{name}"
    refresh = options.get("refresh") or "drifted"
    absent = options.get("state") == "absent"
    try:
        check_namespace(namespace)
        check_stream_name(namespace, name)
        check_policies(options)
        check_numbers({"purge_limit": options.get("purge_limit")}, purge_limit=0)
        repository = _desired_repository(options)
    except InputError as error:
        raise InputError(f"{where}: {error.message}") from error
    policies = {option: options.get(option) for option in _INHERITED_BY_TAGS}
    tags = tuple(_desired_tag(tag, policies, where) for tag in options.get("tags") or ())
    names = [tag.name for tag in tags]
    twice = sorted({tag for tag in names if names.count(tag) > 1}) if len(set(names)) != len(names) else []
    if twice:
        raise InputError(f"{where}: tag {twice[0]} is listed twice: a tag of a stream has one source")
    if repository and options.get("tags") is not None:
        raise InputError(f"{where}: give either tags or repository, not both")
    if options.get("tag_patterns") and not repository:
        raise InputError(f"{where}: tag_patterns chooses among the tags of repository, which is not given")
    nothing = not tags and repository is None and options.get("lookup_policy_local") is None
    if nothing and not absent and not (options.get("purge_tags") and options.get("tags") is not None):
        raise InputError(f"{where}: give tags, repository or lookup_policy_local; there is nothing to import")
    return DesiredStream(
        namespace,
        name,
        tags,
        repository,
        options.get("lookup_policy_local"),
        bool(options.get("purge_tags")),
        refresh,
        absent,
        purge_limit=options.get("purge_limit"),
        take_over=bool(options.get("take_over")),
    )


def _desired_repository(options: t.Mapping[str, t.Any]) -> DesiredRepository | None:
    text = options.get("repository")
    if text is None:
        return None
    source = PullSpec.parse(text)
    if source.tag or source.digest:
        raise InputError(f'repository "{text}" carries a tag or digest: give the repository alone, or use tags')
    return DesiredRepository(
        source,
        tuple(options.get("tag_patterns") or ()),
        DesiredTag("", source, **{option: options.get(option) for option in _INHERITED_BY_TAGS}),
    )


def _desired_tag(entry: t.Mapping[str, t.Any], inherited: t.Mapping[str, t.Any], where: str) -> DesiredTag:
    """Return a desired tag; ``inherited`` are the policies of the stream, which are checked already."""
    own = {option: entry[option] for option in _INHERITED_BY_TAGS if entry.get(option) is not None}
    name = entry.get("name") or ""
    try:
        check_tag_name(name)
        check_policies(own)
        source = PullSpec.parse(entry.get("from") or "")
    except InputError as error:
        raise InputError(f"{where}, tag {name or '(without a name)'}: {error.message}") from error
    return DesiredTag(name, source, **{**inherited, **own}, reference=entry.get("reference"))


def check_policies(options: t.Mapping[str, t.Any]) -> None:
    """Raise ``InputError`` for an import mode, reference policy or platform that does not exist."""
    mode, policy = options.get("import_mode"), options.get("reference_policy")
    if mode is not None and mode not in IMPORT_MODES:
        meant = _meant(mode, IMPORT_MODES)
        raise InputError(
            f'import_mode "{mode}" is unknown: valid ImportMode values are Legacy or PreserveOriginal{meant}'
        )
    if policy is not None and policy not in REFERENCE_POLICIES:
        meant = _meant(policy, REFERENCE_POLICIES)
        raise InputError(
            f'reference_policy "{policy}" is unknown: valid reference policy values are Source or Local{meant}'
        )
    for option in ("prefer_architecture", "prefer_os"):
        value = options.get(option)
        check_platform_name(option, value)
        if value and (value != value.strip() or not value.isalnum() or value != value.lower()):
            raise InputError(
                f'{option} "{value}" is not a platform name: write it as image manifests do, for example arm64 or linux'
            )


def _meant(text: str, values: t.Sequence[str]) -> str:
    """Return a question for a value that differs from one of those only in its case, or in a sign between its words."""
    plain = re.sub(r"[^a-z]", "", text.lower())
    found = next((value for value in values if value.lower() == plain), None)
    return f" - did you mean {found}? Upper and lower case count" if found else ""


def select_tags(names: t.Iterable[str], patterns: t.Sequence[str]) -> list[str]:
    """Return the tags of a repository that fit one of the globs, or all if there is none.

    Those that fit a glob after ``!`` are left out.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return [name for name in names if _fits(name, wanted) and not _fits(name, unwanted)]


def idle_patterns(names: t.Sequence[str], patterns: t.Iterable[str]) -> list[str]:
    """Return the globs that choose none of the tags, without those after ``!``."""
    return [
        pattern
        for pattern in patterns
        if not pattern.startswith("!") and not any(_fits(name, [pattern]) for name in names)
    ]


def _fits(name: str, patterns: t.Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
