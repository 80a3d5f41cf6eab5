# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road of a question to registries: each repository opened with its login and trust, read, and described.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._cluster.facts import control_plane_architecture
from .._core.references import PullSpec
from .._core.report import Report
from .._credentials.sources import Credentials, NamespaceCredentials
from .describe import (
    LegacyPreference,
    OpenedRepository,
    describe_image,
    describe_repository,
    registry_report,
    side_by_side,
)
from .desired import RegistryQuestion
from .repository import RegistryReader
from .session import Patience


def answer(client: ClusterClient | None, question: RegistryQuestion, mask: t.Callable[..., None]) -> Report:
    """Return what the registries serve.

    ``client`` is for the credentials of ``question.namespace``, None if there is none.
    """
    architecture = question.control_plane_architecture
    namespace: Credentials | None = None
    if client is not None:
        namespace = NamespaceCredentials(client, mask).of(question.namespace)
        architecture = architecture or control_plane_architecture(client)
    preference = LegacyPreference(question.prefer_architecture, question.prefer_os, architecture or "amd64")
    width = question.concurrency
    with RegistryReader(pool_size=width, patience=Patience(answer=float(question.timeout))) as reader:

        def open_repository(spec: PullSpec) -> OpenedRepository:
            return _open(reader, spec, question, namespace)

        def describe(image: str) -> dict[str, t.Any]:
            return describe_image(image, open_repository, preference, with_tags=question.with_tags)

        images = side_by_side(question.images, describe, width)
        repositories = side_by_side(
            question.repositories, lambda name: describe_repository(name, open_repository), width
        )
    return registry_report(images, repositories)


def _open(
    reader: RegistryReader, spec: PullSpec, question: RegistryQuestion, namespace: Credentials | None
) -> OpenedRepository:
    image = str(spec)
    credential = question.credentials.find(image) or (namespace.find(image) if namespace else None)
    settings = question.credentials.settings_for(image)
    insecure, ca_cert = question.insecure, question.ca_cert
    if settings is not None:
        insecure = insecure if settings.insecure is None else settings.insecure
        ca_cert = settings.ca_cert or ca_cert
    repository = reader.repository(spec, credential.login if credential else None, insecure=insecure, ca_cert=ca_cert)
    return OpenedRepository(repository, credential)
