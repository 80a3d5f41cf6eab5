# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenes: each tells what happens, does it, and verifies that it was so."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .claims import claim
from .cluster import Address, Cluster, Snapshot
from .job import PARTNER, SECRET, Job
from .playbook import Playbook, Run

# What a private registry serves, nobody can ask it before the first run has written the pull secret.
_NOT_BEFORE_THE_SECRET = frozenset({"image", "import_failure"})
MOVED = ("shop", "web", "stable")
_NAMED_TAGS = 3
_SHOWN_LINES = 9
# what ansible-playbook ends with if a host failed
_FAILED = 2
REPORT = "quayside.openshift_images.drift"
FLIPPED = ("shop", "web", "v1")


@dataclass
class Drift:
    """The state before the changes by hand, after them, and what check mode said about it."""

    good: Snapshot
    drifted: Snapshot
    touched: set[Address]
    predicted: Run


@dataclass
class Stage:
    """What the scenes play on; ``tell`` shows one line to the reader."""

    cluster: Cluster
    job: Job
    playbook: Playbook
    tell: Callable[[str], None]
    report: Path
    drift: Drift | None = None

    def predict(self) -> Run:
        """Run with ``--check --diff``, and verify that this wrote nothing and warned of nothing."""
        before = self.cluster.snapshot()
        predicted = self._play("--check", "--diff")
        written = self.cluster.snapshot().written_since(before)
        claim(not written, f"check mode wrote {_listed(written)}")
        self.tell(f"Check mode: {_foretold(predicted)}.")
        return predicted

    def fulfil(self, predicted: Run, unforeseeable: frozenset[str] = frozenset()) -> Run:
        """Run for real, and verify that exactly the predicted happened: the same results change, tags for the same
        reasons, and the diffs are equal but for the keys of ``unforeseeable``."""
        done = self._play("--diff")
        claim(
            _changes(predicted) == _changes(done),
            f"check mode predicted the changes {_changes(predicted)}, the run did {_changes(done)}",
        )
        claim(
            predicted.tag_changes() == done.tag_changes(),
            f"check mode predicted the tags {predicted.tag_changes()}, the run changed {done.tag_changes()}",
        )
        for (title, foreseen), (_title, seen) in zip(
            predicted.diffs(unforeseeable), done.diffs(unforeseeable), strict=True
        ):
            claim(foreseen == seen, f"{title}: check mode showed the diff {foreseen}, the run {seen}")
        return done

    def fail(self, *options: str) -> Run:
        """Run what has to fail, for a reason that is told."""
        run = self._run(*options)
        claim(
            run.exit_code == _FAILED,
            f"ansible-playbook {' '.join(options)} ended with {run.exit_code}, and should have failed:\n{run.output}",
        )
        return run

    def _play(self, *options: str, other: str = "") -> Run:
        run = self._run(*options, other=other)
        shown = " ".join(options)
        claim(run.exit_code == 0, f"ansible-playbook {shown} ended with {run.exit_code}:\n{run.output}")
        complaints = run.complaints()
        claim(not complaints, f"ansible-playbook {shown} warned: {'; '.join(complaints)}")
        return run

    def _run(self, *options: str, other: str = "") -> Run:
        self.tell(f"$ {self.playbook.shown(*options, other=other)}")
        run = self.playbook.run(*options, other=other)
        shown = " ".join(options)
        # first, for the next sentences show output
        for secret in self.job.secrets_of_the_demo():
            claim(
                not any(form in run.output for form in secret_forms(secret)),
                f"the output of ansible-playbook {shown} shows a password",
            )
        return run


def first_run(stage: Stage) -> None:
    """From nothing to everything."""
    empty = stage.cluster.settled()
    claim(not empty.tags(), "the demo's namespaces have image streams before the first run")
    done = stage.fulfil(stage.predict(), _NOT_BEFORE_THE_SECRET)
    claim(bool(done.changed), "the first run changed nothing")
    now = stage.cluster.settled()
    wanted = stage.job.desired_tags()
    claim(set(now.tags()) == wanted, f"the cluster has the tags {_listed(now.tags())}, wanted were {_listed(wanted)}")
    without_image = [tag for tag, found in now.tags().items() if not found.digest]
    claim(not without_image, f"no image was imported for {_listed(without_image)}")
    _claim_digests(stage, now)
    stage.tell(f"{len(wanted)} tags imported from a TLS, a plain HTTP and a self-signed registry, in one run.")


