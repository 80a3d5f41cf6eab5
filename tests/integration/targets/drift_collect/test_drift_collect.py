# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster, compared batch by batch, corrected, and compared again: names are what they are, whatever the
passwords."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.surroundings import Surroundings

PLAYBOOK = Path(__file__).with_name("collect.yml")


def test_a_password_that_is_a_part_of_names_keeps_nothing_from_being_corrected(
    given: Surroundings, cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    """Ansible hides "test" within "latest" in the results of tasks: what computes with them corrects nothing and
    calls it done."""
    given.push("private", "collected", "latest", "linux/amd64")
    secret = {
        "name": "spare",
        "namespaces": [namespace],
        "registries": [{"registry": "spare.example.com", "username": "a", "password": "test"}],
    }
    tags = [{"name": "latest", "from": given.image("private", "collected", "latest")}]
    streams = [{"namespace": namespace, "name": name, "tags": tags} for name in ("web", "api")]
    variables: dict[str, t.Any] = {
        "collected_path": str(tmp_path / "part.json"),
        "collected_secrets": [
            {"name": "registries", "namespaces": [namespace], "registries": [given.credential()]},
            secret,
        ],
        "collected_streams": streams,
    }

    shown = playbooks.run(PLAYBOOK, variables=variables)

    assert (shown.exit_code, shown.complaints()) == (0, []), shown.output
    part = json.loads((tmp_path / "part.json").read_text(encoding="utf-8"))
    changes = {(change["kind"], change["name"], change["tag"]) for one in part["compared"] for change in one["changes"]}
    assert changes == {
        ("secret", "registries", None),
        ("secret", "spare", None),
        ("tag", "web", "latest"),
        ("tag", "api", "latest"),
    }
    assert "localhost: secrets and links, streams 1 to 1 of 2: 3 changes" in shown.output
    assert "localhost: streams 2 to 2 of 2: 1 change" in shown.output

    corrected = playbooks.run(PLAYBOOK, variables={**variables, "collected_correct": True})

    assert (corrected.exit_code, corrected.complaints()) == (0, []), corrected.output
    assert corrected.of("Compare")["changed"]
    streams_there = {address.name for address in cluster.snapshot([namespace]) if address.plural == "imagestreams"}
    assert streams_there == {"web", "api"}
    again = playbooks.run(PLAYBOOK, variables=variables)
    assert not again.of("Compare")["changed"]
    part = json.loads((tmp_path / "part.json").read_text(encoding="utf-8"))
    assert [change for one in part["compared"] for change in one["changes"]] == []
