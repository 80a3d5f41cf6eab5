# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road of image streams: observe, look up, plan, then apply or, in check mode, foresee.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._cluster.paths import segment
from .._core.concurrency import concurrent_map
from .._core.errors import (
    ApiUnreachable,
    CollectionError,
    NotFound,
    RegistryError,
    Unauthorized,
)
from .._core.references import PullSpec
from .desired import (
    DesiredRepository,
    DesiredStream,
    PendingCredential,
)
from .images import Image, Lookup, Outcome
from .observed import (
    EXTERNAL,
    ImportFailure,
    Key,
    ObservedStream,
    observe,
)
from .plan import (
    UNKNOWN_IMAGE,
    Knowledge,
    StreamPlan,
    TagPlan,
    plan_stream,
    select_tags,
)
from .result import StreamResult

if t.TYPE_CHECKING:
    from .repositories import RepositoryListing, TagReader


def converge_streams(
    client: ClusterClient,
    desired: t.Sequence[DesiredStream],
    *,
    check_mode: bool,
    concurrency: int,
    timeout: int,
    pending: t.Sequence[PendingCredential] = (),
    tag_reader: TagReader | None = None,
) -> list[StreamResult]:
    """Make the streams as declared, or tell what that would do; results are in the order of ``desired``.

    ``concurrency`` requests are under way at a time; ``timeout`` is the server's limit for one import or lookup, in seconds.
    ``pending`` are credentials that check mode may count on although the cluster does not have them yet. ``tag_reader``
    lists repositories where it can; without it, and where it cannot, the server does.
    Raises ``CollectionError`` only where nothing was done at all (API server gone, token refused, no image API).
    """
    road = _Road(client, desired, check_mode, concurrency, timeout, pending if check_mode else (), tag_reader)
    road.observe()
    road.list_repositories()
    plans = road.plan()
    if check_mode:
        road.foresee(plans)
    else:
        road.apply(plans)
    return [road.results[stream.key] for stream in desired]


def foresee_streams(
    client: ClusterClient,
    desired: t.Sequence[DesiredStream],
    observed: t.Mapping[Key, ObservedStream],
    *,
    concurrency: int,
    timeout: int,
) -> list[StreamResult]:
    """Tell what making the streams as declared would do, for streams that were read already."""
    road = _Road(client, desired, True, concurrency, timeout)
    road.take(observed)
    road.list_repositories()
    road.foresee(road.plan())
    return [road.results[stream.key] for stream in desired]


def converge_observed(
    client: ClusterClient,
    desired: t.Sequence[DesiredStream],
    observed: t.Mapping[Key, ObservedStream],
    *,
    check_mode: bool,
    concurrency: int,
    timeout: int,
) -> list[StreamResult]:
    """Make the streams as declared, or tell what that would do, for streams that were read already."""
    road = _Road(client, desired, check_mode, concurrency, timeout)
    road.take(observed)
    plans = road.plan()
    if check_mode:
        road.foresee(plans)
    else:
        road.apply(plans)
    return [road.results[stream.key] for stream in desired]