def second_run(stage: Stage) -> None:
    """Nothing to do."""
    before = stage.cluster.snapshot()
    done = stage.fulfil(stage.predict())
    claim(not done.changed, f"the second run changed {_listed(result.title for result in done.changed)}")
    written = stage.cluster.snapshot().written_since(before)
    claim(not written, f"the second run wrote {_listed(written)}")
    stage.tell(f"changed=0, and the resourceVersion of all {len(before)} objects stayed: not one write.")


def upstream_moved(stage: Stage) -> None:
    """Somebody pushes another image under the same tag."""
    before = stage.cluster.settled()
    digest = stage.job.move_stable()
    stage.tell(f"Upstream pushed a new team/web:stable, {_short(digest)}.")
    done = stage.fulfil(stage.predict())
    reported = {(change.stream, change.tag) for change in done.tag_changes()}
    expected = {(f"{MOVED[0]}/{MOVED[1]}", MOVED[2])}
    claim(reported == expected, f"the run reports {_listed(reported)} as changed, moved was {_listed(expected)}")
    now = stage.cluster.settled()
    moved = {tag for tag, found in now.tags().items() if found != before.tags()[tag]}
    claim(moved == {MOVED}, f"tags that are another now: {_listed(moved)}; moved was only {'/'.join(MOVED)}")
    claim(now.tags()[MOVED].digest == digest, f"{'/'.join(MOVED)} is {now.tags()[MOVED].digest}, not {digest}")
    written = now.written_since(before)
    stream = Address("imagestreams", MOVED[0], MOVED[1])
    claim(written == {stream}, f"written were {_listed(written)}, only {stream} should have been")
    stage.tell(f"Exactly one tag changed: {_short(before.tags()[MOVED].digest)} became {_short(digest)}.")


def drift(stage: Stage) -> None:
    """Four changes by hand, which check mode names, and only them."""
    good = stage.cluster.settled()
    cluster = stage.cluster
    cluster.flip_import_mode(*FLIPPED, "Legacy")
    cluster.clear_scheduled(*MOVED)
    cluster.remove_pull_link("shop", "default", SECRET)
    cluster.drop_registry("billing", SECRET, PARTNER)
    drifted = cluster.settled()
    touched = drifted.written_since(good)
    meant = {
        Address("imagestreams", "shop", "web"),
        Address("serviceaccounts", "shop", "default"),
        Address("secrets", "billing", SECRET),
    }
    claim(touched == meant, f"the changes by hand touched {_listed(touched)}, meant were {_listed(meant)}")
    stage.tell("By hand: an import mode flipped, scheduled cleared, a link removed, a registry dropped from a secret.")

    predicted = stage.predict()
    found = {(change.stream, change.tag): change.reasons for change in predicted.tag_changes()}
    wanted = {("shop/web", FLIPPED[2]): "import_mode_changed", ("shop/web", MOVED[2]): "scheduled_changed"}
    claim(found.keys() == wanted.keys(), f"check mode names the tags {_listed(found)}, drifted were {_listed(wanted)}")
    for tag, reason in wanted.items():
        claim(reason in found[tag], f"check mode gives {_listed(found[tag])} as the reasons for {tag[1]}, not {reason}")
    for line in _changed_lines(predicted)[:_SHOWN_LINES]:
        stage.tell(line)
    stage.drift = Drift(good, drifted, touched, predicted)


def report(stage: Stage) -> None:
    """Show the same four changes as a page, which is kept."""
    options = ("-e", f"drift_report_html_file={stage.report}", "-e", "drift_report_json_file=")
    stage._play(*options, other=REPORT)
    claim(stage.report.is_file(), f"the report {stage.report} was not written")
    stage.tell(f"The report of what differs: {stage.report}")


