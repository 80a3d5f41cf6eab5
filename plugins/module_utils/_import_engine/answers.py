# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What registries serve now, asked through the cluster, each question once in a run.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.errors import ApiError, CollectionError
from .._core.references import PullSpec
from .desired import PendingCredential
from .images import NOBODYS_NAME, Image, ImportFailure, Lookup, Outcome
from .plan_types import UNKNOWN_IMAGE, TagPlan
from .refusals import refused_images


class Answers:
    """The answers of a run, ``known`` by question. ``pending`` are credentials that check mode may count on."""

    def __init__(
        self,
        client: ClusterClient,
        check_mode: bool,
        concurrency: int,
        timeout: int,
        pending: t.Sequence[PendingCredential],
    ) -> None:
        self._client = client
        self._check_mode = check_mode
        self._concurrency = concurrency
        self._timeout = timeout
        self._pending = pending
        self.known: dict[Lookup, Outcome] = {}

    def find_out(self, questions: t.Sequence[tuple[Lookup, TagPlan]]) -> dict[Lookup, CollectionError]:
        """Look up what the tags' plans depend on; return the questions that the API server refused.

        Whether upstream moved is the same in every namespace that may read the image, so one of them is asked. What
        an import will bring, and every failure, is the namespace's own, because credentials are.
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
            answer = self.known.get(asked[image])
            for lookup in group:
                if lookup in self.known or lookup in refused:
                    continue
                # A run imports what moved, and hears what its namespace may read; check mode has to ask.
                if (
                    isinstance(answer, Image)
                    and answer.is_known
                    and (not self._check_mode or digests[lookup] == {answer.digest})
                ):
                    self.known[lookup] = answer
                else:
                    left[lookup] = None
        return {**refused, **self._look_up(left)}

    def is_pending(self, namespace: str, source: str, failure: ImportFailure) -> bool:
        """Return whether a registry refused an image for want of a credential that is about to be written."""
        if not self._pending:
            return False
        from .._credentials.keyring import file_key, key_matches, lookup_text  # noqa: PLC0415 - for pending credentials only

        targets = [lookup_text(str(image)) for image in refused_images(PullSpec.parse(source), failure)]
        keys = [file_key(pending.registry) for pending in self._pending if pending.namespace == namespace]
        return any(key and key_matches(key, target) for key in keys for target in targets)

    def _look_up(self, lookups: t.Collection[Lookup]) -> dict[Lookup, CollectionError]:
        refused: dict[Lookup, CollectionError] = {}
        if not lookups:
            return refused
        from .stream_imports import look_up  # noqa: PLC0415 - for lookups only

        for lookup, answer in look_up(self._client, lookups, self._concurrency, self._timeout).items():
            if isinstance(answer, CollectionError):
                refused[lookup] = answer
            elif isinstance(answer, ImportFailure) and self.is_pending(lookup.namespace, lookup.source, answer):
                # A registry that refuses today's credentials says nothing about those that are about to be written.
                self.known[lookup] = UNKNOWN_IMAGE._replace(import_mode=answer.import_mode)
            else:
                self.known[lookup] = answer
        return refused


def refused_for(stream: str, error: CollectionError) -> CollectionError:
    """Return the refusal of a lookup in the words that the import of ``stream`` would have got.

    Check mode says what the run says.
    """
    if not isinstance(error, ApiError):
        return error
    text = str(error).replace(f'image stream import "{NOBODYS_NAME}"', f'image stream import "{stream}"')
    return type(error)(
        text,
        status=error.status,
        reason=error.reason,
        server_message=error.server_message,
        details=error.details,
        method=error.method,
        path=error.path,
    )
