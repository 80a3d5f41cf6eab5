# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drive image streams from what is declared to a result: observe, look up, plan, then apply or, in check mode, foresee.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from .._cluster.client import ClusterClient
from .._cluster.facts import check_namespace_exists, control_plane_architecture
from .._core.concurrency import concurrent_map
from .._core.errors import ApiUnreachable, CollectionError, InputError, NotFound, RegistryError, Unauthorized
from .._core.owners import judge
from .._core.references import PullSpec
from .._core.report import listed
from .answers import Answers, refused_for
from .desired import DesiredRepository, DesiredStream, PendingCredential, idle_patterns, select_tags
from .images import EXTERNAL, ImportFailure, Lookup
from .observed import Key, ObservedStream, observe
from .plan import PurgeRefused, plan_stream
from .plan_types import Knowledge, StreamPlan
from .result import StreamResult

if t.TYPE_CHECKING:
    from .._credentials.sources import OptionCredentials
    from .repositories import RepositoryListing
    from .tag_reader import TagReader


@contextmanager
def reading_repositories(
    client: ClusterClient,
    desired: t.Iterable[DesiredStream],
    mask: t.Callable[..., None],
    *,
    width: int,
    given: OptionCredentials | None = None,
    ca_cert: str | None = None,
) -> t.Iterator[TagReader | None]:
    """Yield the reader, with at most ``width`` connections at once; None if no stream imports a whole repository.

    ``given`` are the credentials of the task, which come before those of the namespaces.
    """
    if not any(stream.repository for stream in desired):
        yield None
        return
    from .repositories import registry_tag_reader  # noqa: PLC0415 - for whole repositories only

    with registry_tag_reader(client, mask, width=width, given=given, ca_cert=ca_cert) as reader:
        yield reader


def converge_streams(
    client: ClusterClient,
    desired: t.Sequence[DesiredStream],
    *,
    check_mode: bool,
    concurrency: int,
    timeout: int,
    pending: t.Sequence[PendingCredential] = (),
    tag_reader: TagReader | None = None,
    compare: bool = False,
) -> list[StreamResult]:
    """Converge the streams, or tell what that would do; results are in the order of ``desired``.

    ``concurrency`` requests are under way at a time; ``timeout`` is the server's limit for one import or lookup, in
    seconds. ``pending`` are credentials that check mode may count on although the cluster does not have them yet.
    ``tag_reader`` lists repositories if it can; without it, and if it cannot, the server does. With ``compare``, in
    check mode, what somebody else reconciles is compared all the same, and the result says that a run would be
    ``refused``. Raises ``CollectionError`` only if nothing was done at all (API server gone, token refused, no image
    API).
    """
    run = _StreamRun(
        client, desired, check_mode, concurrency, timeout, pending if check_mode else (), compare and check_mode
    )
    run.observe()
    run.list_repositories(tag_reader)
    plans = run.plan()
    if check_mode:
        run.foresee(plans)
    else:
        run.apply(plans)
    return [run.results[stream.key] for stream in desired]


def converge_observed(
    client: ClusterClient,
    desired: t.Sequence[DesiredStream],
    observed: t.Mapping[Key, ObservedStream],
    *,
    check_mode: bool,
    concurrency: int,
    timeout: int,
) -> list[StreamResult]:
    """Converge streams that were read already, or tell what that would do.

    None of them is declared by a whole repository.
    """
    run = _StreamRun(client, desired, check_mode, concurrency, timeout)
    run.take(observed)
    plans = run.plan()
    if check_mode:
        run.foresee(plans)
    else:
        run.apply(plans)
    return [run.results[stream.key] for stream in desired]


