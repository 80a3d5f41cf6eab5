# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check, do, check again, do again: what has to hold for every playbook of the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .cluster import Cluster, Snapshot
from .playbooks import Playbooks, Run

CHECK = ("--check", "--diff")
DO = ("--diff",)

NewNamespace = Callable[[], str]


@dataclass
class Stage:
    """A playbook with its variables, and the namespaces that it works in.

    ``complaints`` are the warnings that its runs are meant to give, each by a part of its text.
    """

    cluster: Cluster
    playbooks: Playbooks
    playbook: Path | str
    namespaces: tuple[str, ...]
    variables: dict[str, t.Any] = field(default_factory=dict)
    inventory: Path | str = ""
    complaints: tuple[str, ...] = ()

    def run(self, *options: str) -> Run:
        """One run that has to succeed without a word of complaint."""
        run = self.run_to_fail(*options)
        assert run.exit_code == 0, run.output
        return run

    def run_to_fail(self, *options: str) -> Run:
        """One run that may fail, but not complain."""
        run = self.playbooks.run(self.playbook, *options, variables=self.variables, inventory=self.inventory)
        others = [text for text in run.complaints() if not any(part in text for part in self.complaints)]
        assert not others, run.output
        return run

    def predict(self) -> Run:
        """Return a run in check mode, which must not write; what controllers have still to do is waited for."""
        before = self.cluster.settled(self.namespaces)
        predicted = self.run(*CHECK)
        written = self.snapshot().written_since(before)
        assert not written, f"check mode wrote {written}"
        return predicted

    def predict_and_do(self, *, images_known: bool = True) -> tuple[Run, Run]:
        """Check mode, then the run, which has to do exactly what check mode said. ``images_known`` is False if the
        cluster cannot ask the registry before the run has written the credential: no digest is predicted then."""
        predicted, done = self.predict(), self.run(*DO)
        assert predicted.changed() == done.changed()
        assert predicted.changed_tags() == done.changed_tags()
        if images_known:
            assert predicted.diffs() == done.diffs()
            assert predicted.tags() == done.tags()
        else:
            assert without_images(predicted.diffs()) == without_images(done.diffs())
        return predicted, done

    def find_nothing_to_do(self) -> None:
        """Check mode finds no difference, and the run writes nothing."""
        before = self.cluster.settled(self.namespaces)
        for run in (self.predict(), self.run(*DO)):
            assert run.changed() == [], run.output
            assert run.changed_tags() == {}
        written = self.snapshot().written_since(before)
        assert not written, f"a run without differences wrote {written}"

    def converge(self, *, images_known: bool = True) -> Run:
        """Check, do, check again, do again; returns the run that did it."""
        _predicted, done = self.predict_and_do(images_known=images_known)
        self.find_nothing_to_do()
        return done

    def snapshot(self) -> Snapshot:
        """Return the namespaces as they are now."""
        return self.cluster.snapshot(self.namespaces)


NewStage = Callable[..., Stage]


def without_images(diffs: Mapping[str, list[dict[str, str]]]) -> t.Any:
    """Diffs without the digests of images."""
    return {
        title: [{side: _without_digests(text) for side, text in entry.items()} for entry in entries]
        for title, entries in diffs.items()
    }


def _without_digests(text: str) -> str:
    lines = [re.sub(r"@sha256:[0-9a-f]{8}\b", "", line) for line in text.splitlines()]
    return "\n".join(line for line in lines if ": image: " not in line)
