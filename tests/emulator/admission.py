# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which registries images may come from: ``allowedRegistriesForImport`` of the image configuration
(server-behaviour.md 2.7)."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable
from dataclasses import replace

from .gotext import quote
from .pullspec import DOCKER_HUB, BadReference, PullSpec
from .resources import IMAGE_CONFIGS
from .statuses import FieldError, forbidden_value
from .store import Object, Store

INTERNAL_REGISTRY = "image-registry.openshift-image-registry.svc:5000"
_HUB_API = "registry-1.docker.io"
_HUB_HOSTS = ("index.docker.io", _HUB_API)
_SHOWN = 5


class Admission:
    """Says why an image is refused. Repositories of ``known`` pull specs, which an object has already, are not."""

    def __init__(self, allowed: list[tuple[str, str]], known: Iterable[str] = ()) -> None:
        self._allowed = allowed
        self._known = {repository for text in known for repository in _repository(text)}

    @classmethod
    def of(cls, store: Store, known: Iterable[str] = ()) -> Admission:
        """Return what the cluster's configuration allows; everything if it does not say."""
        config = store.get(IMAGE_CONFIGS, "", "cluster")
        entries = ((config.data.get("spec") or {}).get("allowedRegistriesForImport") or []) if config else []
        if not entries:
            return cls([])
        allowed = [_host_port(INTERNAL_REGISTRY, "")]
        allowed += [_host_port(entry["domainName"], "80" if entry.get("insecure") else "443") for entry in entries]
        return cls(list(dict.fromkeys(allowed)), known)

    def refusal(self, reference: PullSpec, *, insecure: bool = False) -> str:
        """Why an image may not come from there, "" if it may. An insecure one may use either default port."""
        if not self._allowed or str(reference.with_defaults().as_repository()) in self._known:
            return ""
        host, port = _host_port(reference.registry, "") if insecure else _address(reference)
        host = host or DOCKER_HUB
        hosts = [DOCKER_HUB, host] if host in _HUB_HOSTS else [host]
        if any(self._permits(one, port) for one in hosts):
            return ""
        names = [quote(f"{name}:{number}") for name, number in self._allowed]
        listed = (
            ", ".join(names)
            if len(names) <= _SHOWN
            else f"{', '.join(names[: _SHOWN - 1])}, and {len(names) - _SHOWN + 1} more ..."
        )
        shown = reference.registry or (f"{host}:{port}" if port else host)
        return f"registry {quote(shown)} not allowed by whitelist: {listed}"

    def _permits(self, host: str, port: str) -> bool:
        return any(
            _fits(host, pattern) and (_fits(port, wanted) if port else wanted in ("80", "443", "*"))
            for pattern, wanted in self._allowed
        )

    def import_errors(self, spec: Object) -> t.Iterator[FieldError]:
        """Yield what an import may not ask for: host and port decide, a missing port is 80 for an insecure image and
        else 443."""
        items = [("spec.repository", spec["repository"])] if spec.get("repository") else []
        items += [(f"spec.images[{index}]", image) for index, image in enumerate(spec.get("images") or [])]
        for path, item in items:
            host, port = _address(
                PullSpec.parse(item["from"]["name"]), insecure=bool(item["importPolicy"].get("insecure"))
            )
            why = self.refusal(PullSpec(f"{host}:{port}", "", ""))
            if why:
                yield forbidden_value(
                    f"{path}.from.name", f"importing images from registry {quote(f'{host}:{port}')} is forbidden: {why}"
                )


def _repository(text: str) -> Iterable[str]:
    try:
        return [str(PullSpec.parse(text).with_defaults().as_repository())]
    except BadReference:
        return []


def _host_port(registry: str, default: str) -> tuple[str, str]:
    host, colon, port = registry.partition(":")
    return host, port if colon else default


def _address(reference: PullSpec, *, insecure: bool = False) -> tuple[str, str]:
    """Host and port of the registry, as the server completes them."""
    if reference.registry in (DOCKER_HUB, "index.docker.io"):
        reference = replace(reference, registry=_HUB_API)
    return _host_port(reference.with_defaults().registry, "80" if insecure else "443")


def _fits(text: str, pattern: str) -> bool:
    """Return a glob: ``*`` for any text, ``?`` for any character."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None