class _StreamRun:
    """The streams of one run. A stream that an error stopped has a result, and is no longer in ``streams``."""

    def __init__(
        self,
        client: ClusterClient,
        desired: t.Sequence[DesiredStream],
        check_mode: bool,
        concurrency: int,
        timeout: int,
        pending: t.Sequence[PendingCredential] = (),
        compare: bool = False,
    ) -> None:
        self._client = client
        self._check_mode = check_mode
        self._compare = compare
        self._concurrency = concurrency
        self._timeout = timeout
        self._answers = Answers(client, check_mode, concurrency, timeout, pending)
        self._observed: dict[Key, ObservedStream] = {}
        self._listings: dict[Key, RepositoryListing] = {}
        self._gone_upstream: dict[Key, tuple[str, ...]] = {}
        self._unlisted: set[Key] = set()
        self._warnings: dict[Key, list[str]] = {}
        self._refused: dict[Key, str] = {}
        self.streams = {stream.key: stream for stream in desired}
        self.results: dict[Key, StreamResult] = {}

    def observe(self) -> None:
        """Read what the cluster has."""
        for key, found in observe(self._client, list(self.streams), self._concurrency).items():
            if isinstance(found, CollectionError):
                self._observed[key] = ObservedStream(*key)
                self._stop(key, found)
                self.results[key].unread = self.results[key].unasked = True
            else:
                self._observed[key] = found

    def take(self, observed: t.Mapping[Key, ObservedStream]) -> None:
        """Begin with streams as they were read by somebody else."""
        self._observed.update(observed)

    def list_repositories(self, reader: TagReader | None) -> None:
        """Replace each desired repository by its tags, as the registry or the server lists them."""
        whole = [
            (key, stream.repository) for key, stream in self.streams.items() if stream.repository and not stream.absent
        ]

        if not whole:
            return
        from .repositories import list_repository  # noqa: PLC0415 - for whole repositories only

        def ask(pair: tuple[Key, DesiredRepository]) -> RepositoryListing | CollectionError:
            try:
                return list_repository(self._client, reader, self.streams[pair[0]], pair[1], self._timeout)
            except (ApiUnreachable, Unauthorized):
                raise
            except CollectionError as error:
                return error

        for (key, repository), answer in zip(whole, concurrent_map(ask, whole, self._concurrency)):
            if isinstance(answer, CollectionError):
                self._stop(key, answer)
                self.results[key].unasked = True
            elif answer.failure:
                self._without_list(key, repository, answer, answer.failure)
            else:
                self._listings[key] = answer
                self._take_tags(key, repository, answer)

    def _without_list(
        self, key: Key, repository: DesiredRepository, answer: RepositoryListing, failure: ImportFailure
    ) -> None:
        """Go on with a stream whose repository cannot be listed yet, or stop it if it cannot be listed at all."""
        self._listings[key] = answer
        if self._answers.is_pending(key[0], str(repository.source), failure):
            self._unlisted.add(key)
            self._listings[key] = answer._replace(
                reason="the credential that lists them is not written yet, so that its tags are not known"
            )
            self.streams[key] = self.streams[key]._replace(purge_tags=False)
            return
        text = f"the tags of {repository.source} could not be listed: {failure.text}"
        self._stop(key, RegistryError(text, registry=repository.source.registry), failure)

    def _take_tags(self, key: Key, repository: DesiredRepository, answer: RepositoryListing) -> None:
        wanted = repository.template
        tags = tuple(repository.tag(name) for name in select_tags(answer.tags, repository.patterns))
        has = f"{len(answer.tags)} tags of {repository.source}"
        if answer.tags and not tags:
            patterns = ", ".join(repository.patterns)
            self._stop(
                key, InputError(f"tag_patterns {patterns}: none of the {has} fits; it has {listed(answer.tags)}")
            )
            return
        self.streams[key] = self.streams[key]._replace(tags=tags)
        for pattern in idle_patterns(answer.tags, repository.patterns) if self.streams[key].purge_tags else ():
            self.streams[key] = self.streams[key]._replace(purge_tags=False)
            text = (
                f'the pattern "{pattern}" of tag_patterns fits none of the {has} ({listed(answer.tags)}), so that '
                "purge_tags removes nothing"
            )
            self._warnings.setdefault(key, []).append(f"{key[0]}/{key[1]}: {text}")
        for name, outcome in answer.images.items():
            source = str(repository.tag(name).source)
            self._answers.known[Lookup(key[0], source, wanted.import_mode, bool(wanted.insecure))] = outcome
        upstream = set(answer.tags)
        external = [tag for tag in self._observed[key].tags.values() if tag.kind == EXTERNAL]
        self._gone_upstream[key] = tuple(
            sorted(tag.name for tag in external if _is_gone(tag.source, repository.source, upstream))
        )

    def plan(self) -> dict[Key, StreamPlan]:
        """Plan every stream, finding out from the registries what the plans depend on."""
        knowledge = Knowledge(
            self._answers.known, foresee=self._foresees, control_plane_architecture=self._control_plane_architecture()
        )
        plans: dict[Key, StreamPlan] = {}
        open_keys = list(self.streams)
        while open_keys:
            for key in list(open_keys):
                try:
                    plans[key] = plan_stream(self.streams[key], self._observed[key], knowledge)
                except PurgeRefused as error:
                    open_keys.remove(key)
                    self._stop(key, error)
            questions = [(tag.lookup, tag) for key in open_keys for tag in plans[key].tags if tag.lookup]
            refused = self._answers.find_out(questions) if questions else {}
            asking = [key for key in open_keys if plans[key].lookups]
            open_keys = []
            for key in asking:
                errors = [refused[lookup] for lookup in plans[key].lookups if lookup in refused]
                if errors:
                    self._stop(key, refused_for(key[1], errors[0]), plan=plans.pop(key))
                    self.results[key].unasked = True
                else:
                    open_keys.append(key)
        for key in list(plans):
            self._respect_the_owner(key, plans)
        return plans

    def _respect_the_owner(self, key: Key, plans: dict[Key, StreamPlan]) -> None:
        """Stop a stream whose spec somebody else reconciles and would put back; warn if they may."""
        if key not in self.streams or not plans[key].changes_spec:
            return
        subject = f'The image stream "{key[0]}/{key[1]}"'
        refusal, warning = judge(subject, self._observed[key].owner, self.streams[key].take_over)
        if warning:
            self._warnings.setdefault(key, []).append(warning)
        if refusal is not None and self._compare:
            self._refused[key] = str(refusal)
        elif refusal is not None:
            self._stop(key, refusal, plan=plans.pop(key))

    def foresee(self, plans: t.Mapping[Key, StreamPlan]) -> None:
        """Foresee the result of each plan in check mode, as far as the registries' answers tell."""
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
        """Return whether the namespace of a new stream is there, which nothing has told if no image was looked up."""
        try:
            check_namespace_exists(self._client, key[0])
        except NotFound as error:
            self._stop(key, error)
            return False
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
        from .apply import apply_streams  # noqa: PLC0415 - for a run that writes only

        applied = apply_streams(
            self._client,
            writing,
            self._answers.known,
            concurrency=self._concurrency,
            timeout=self._timeout,
            control_plane_architecture=self._control_plane_architecture(),
        )
        for result in applied.values():
            self._finish(result)

    def _stop(
        self, key: Key, error: CollectionError, cause: ImportFailure | None = None, plan: StreamPlan | None = None
    ) -> None:
        """``plan`` is as far as it got: what it was for is told, although nothing came of it."""
        result = StreamResult(self.streams.pop(key), self._observed[key], self._observed[key], error=error, cause=cause)
        if plan is not None:
            result.note(plan)
        self._finish(result)

    def _finish(self, result: StreamResult) -> None:
        result.warnings += self._warnings.get(result.desired.key, ())
        result.refused = self._refused.get(result.desired.key, "")
        result.gone_upstream = self._gone_upstream.get(result.desired.key, ())
        listing = self._listings.get(result.desired.key)
        if listing is not None:
            result.tags_from, result.tags_from_reason = listing.tags_from, listing.reason
        self.results[result.desired.key] = result

    @property
    def _foresees(self) -> bool:
        """Return whether the outcome of each import is looked up before.

        It is looked up in check mode, and if only what was shown may be done.
        """
        return self._check_mode or any(stream.approved is not None for stream in self.streams.values())

    def _control_plane_architecture(self) -> str:
        """Return what completes a preference for an operating system alone: the architecture of the control plane."""
        asked = self._foresees and any(
            tag.prefer_os and not tag.prefer_architecture for stream in self.streams.values() for tag in stream.tags
        )
        return control_plane_architecture(self._client) if asked else "amd64"


def _is_gone(source: str, repository: PullSpec, upstream: t.Container[str]) -> bool:
    """Return whether a pull spec names a tag of the repository that is not among those that it has."""
    place, colon, tag = source.partition("@")[0].rpartition(":")
    return bool(colon) and place == str(repository) and tag not in upstream