class _Road:
    """The streams of one run, on their way. A stream that an error stopped has a result, and is no longer in ``streams``."""

    def __init__(
        self,
        client: ClusterClient,
        desired: t.Sequence[DesiredStream],
        check_mode: bool,
        concurrency: int,
        timeout: int,
        pending: t.Sequence[PendingCredential] = (),
        tag_reader: TagReader | None = None,
    ) -> None:
        self._client = client
        self._check_mode = check_mode
        self._concurrency = concurrency
        self._timeout = timeout
        self._pending = pending
        self._tag_reader = tag_reader
        self._observed: dict[Key, ObservedStream] = {}
        self._looked_up: dict[Lookup, Outcome] = {}
        self._listings: dict[Key, RepositoryListing] = {}
        self._gone_upstream: dict[Key, tuple[str, ...]] = {}
        self._unlisted: set[Key] = set()
        self.streams = {stream.key: stream for stream in desired}
        self.results: dict[Key, StreamResult] = {}

    def observe(self) -> None:
        """Read what the cluster has."""
        for key, found in observe(self._client, list(self.streams), self._concurrency).items():
            if isinstance(found, CollectionError):
                self._observed[key] = ObservedStream(*key)
                self._stop(key, found)
            else:
                self._observed[key] = found

    def take(self, observed: t.Mapping[Key, ObservedStream]) -> None:
        """Begin with streams as they were read by somebody else."""
        self._observed.update(observed)

    def list_repositories(self) -> None:
        """Replace each desired repository by its tags, as the registry or the server lists them."""
        whole = [(key, stream.repository) for key, stream in self.streams.items() if stream.repository and not stream.absent]
        if not whole:
            return
        from .repositories import list_repository

        def ask(pair: tuple[Key, DesiredRepository]) -> RepositoryListing | CollectionError:
            try:
                return list_repository(self._client, self._tag_reader, self.streams[pair[0]], pair[1], self._timeout)
            except (ApiUnreachable, Unauthorized):
                raise
            except CollectionError as error:
                return error

        for (key, repository), answer in zip(whole, concurrent_map(ask, whole, self._concurrency)):
            if isinstance(answer, CollectionError):
                self._stop(key, answer)
                continue
            self._listings[key] = answer
            if answer.failure and self._is_pending(key[0], str(repository.source), answer.failure):
                self._unlisted.add(key)
                answer.reason = "the credential that lists them is not written yet, so that its tags are not known"
                self.streams[key] = self.streams[key]._replace(purge_tags=False)
            elif answer.failure:
                text = f"{answer.failure.reason}: {answer.failure.message}" if answer.failure.reason else answer.failure.message
                error = RegistryError(f"the tags of {repository.source} could not be listed: {text}", registry=repository.source.registry)
                self._stop(key, error, answer.failure)
            else:
                self._take_tags(key, repository, answer)

    def _take_tags(self, key: Key, repository: DesiredRepository, answer: RepositoryListing) -> None:
        wanted = repository.template
        tags = tuple(repository.tag(name) for name in select_tags(answer.tags, repository.patterns))
        self.streams[key] = self.streams[key]._replace(tags=tags)
        for name, outcome in answer.images.items():
            source = str(repository.tag(name).source)
            self._looked_up[Lookup(key[0], source, wanted.import_mode, bool(wanted.insecure))] = outcome
        upstream = set(answer.tags)
        self._gone_upstream[key] = tuple(
            sorted(
                tag.name
                for tag in self._observed[key].tags.values()
                if tag.kind == EXTERNAL and _is_gone(tag.source, repository.source, upstream)
            )
        )

    def plan(self) -> dict[Key, StreamPlan]:
        """Plan every stream, finding out from the registries what the plans depend on, each question once."""
        knowledge = Knowledge(self._looked_up, foresee=self._foresees, control_plane_architecture=self._control_plane_architecture())
        plans: dict[Key, StreamPlan] = {}
        open_keys = list(self.streams)
        while open_keys:
            for key in open_keys:
                plans[key] = plan_stream(self.streams[key], self._observed[key], knowledge)
            questions = [(tag.lookup, tag) for key in open_keys for tag in plans[key].tags if tag.lookup]
            if not questions:
                break
            refused = self._find_out(questions)
            asking = [key for key in open_keys if plans[key].lookups]
            open_keys = []
            for key in asking:
                errors = [refused[lookup] for lookup in plans[key].lookups if lookup in refused]
                if errors:
                    from .lookup import refused_for

                    self._stop(key, refused_for(key[1], errors[0]), plan=plans[key])
                    del plans[key]
                else:
                    open_keys.append(key)
        return plans

    def _find_out(self, questions: t.Sequence[tuple[Lookup, TagPlan]]) -> dict[Lookup, CollectionError]:
        """Look up what the tags' plans depend on, each question once; returns those that the API server refused.

        Whether upstream moved is the same in every namespace that may read the image, so one of them is asked. What an import
        will bring, and every failure, is the namespace's own, because credentials are.
        """
        own = {lookup: None for lookup, tag in questions if tag.reasons or lookup.stream}
        groups: dict[Lookup, dict[Lookup, None]] = {}
        digests: dict[Lookup, set[str]] = {}
        for lookup, tag in questions:
            if lookup not in own:
                groups.setdefault(lookup._replace(namespace=""), {})[lookup] = None
                digests.setdefault(lookup, set()).add(tag.after.digest if tag.after else "")
        asked = {lookup._replace(namespace=""): lookup for lookup in own}
        for image, group in groups.items():
            asked.setdefault(image, next(iter(group)))
        refused = self._look_up({**own, **dict.fromkeys(asked.values())})
        left: dict[Lookup, None] = {}
        for image, group in groups.items():
            answer = self._looked_up.get(asked[image])
            for lookup in group:
                if lookup in self._looked_up or lookup in refused:
                    continue
                # A run imports what moved, and hears what its namespace may read; check mode has to ask.
                if isinstance(answer, Image) and answer.is_known and (not self._check_mode or digests[lookup] == {answer.digest}):
                    self._looked_up[lookup] = answer
                else:
                    left[lookup] = None
        return {**refused, **self._look_up(left)}

    def _look_up(self, lookups: t.Collection[Lookup]) -> dict[Lookup, CollectionError]:
        if not lookups:
            return {}
        from .lookup import look_up

        refused: dict[Lookup, CollectionError] = {}
        for lookup, answer in look_up(self._client, lookups, self._concurrency, self._timeout).items():
            if isinstance(answer, CollectionError):
                refused[lookup] = answer
            else:
                self._looked_up[lookup] = self._as_after_pending(lookup, answer)
        return refused

    def _as_after_pending(self, lookup: Lookup, answer: Outcome) -> Outcome:
        """A registry that refuses today's credentials says nothing about those that are about to be written."""
        if isinstance(answer, ImportFailure) and self._is_pending(lookup.namespace, lookup.source, answer):
            return UNKNOWN_IMAGE._replace(import_mode=answer.import_mode)
        return answer

    def _is_pending(self, namespace: str, source: str, failure: ImportFailure) -> bool:
        if not self._pending:
            return False
        from .._credentials.keyring import file_key, key_matches, lookup_text
        from .remedies import refused_images

        targets = [lookup_text(str(image)) for image in refused_images(PullSpec.parse(source), failure)]
        keys = [file_key(pending.registry) for pending in self._pending if pending.namespace == namespace]
        return any(key and key_matches(key, target) for key in keys for target in targets)

    def foresee(self, plans: t.Mapping[Key, StreamPlan]) -> None:
        """Check mode: the result of each plan as far as the registries' answers tell."""
        for key, plan in plans.items():
            if plan.create and not plan.items and not self._could_create(key):
                continue
            result = StreamResult(self.streams[key], self._observed[key], plan.after)
            if key in self._unlisted:
                # Which tags there will be is not known; that there will be the stream is.
                result.after = plan.after._replace(exists=True)
            result.note(plan)
            self._finish(result)

    def _could_create(self, key: Key) -> bool:
        """Whether the namespace of a new stream is there, which nothing has told where no image was looked up."""
        try:
            self._client.get(f"/api/v1/namespaces/{segment(key[0])}")
        except NotFound as error:
            self._stop(key, error)
            return False
        except (ApiUnreachable, Unauthorized):
            raise
        except CollectionError:
            # Who may not read namespaces may write in one all the same: the run will tell.
            return True
        return True

    def apply(self, plans: t.Mapping[Key, StreamPlan]) -> None:
        """Carry the plans out; a stream whose plan writes nothing gets no request."""
        writing = []
        for key, plan in plans.items():
            if plan.writes:
                writing.append((self.streams[key], self._observed[key]))
            else:
                result = StreamResult(self.streams[key], self._observed[key], self._observed[key])
                result.note(plan)
                self._finish(result)
        if not writing:
            return
        from .apply import apply_streams

        applied = apply_streams(
            self._client,
            writing,
            self._looked_up,
            concurrency=self._concurrency,
            timeout=self._timeout,
            control_plane_architecture=self._control_plane_architecture(),
        )
        for result in applied.values():
            self._finish(result)

    def _stop(self, key: Key, error: CollectionError, cause: ImportFailure | None = None, plan: StreamPlan | None = None) -> None:
        """``plan`` is as far as it got: what it was for is told, although nothing came of it."""
        result = StreamResult(self.streams.pop(key), self._observed[key], self._observed[key], error=error, cause=cause)
        if plan is not None:
            result.note(plan)
        self._finish(result)

    def _finish(self, result: StreamResult) -> None:
        result.gone_upstream = self._gone_upstream.get(result.desired.key, ())
        listing = self._listings.get(result.desired.key)
        if listing is not None:
            result.tags_from, result.tags_from_reason = listing.tags_from, listing.reason
        self.results[result.desired.key] = result

    @property
    def _foresees(self) -> bool:
        """Whether the outcome of each import is looked up before: in check mode, and where only what was shown may be done."""
        return self._check_mode or any(stream.approved is not None for stream in self.streams.values())

    def _control_plane_architecture(self) -> str:
        """Return what completes a preference for an operating system alone: the architecture of the control plane."""
        asked = self._foresees and any(tag.prefer_os and not tag.prefer_architecture for stream in self.streams.values() for tag in stream.tags)
        platform = self._client.get("/version").get("platform", "") if asked else ""
        return platform.partition("/")[2] or "amd64"


def _is_gone(source: str, repository: PullSpec, upstream: t.Container[str]) -> bool:
    """Whether a pull spec names a tag of the repository that is not among those that it has."""
    place, colon, tag = source.partition("@")[0].rpartition(":")
    return bool(colon) and place == str(repository) and tag not in upstream
