# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifests in docs/rbac for the modules of an application team: their rights are enough, and without them it
says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.rights import Rights
from integration.surroundings import Surroundings

PLAYBOOK = Path(__file__).with_name("everything.yml")
ROLES = {
    "pull_secret.yml": ("quayside-pull-secret", "quayside-pull-secret-comparison"),
    "sa_secret_link.yml": ("quayside-sa-secret-link",),
    "image_stream_import.yml": (
        "quayside-image-stream-import",
        "quayside-image-stream-policies",
        "quayside-image-stream-removal",
        "quayside-image-stream-explanation",
    ),
    "image_stream_tag.yml": ("quayside-image-stream-tag", "quayside-image-stream-tag-source"),
    "image_stream_info.yml": (
        "quayside-image-stream-info",
        "quayside-image-stream-manifests",
        "quayside-image-stream-upstream",
    ),
}


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    for manifest in ROLES:
        rights.apply(manifest)
    yield rights
    rights.remove()


def test_the_rights_of_the_manifests_are_enough(
    rights: Rights, given: Surroundings, namespace: str, playbooks: Playbooks
) -> None:
    given.push("private", "allowed", "v1", "linux/amd64 linux/arm64")
    variables = {
        "target_namespace": namespace,
        "credential": given.credential(),
        "image": given.image("private", "allowed", "v1"),
    }
    access = rights.user(namespace, *((role, namespace) for roles in ROLES.values() for role in roles))

    run = playbooks.with_environment(access.variables()).run(PLAYBOOK, "--diff", variables=variables)

    assert run.exit_code == 0, run.output
    assert run.complaints() == [], run.output
    assert len(run.changed()) == 9


def test_without_the_right_to_import_the_sentence_names_it(
    rights: Rights, given: Surroundings, namespace: str, playbooks: Playbooks
) -> None:
    variables = {
        "target_namespace": namespace,
        "credential": given.credential(),
        "image": given.image("private", "allowed", "v1"),
    }
    needed = [*list(ROLES["pull_secret.yml"] + ROLES["sa_secret_link.yml"]), "quayside-image-stream-info"]
    access = rights.user(namespace, *((role, namespace) for role in needed))

    run = playbooks.with_environment(access.variables()).run(PLAYBOOK, "--check", variables=variables)

    assert run.exit_code == 2
    assert "imagestreamimports" in run.messages()["Streams"]
