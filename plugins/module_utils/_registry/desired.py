# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images and repositories are read, and how: options, checked and typed, without any access to cluster or
registry.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.manifests import check_platform_name
from .._core.names import check_path
from .._core.numbers import check_numbers
from .._core.references import PullSpec, check_namespace
from .._credentials.sources import OptionCredentials


class RegistryQuestion(NamedTuple):
    """What is read. ``credentials`` are those of the task, ``namespace`` is the one whose credentials are used after
    them.

    ``control_plane_architecture`` is empty if it is to be asked of the cluster, or is amd64 without one.
    """

    images: tuple[str, ...]
    repositories: tuple[str, ...]
    with_tags: bool
    credentials: OptionCredentials
    namespace: str
    insecure: bool
    ca_cert: str | None
    prefer_architecture: str
    prefer_os: str
    control_plane_architecture: str
    concurrency: int
    timeout: int


def registry_question(params: t.Mapping[str, t.Any]) -> RegistryQuestion:
    """Return what the options of ``registry_image_info`` ask about; raise ``InputError`` if they cannot be.

    Reads the auth file on the host where the module runs; nothing else is touched.
    """
    check_numbers(params, concurrency=1, timeout=1)
    if params["namespace"]:
        check_namespace(params["namespace"])
    for option in ("prefer_architecture", "prefer_os", "control_plane_architecture"):
        check_platform_name(option, params[option])
    for image in params["images"] or ():
        PullSpec.parse(image)
    for repository in params["repositories"] or ():
        spec = PullSpec.parse(repository)
        if spec.tag or spec.digest:
            raise InputError(
                f'repositories: "{repository}" carries a tag or digest: give the repository alone, or list it in images'
            )
    if params["registry_ca_cert"]:
        check_path("registry_ca_cert", params["registry_ca_cert"])
    return RegistryQuestion(
        images=tuple(params["images"] or ()),
        repositories=tuple(params["repositories"] or ()),
        with_tags=params["tags"],
        credentials=OptionCredentials(params),
        namespace=params["namespace"] or "",
        insecure=params["insecure"],
        ca_cert=params["registry_ca_cert"],
        prefer_architecture=params["prefer_architecture"] or "",
        prefer_os=params["prefer_os"] or "",
        control_plane_architecture=params["control_plane_architecture"] or "",
        concurrency=params["concurrency"],
        timeout=params["timeout"],
    )
