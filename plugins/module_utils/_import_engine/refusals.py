# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images registries refused for want of a credential.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .._core.errors import InputError
from .._core.references import PullSpec
from .images import ImportFailure

# Without the reason Unauthorized: the list of a repository's tags, and a registry that answers 403.
# The last two are what the server says of a refusal in plain text, as ECR gives it.
_REFUSALS = (
    "no basic auth credentials",
    "unauthorized: ",
    "denied: ",
    "error parsing HTTP 401 response body",
    "error parsing HTTP 403 response body",
)
# What the server says of each of several places that it looked in, a mirror and the registry itself
# (server-behaviour.md 2.5, 2.7):
# the reason of the whole no longer tells.
_REFUSED_IMAGE = r'you may not have access to the container image "([^"]+)"'


def refused_images(source: PullSpec, failure: ImportFailure) -> list[PullSpec]:
    """Return what the registries refused for want of a credential: the image, or what a mirror would have of it."""
    mirrored = pull_specs(re.findall(_REFUSED_IMAGE, failure.message)) if failure.reason == "InternalError" else []
    if mirrored:
        return mirrored
    return [source] if failure.reason == "Unauthorized" or any(words in failure.message for words in _REFUSALS) else []


def pull_specs(texts: t.Iterable[str]) -> list[PullSpec]:
    """Return those of the texts that are pull specs, each once: a registry may put anything into a message."""
    found = []
    for text in dict.fromkeys(texts):
        try:
            found.append(PullSpec.parse(text))
        except InputError:
            continue
    return found
