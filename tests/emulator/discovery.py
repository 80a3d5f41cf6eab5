# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Discovery documents, with the words of contract case discovery."""

from __future__ import annotations

import typing as t

from .resources import API_GROUPS, NOT_EVERYWHERE, RESOURCES, ResourceType, is_openshift
from .store import Object

VERSION: Object = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v0.0.0-master+$Format:%H$",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_ADDRESSES = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "192.0.2.2:26443"}]


class Discovery:
    """What is served, with or without the groups of OpenShift."""

    def __init__(self) -> None:
        self.openshift = True
        self.deployment_configs = False

    def serves(self, group: str, version: str) -> bool:
        """Whether an API group exists in this version."""
        if group == "":
            return version == "v1"
        return any(group == name and version in versions for name, versions in self._groups())

    def document(self, path: str) -> Object | None:
        """Return the document at ``/version``, ``/api``, ``/apis`` and below; None if there is none."""
        parts = path.strip("/").split("/")
        if parts == ["version"]:
            return VERSION
        if parts == ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": _ADDRESSES}
        if parts == ["api", "v1"]:
            return _resource_list("", "v1")
        if parts == ["apis"]:
            groups = [_group(name, versions) for name, versions in self._groups()]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if parts[:2] == ["openapi", "v3"]:
            return self._openapi(parts[2:])
        if parts[0] != "apis":
            return None
        if len(parts) == 2:
            found = [versions for name, versions in self._groups() if name == parts[1]]
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], found[0])} if found else None
        if len(parts) == 3 and self.serves(parts[1], parts[2]):
            return _resource_list(parts[1], parts[2])
        return None

    def _openapi(self, parts: list[str]) -> Object | None:
        """Just enough for kubectl to find that the server validates fields itself; no schemas."""
        roots = {"api/v1": ("", "v1")}
        roots |= {
            f"apis/{name}/{version}": (name, version) for name, versions in self._groups() for version in versions
        }
        if not parts:
            return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
        root = "/".join(parts)
        if root not in roots:
            return None
        group, version = roots[root]
        paths = {}
        for resource in RESOURCES:
            if (resource.group, resource.version) == roots[root]:
                space = "namespaces/{namespace}/" if resource.namespaced else ""
                kind = {"group": group, "version": version, "kind": resource.kind}
                operation = {
                    "parameters": [{"name": "fieldValidation", "in": "query"}],
                    "x-kubernetes-group-version-kind": kind,
                }
                paths[f"/{root}/{space}{resource.plural}/{{name}}"] = {"patch": operation}
        return {"openapi": "3.0.0", "info": {"title": "emulator", "version": version}, "paths": paths}

    def _groups(self) -> t.Iterator[tuple[str, tuple[str, ...]]]:
        for name, versions in (*API_GROUPS, *(NOT_EVERYWHERE if self.deployment_configs else ())):
            if self.openshift or not is_openshift(name):
                yield name, versions


def _group(name: str, versions: tuple[str, ...]) -> Object:
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def _resource_list(group: str, version: str) -> Object:
    entries: list[Object] = []
    for resource in RESOURCES:
        if (resource.group, resource.version) == (group, version):
            entries.append(_entry(resource))
            entries += [
                {
                    "name": f"{resource.plural}/{name}",
                    "singularName": "",
                    "namespaced": resource.namespaced,
                    "kind": kind,
                    "verbs": list(verbs),
                }
                for name, kind, verbs in resource.subresources
            ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": entries,
    }


def _entry(resource: ResourceType) -> Object:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    optional = {
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
        "storageVersionHash": resource.storage_hash,
    }
    return {**entry, **{key: value for key, value in optional.items() if value}}
