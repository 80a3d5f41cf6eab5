# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the Cluster Samples Operator: it acts by its Config as the real one does, as far as clients can
see.

Its samples are the image streams of ``openshift`` that carry its label; what they first looked like is what it goes
back to.
"""

from __future__ import annotations

import asyncio
import copy
import typing as t
from collections.abc import Callable

from .access import User, account_user
from .gotext import now_text
from .handling import Call
from .import_controller import import_waiting_tags
from .imports import ImportHandler
from .resources import SAMPLES_CONFIGS, STREAMS, ResourceType
from .store import Object, Store, Stored
from .stream_handler import Streams
from .streams import Stream

NAMESPACE = "openshift"
LABEL = "samples.operator.openshift.io/managed"
DELAY = 0.3
CONDITIONS = {
    "SamplesExist": "True",
    "ImportCredentialsExist": "True",
    "ConfigurationValid": "True",
    "ImageChangesInProgress": "False",
    "RemovePending": "False",
    "MigrationInProgress": "False",
    "ImportImageErrorsExist": "False",
}
_APPLIED = ("managementState", "samplesRegistry", "skippedImagestreams", "skippedTemplates")
_USER: User = account_user("openshift-cluster-samples-operator", "cluster-samples-operator")


class SamplesOperator:
    """Watches the Config and the samples, and acts a little later; ``running`` is its switch."""

    def __init__(self, store: Store, streams: Streams, importer: ImportHandler) -> None:
        self.running = False
        self._store = store
        self._streams = streams
        self._importer = importer
        self._inventory: dict[str, Object] = {}
        self._asked = False
        self._task: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to watch; to be called on the event loop."""
        self._unwatch = self._store.watch(self._notice)

    async def stop(self) -> None:
        """Stop watching, and what is under way."""
        self._unwatch()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def switch(self, running: bool) -> None:
        """Turn it on or off; it creates its Config if there is none."""
        starts = running and not self.running
        self.running = running
        if starts:
            self._inventory.clear()
            if self._config() is None:
                self._store.create(
                    SAMPLES_CONFIGS,
                    "",
                    {"metadata": {"name": "cluster", "generation": 1}, "spec": {"managementState": "Managed"}},
                )
            self._wake()

    def _config(self) -> Stored | None:
        return self._store.get(SAMPLES_CONFIGS, "", "cluster")

    def _notice(self, _event: str, resource: ResourceType, stored: Stored) -> None:
        ours = resource is STREAMS and stored.data["metadata"].get("namespace") == NAMESPACE
        if self.running and (ours or resource is SAMPLES_CONFIGS):
            self._wake()

    def _wake(self) -> None:
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while self._asked:
            await asyncio.sleep(DELAY)
            self._asked = False
            if self.running and self._config() is not None:
                await self._act()

    async def _act(self) -> None:
        """Do what differs between specification and status, then report; what is as it should be is not written."""
        spec = t.cast(Stored, self._config()).copy().get("spec") or {}
        applied = {field: spec[field] for field in _APPLIED if spec.get(field)}
        applied.setdefault("managementState", "Managed")
        state = applied["managementState"]
        if state == "Unmanaged":
            self._report({"managementState": state}, {}, keep=True)
        elif state == "Removed":
            self._remove()
            self._report(applied, {"SamplesExist": "False"})
        else:
            if self._upsert(spec):
                # The status keeps the earlier configuration as long as the new one is being carried out.
                self._report({}, {"ImageChangesInProgress": "True"}, keep=True)
                await asyncio.sleep(DELAY)
            for name in self._managed():
                await self._import(name)
            failed = " ".join(name for name in self._managed() if self._has_failed(name))
            self._report(applied, {"ImportImageErrorsExist": "True"} if failed else {}, reason=failed)

    async def _import(self, name: str) -> None:
        stored = self._store.get(STREAMS, NAMESPACE, name)
        # A refusal needs no care: who wrote the stream meanwhile was noticed, so it is looked at again.
        if stored is not None:
            await import_waiting_tags(stored, self._importer, _USER)

    def _managed(self) -> list[str]:
        """Return the names of the samples that it manages; new ones come into the inventory."""
        labelled = []
        for stored in self._store.items(STREAMS, NAMESPACE):
            label = (stored.data["metadata"].get("labels") or {}).get(LABEL)
            if label is not None:
                self._inventory.setdefault(stored.data["metadata"]["name"], stored.copy())
            if label == "true":
                labelled.append(stored.data["metadata"]["name"])
        return labelled

    def _has_failed(self, name: str) -> bool:
        stored = t.cast(Stored, self._store.get(STREAMS, NAMESPACE, name))
        return any(history.get("conditions") for history in stored.data["status"].get("tags") or [])

    def _remove(self) -> None:
        for name in self._managed():
            self._store.delete(STREAMS, NAMESPACE, name)

    def _upsert(self, spec: Object) -> bool:
        """Bring each sample to what the configuration says; returns whether any was written."""
        self._managed()
        wrote = False
        for name, original in self._inventory.items():
            skipped = name in (spec.get("skippedImagestreams") or [])
            call = Call(_USER, "update", STREAMS, namespace=NAMESPACE, name=name)
            stored = self._store.get(STREAMS, NAMESPACE, name)
            stream = self._streams.open(stored) if stored else self._anew(original)
            stream.metadata.setdefault("labels", {})[LABEL] = "false" if skipped else "true"
            if not skipped:
                for tag in original["spec"].get("tags") or []:
                    if name_of := (tag.get("from") or {}).get("name"):
                        stream.spec_tags[tag["name"]]["from"]["name"] = _elsewhere(
                            name_of, spec.get("samplesRegistry") or ""
                        )
            if stored is not None:
                wrote |= self._streams.write(call, stored, stream) is not stored
            elif not skipped:
                self._streams.create(call, stream)
                wrote = True
        return wrote

    def _anew(self, original: Object) -> Stream:
        kept = {
            key: original["metadata"][key] for key in ("name", "namespace", "labels") if key in original["metadata"]
        }
        return self._streams.reader.read({"spec": copy.deepcopy(original["spec"])}, copy.deepcopy(kept))

    def _report(self, applied: Object, conditions: dict[str, str], *, reason: str = "", keep: bool = False) -> None:
        stored = t.cast(Stored, self._config())
        data = stored.copy()
        before = data.get("status") or {}
        known = {entry["type"]: entry for entry in before.get("conditions") or []}
        wanted = []
        for name, good in CONDITIONS.items():
            status = conditions.get(name) or (known[name]["status"] if keep and name in known else good)
            entry = {"type": name, "status": status, "reason": reason if name == "ImportImageErrorsExist" else ""}
            changed = known.get(name, {}).get("status") != status
            time = now_text() if changed else known[name]["lastTransitionTime"]
            wanted.append({**entry, "lastTransitionTime": time})
        data["status"] = {**(before if keep else {}), **applied, "conditions": wanted, "version": "4.0.0-emulated"}
        if data["status"] != before:
            self._store.replace(SAMPLES_CONFIGS, "", data)


def _elsewhere(source: str, registry: str) -> str:
    """Return a pull spec with another registry in the place of its own."""
    return f"{registry}/{source.partition('/')[2]}" if registry else source
