# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster from its variables to its part of the report: batch by batch compared, corrected if asked, and kept.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

It runs in Ansible's own process, once for each cluster of a fleet, so it imports nothing that only modules need.
"""

from __future__ import annotations

import json
import os
import re
import typing as t

PART_FORMAT = "quayside.openshift_images/drift-part"
_FORMAT = '"quayside.openshift_images/drift"'
_ID = re.compile(r"[0-9a-f]{16}")
_NO_WORD = "The module ended without a word."

Json = dict[str, t.Any]
# Runs cluster_drift with these options, in check mode or not, and returns what it returned with names as they are.
RunModule = t.Callable[[Json, bool], Json]


class Declared(t.NamedTuple):
    """What is declared for a cluster, as options of cluster_drift; streams go in batches of ``batch_size``."""

    secrets: t.Sequence[t.Any]
    cluster_pull_secret: t.Mapping[str, t.Any] | None
    streams: t.Sequence[t.Any]
    batch_size: int

    def batches(self) -> list[tuple[str, Json]]:
        """Return the batches, each with its name.

        Secrets and links go with the first: most clusters need one start of a module.
        """
        total = len(self.streams)
        found = []
        for begin in range(0, max(total, 1), self.batch_size):
            options: Json = {"streams": self.streams[begin : begin + self.batch_size]}
            names = []
            if begin == 0:
                options["secrets"] = self.secrets
                if self.cluster_pull_secret:
                    options["cluster_pull_secret"] = self.cluster_pull_secret
                names += ["secrets and links"] if self.secrets or self.cluster_pull_secret else []
            names += [f"streams {begin + 1:,} to {min(begin + self.batch_size, total):,} of {total:,}"] if total else []
            found.append((", ".join(names), options))
        return found


class Collector:
    """Compares one cluster with what is declared for it, and corrects what was shown. ``tell`` shows how far it is."""

    def __init__(self, run_module: RunModule, tell: t.Callable[[str], None]) -> None:
        self._run = run_module
        self._tell = tell
        self.changed = False
        self.warnings: list[str] = []
        self.differences: list[t.Any] = []

    def compare(self, declared: Declared, part: Json) -> list[tuple[Json, list[Json]]]:
        """Compare batch by batch and add the results to the part.

        Returns each batch with the changes that it showed.
        """
        pending: list[t.Any] = []
        shown = []
        batches = declared.batches()
        for place, (name, options) in enumerate(batches):
            result = self._take(self._run({**options, "pending_credentials": pending} if pending else options, True))
            if len(batches) > 1:
                self._tell(f"{name}: {result.get('described') or 'could not be done'}")
            if "drift" not in result:
                _add_error(part["errors"], result)
                if place == 0:
                    break
                continue
            part["compared"].append(result["drift"])
            pending = pending or result.get("pending_credentials") or []
            shown.append((options, result["to_approve"]))
        return shown

    def correct(
        self, shown: t.Iterable[tuple[Json, list[Json]]], approved: t.Container[str] | None, part: Json
    ) -> None:
        """Correct what was shown and is approved, of each batch; without approvals everything that was shown."""
        changes = [
            (options, [one for one in found if approved is None or one["id"] in approved]) for options, found in shown
        ]
        part.update(correction=True, approved=[one["id"] for _options, chosen in changes for one in chosen])
        for options, chosen in changes:
            if not chosen:
                continue
            result = self._take(self._run({**options, "approved": chosen, "results": "changed"}, False))
            self.changed = self.changed or bool(result.get("changed"))
            self.differences += result.get("diff") or []
            if "drift" in result:
                part["corrected"].append(result["drift"])
            else:
                _add_error(part["correction_errors"], result)

    def _take(self, result: Json) -> Json:
        self.warnings += [text for text in result.get("warnings") or [] if text not in self.warnings]
        return result


def new_part(cluster: str, *, upstream: bool, version: str, inventory: t.Sequence[str]) -> Json:
    """Return the part of the report for a cluster of which nothing is known yet."""
    return {
        "format": PART_FORMAT,
        "cluster": cluster,
        "run": {"collection_version": version, "inventory": list(inventory)},
        "upstream": upstream,
        "compared": [],
        "errors": [],
        "correction": False,
        "approved": [],
        "corrected": [],
        "correction_errors": [],
        "prune_risks": {},
        "prune_errors": [],
    }


def _add_error(errors: list[str], result: Json) -> None:
    message = result.get("msg") or _NO_WORD
    if message not in errors:
        errors.append(message)


class NotReadable(Exception):
    """A file of approved changes cannot be used; the text says why."""


def approved_ids(path: str, cluster: str) -> list[str]:
    """Return the ids of the changes that a drift.json shows for a cluster. Raises NotReadable."""
    where = os.path.realpath(os.path.expanduser(path))
    try:
        with open(where, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        raise NotReadable(f"there is no file {where}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotReadable(f"{where} cannot be read: {error}") from error
    try:
        document = json.loads(text)
        if document["format"] != json.loads(_FORMAT):
            raise NotReadable(f"{where} is no report on drift")
        found = [change["id"] for one in document["clusters"] if one["name"] == cluster for change in one["changes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise NotReadable(f"{where} is no report on drift") from error
    if not all(isinstance(one, str) and _ID.fullmatch(one) for one in found):
        raise NotReadable(f"{where} names changes in a way that no report does")
    return found


def write_part(path: str, content: t.Any) -> None:
    """Write the result of a cluster as a whole, readable by its owner only. Raises OSError."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
