# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reads the tags of repositories for a run, where there are any to read.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from .._cluster.client import ClusterClient
from .desired import DesiredStream

if t.TYPE_CHECKING:
    from .._credentials.sources import OptionCredentials
    from .repositories import TagReader


@contextmanager
def reading_repositories(
    client: ClusterClient,
    desired: t.Iterable[DesiredStream],
    mask: t.Callable[..., None],
    *,
    width: int,
    given: OptionCredentials | None = None,
    ca_cert: str | None = None,
) -> t.Iterator[TagReader | None]:
    """Yield the reader, with at most ``width`` connections at once; None where no stream imports a whole repository.

    ``given`` are the credentials of the task, which come before those of the namespaces.
    """
    if not any(stream.repository for stream in desired):
        yield None
        return
    from .._credentials.sources import NamespaceCredentials
    from .._registry.repository import RegistryReader
    from .repositories import PATIENCE, RegistryTagReader

    with RegistryReader(pool_size=width, patience=PATIENCE) as reader:
        yield RegistryTagReader(reader, NamespaceCredentials(client, mask), given, ca_cert)