def typo(stage: Stage) -> None:
    """Declare a tag that does not exist, and show what the collection says about it."""
    before = stage.cluster.settled()
    image = stage.job.image("private", "team/web", "v99")
    wrong = [{"namespace": "shop", "name": "web", "tags": [{"name": "v99", "from": image}]}]
    failed = stage.fail("--check", "-e", json.dumps({"image_streams_desired": wrong}))
    said = [str(result.content.get("msg", "")) for result in failed.results if result.outcome == "failed"]
    about = next((text for text in said if image in text), "")
    claim(bool(about), f"nothing that failed names {image}: {said}")
    for line in about.splitlines():
        stage.tell(line)
    written = stage.cluster.snapshot().written_since(before)
    claim(not written, f"check mode wrote {_listed(written)}")


def correction(stage: Stage) -> None:
    """Undo the four changes, and nothing else."""
    if stage.drift is None:
        raise ValueError("the correction comes after the drift")
    stage.fulfil(stage.drift.predicted)
    corrected = stage.cluster.settled()
    meanings = corrected.meanings()
    different = {
        address for address, meaning in stage.drift.good.meanings().items() if meanings.get(address) != meaning
    }
    claim(not different, f"after the correction {_listed(different)} still differ from before the drift")
    beside = corrected.written_since(stage.drift.drifted) - stage.drift.touched
    claim(not beside, f"the correction also wrote {_listed(beside)}")
    stage.tell("All four are as declared again; no other object was written. Once more:")
    second_run(stage)


def _claim_digests(stage: Stage, now: Snapshot) -> None:
    """Claim that a tag that keeps the whole list has the registry's digest, and Legacy the child that was to be
    chosen."""
    for key, tag in now.tags().items():
        pushed = stage.job.digests.get(tag.source)
        if tag.import_mode == "PreserveOriginal" and pushed is not None:
            claim(tag.digest == pushed, f"{'/'.join(key)} has {tag.digest}, the registry serves {pushed}")
        if tag.import_mode == "PreserveOriginal" and "@" in tag.source:
            pinned = tag.source.partition("@")[2]
            claim(tag.digest == pinned, f"{'/'.join(key)} has {tag.digest}, it is pinned to {pinned}")
    chosen = stage.cluster.platforms(now.tags()["billing", "web-arm", "v1"].digest)
    claim(chosen == ["arm64"], f"billing/web-arm prefers arm64 and got {_listed(chosen)}")


def _changes(run: Run) -> list[str]:
    return [result.title for result in run.changed]


def _changed_lines(run: Run) -> list[str]:
    """Return the lines of a run's diff as Ansible prints them, each with its object before it."""
    found = []
    for result in run.changed:
        diff = result.content.get("diff") or []
        for entry in diff if isinstance(diff, list) else [diff]:
            lines = [
                (sign, line) for sign, side in (("-", "before"), ("+", "after")) for line in entry[side].splitlines()
            ]
            # Both sides of a value stand together.
            lines.sort(key=lambda one: one[1].rpartition(": ")[0])
            found += [f"{entry['after_header']}: {sign}{line}" for sign, line in lines]
    return found


def _foretold(run: Run) -> str:
    """Return what check mode says, in one line: the tags by reason (counted if they are many), and the other
    results."""
    tags_by_reason: dict[str, list[str]] = {}
    for change in run.tag_changes():
        tags_by_reason.setdefault(" and ".join(change.reasons), []).append(f"{change.stream}:{change.tag}")
    said = []
    for reason, tags in sorted(tags_by_reason.items()):
        named = ", ".join(sorted(tags)) if len(tags) <= _NAMED_TAGS else f"{len(tags)} tags"
        said.append(f"{named} ({reason.replace('_', ' ')})")
    others = [result.title for result in run.changed if "streams" not in result.content]
    if others:
        said.append(f"{len(others)} secret{'s and links' if len(others) > 1 else ' or link'}")
    return f"would change {', '.join(said)}" if said else "changed=0"


def _listed(things: Iterable[t.Any]) -> str:
    texts = sorted(
        str(thing) if isinstance(thing, Address) else "/".join(thing) if isinstance(thing, tuple) else str(thing)
        for thing in things
    )
    return ", ".join(texts) or "nothing"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def secret_forms(secret: str) -> list[str]:
    """Return the secret and what of its base64 does not depend on the text around it."""
    encoded = [base64.b64encode(b"x" * lead + secret.encode()).decode() for lead in range(3)]
    return [secret, *(text[4 if lead else 0 : -4] for lead, text in enumerate(encoded))]
