# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tags of a whole repository: from the registry itself if the module can read it, else through the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The registry's list costs a request or two. The server's costs a lookup of up to 50 images, two per second, wanted or
not (server-behaviour.md 2.4 and 2.6). So the registry is asked first, with a credential of the task or the one that
the server would use; whatever stands in the way of that (network, trust, rights, credential) is no failure, because
the server's answer is as good.
"""

from __future__ import annotations

import json
import threading
import typing as t
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from .._cluster.client import ClusterClient
from .._core.errors import CollectionError, Forbidden, InputError, RegistryError
from .._core.outward import excerpt
from .._core.references import PullSpec, check_tag_name
from .._credentials.sources import NamespaceCredentials, OptionCredentials
from .._registry.repository import RegistryReader
from .._registry.session import Patience
from .desired import DesiredRepository, DesiredStream
from .images import ImportFailure, Outcome
from .stream_imports import send_repository
from .tag_reader import TagReader

FROM_REGISTRY = "registry"
FROM_SERVER = "server"
# characters of what is no tag
_SHOWN = 60

# A registry that cannot be read from here is not waited for long, since there is another way.
PATIENCE: dict[str, t.Any] = {"connect": 5.0, "answer": 15.0, "body": 60.0, "tries": 1}


class RepositoryListing(NamedTuple):
    """The tags of a repository, and ``images``, what the server has looked up on the way.

    ``reason`` says why the list is not from the registry itself; ``failure`` why there is none at all.
    """

    tags: list[str]
    tags_from: str
    reason: str = ""
    images: t.Mapping[str, Outcome] = MappingProxyType({})
    failure: ImportFailure | None = None


class RegistryTagReader:
    """Reads tags from registries with the credentials of the task's options, else with the pull secrets of
    namespaces, or anonymously if these may not be read or sent. ``ca_cert`` is trusted for registries of which
    the options say nothing else.

    A registry that could not be reached is not retried in the run.
    """

    def __init__(
        self,
        reader: RegistryReader,
        credentials: NamespaceCredentials,
        given: OptionCredentials | None = None,
        ca_cert: str | None = None,
    ) -> None:
        self._reader = reader
        self._credentials = credentials
        self._given = given
        self._ca_cert = ca_cert
        self._lock = threading.Lock()
        self._unreachable: dict[tuple[str, bool], RegistryError] = {}

    def tags(self, namespace: str, source: PullSpec, *, insecure: bool) -> list[str]:
        registry = source.registry, insecure
        with self._lock:
            known = self._unreachable.get(registry)
        if known is not None:
            raise known
        credential = self._given.find(str(source)) if self._given else None
        try:
            if credential is None and not insecure:
                # Without verified TLS whoever answers from here may be somebody else than the cluster's registry.
                credential = self._credentials.of(namespace).find(str(source))
        except Forbidden:
            credential = None
        settings = self._given.settings_for(str(source)) if self._given else None
        ca_cert = settings.ca_cert if settings and settings.ca_cert else self._ca_cert
        try:
            return self._reader.repository(
                source, credential.login if credential else None, insecure=insecure, ca_cert=ca_cert
            ).tags()
        except RegistryError as error:
            if error.status is None:
                with self._lock:
                    self._unreachable[registry] = error
            raise


def list_repository(
    client: ClusterClient, reader: TagReader | None, stream: DesiredStream, repository: DesiredRepository, timeout: int
) -> RepositoryListing:
    """List the tags of ``repository`` for ``stream``. Raises the API server's refusal if it cannot list them either.

    ``timeout`` is the server's limit for its lookup, in seconds.
    """
    namespace, name = stream.key
    wanted = repository.template
    reason = ""
    if wanted.insecure and stream.purge_tags:
        reason = "tags are not removed by a list that was read without verified TLS"
    elif reader is not None:
        try:
            tags = reader.tags(namespace, repository.source, insecure=bool(wanted.insecure))
        except CollectionError as error:
            reason = str(error)
        else:
            if tags:
                return RepositoryListing(tags, FROM_REGISTRY)
            # An empty list would take every tag away that a purge may remove: only the server's own word counts for
            # that.
            reason = "the registry lists no tag"
    answer = send_repository(
        client,
        namespace,
        name,
        repository.source,
        import_mode=wanted.import_mode,
        insecure=bool(wanted.insecure),
        timeout=timeout,
    )
    failure = answer.failure or _no_tag(answer.tags)
    return RepositoryListing(answer.tags, FROM_SERVER, reason, answer.images, failure)


def _no_tag(names: t.Iterable[str]) -> ImportFailure | None:
    """Return the failure of a list with something in it that is no tag: the rest of it is not believed either."""
    for name in names:
        try:
            check_tag_name(name)
        except InputError:
            return ImportFailure("", f"the list names {excerpt(json.dumps(name), _SHOWN)}, which is no tag")
    return None


@contextmanager
def registry_tag_reader(
    client: ClusterClient,
    mask: t.Callable[..., None],
    *,
    width: int,
    given: OptionCredentials | None = None,
    ca_cert: str | None = None,
) -> t.Iterator[RegistryTagReader]:
    """Yield a reader with at most ``width`` connections at once.

    ``given`` are the credentials of the task, which come before those of the namespaces.
    """
    with RegistryReader(pool_size=width, patience=Patience(**PATIENCE)) as reader:
        yield RegistryTagReader(reader, NamespaceCredentials(client, mask), given, ca_cert)
