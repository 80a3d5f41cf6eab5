# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated cluster without its network side: objects, callers, handlers by resource, controllers."""

from __future__ import annotations

import base64
from pathlib import Path

from .access import BUILT_IN_ROLES, Access, Action, User
from .controllers import Controllers
from .core_kinds import (
    ConfigMapStrategy,
    NamespaceHandler,
    PodStrategy,
    ReviewHandler,
    SecretStrategy,
    ServiceAccountHandler,
)
from .discovery import Discovery
from .faults import Faults
from .generic import GenericHandler, Strategy
from .gotext import now_text
from .handling import Call, Handler
from .images import Images
from .import_controller import ImportController
from .imports import ImportHandler, ImportSettings
from .objects import segment_problem
from .owners import Owner, Owners
from .registry_reader import RegistryTransport
from .requestlog import RequestLog
from .resources import (
    BY_PATH,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    IMAGE_CONFIGS,
    IMAGE_SIGNATURES,
    IMAGE_TAGS,
    IMAGES,
    INFRASTRUCTURES,
    NAMESPACES,
    RBAC,
    RESOURCES,
    SECRETS,
    SELF_ACCESS_REVIEWS,
    SELF_REVIEWS,
    SERVICE_ACCOUNTS,
    STREAM_IMAGES,
    STREAM_IMPORTS,
    STREAM_MAPPINGS,
    STREAM_TAGS,
    STREAMS,
    ResourceType,
)
from .samples_operator import SamplesOperator
from .store import Object, Store
from .stream_handler import StreamHandler, Streams
from .streams import StreamReader
from .tag_handlers import ImageTagHandler, StreamImageHandler, StreamTagHandler

FIRST_NAMESPACES = ("default", "kube-system", "openshift", "openshift-config")


class _SegmentNames(Strategy):
    """Kinds whose names only have to be one part of a path: RBAC's, and images."""

    def name_problem(self, name: str) -> str:
        """Colons and the like are fine."""
        return segment_problem(name)


class Cluster:
    """Everything behind the HTTP side."""

    def __init__(self, trusted_registries: list[Path], settings: ImportSettings, default_mode: str = "Legacy") -> None:
        self.store = Store()
        self.access = Access(self.store)
        self.discovery = Discovery()
        self.faults = Faults()
        self.log = RequestLog()
        self.transport = RegistryTransport(trusted_registries)
        self.reader = StreamReader(default_mode)
        images = Images(self.store)
        streams = Streams(self.store, self.access, self.reader)
        accounts = ServiceAccountHandler(self.store, self.access)
        self.importer = ImportHandler(self.store, streams, images, self.transport, settings)
        self.controllers = Controllers(self.store)
        self.import_controller = ImportController(self.store, self.importer)
        self.samples_operator = SamplesOperator(self.store, streams, self.importer)
        self.handlers: dict[ResourceType, Handler] = {
            NAMESPACES: NamespaceHandler(self.store),
            SECRETS: GenericHandler(self.store, SecretStrategy()),
            SERVICE_ACCOUNTS: accounts,
            STREAMS: StreamHandler(streams, images),
            STREAM_TAGS: StreamTagHandler(streams, images),
            IMAGE_TAGS: ImageTagHandler(streams, images),
            STREAM_IMAGES: StreamImageHandler(streams, images),
            STREAM_IMPORTS: self.importer,
            SELF_ACCESS_REVIEWS: ReviewHandler(self._may),
            SELF_REVIEWS: ReviewHandler(_who),
        }
        for resource in RESOURCES:
            if resource not in self.handlers and resource not in (IMAGE_SIGNATURES, STREAM_MAPPINGS):
                self.handlers[resource] = GenericHandler(self.store, _strategy(resource))
        self.owners = Owners(self.store, self.handlers)
        self._hosting: list[int] = []
        self._furnish()

    def _furnish(self) -> None:
        for name in FIRST_NAMESPACES:
            data: Object = {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
            data.update({"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
            self.store.create(NAMESPACES, "", data)
        for name, rules in BUILT_IN_ROLES.items():
            self.store.create(CLUSTER_ROLES, "", {"metadata": {"name": name}, "rules": rules})
        auths = base64.b64encode(b'{"auths":{}}').decode()
        pull_secret = {
            "metadata": {"name": "pull-secret", "namespace": "openshift-config"},
            "type": "kubernetes.io/dockerconfigjson",
        }
        self.store.create(SECRETS, "openshift-config", {**pull_secret, "data": {".dockerconfigjson": auths}})
        infrastructure = {"metadata": {"name": "cluster", "generation": 1}, "spec": {"platformSpec": {"type": "None"}}}
        status = {
            "controlPlaneTopology": "HighlyAvailable",
            "infrastructureTopology": "HighlyAvailable",
            "platform": "None",
        }
        self.store.create(INFRASTRUCTURES, "", {**infrastructure, "status": status})
        self.store.create(IMAGE_CONFIGS, "", {"metadata": {"name": "cluster", "generation": 1}, "spec": {}})

    @property
    def topology(self) -> str:
        """``status.controlPlaneTopology`` of the infrastructure: External on a hosted control plane. "": there is no
        such object."""
        stored = self.store.get(INFRASTRUCTURES, "", "cluster")
        return str(stored.data["status"]["controlPlaneTopology"]) if stored else ""

    @topology.setter
    def topology(self, value: str) -> None:
        stored = self.store.get(INFRASTRUCTURES, "", "cluster")
        if stored is not None and value != self.topology:
            data = stored.copy()
            data["status"]["controlPlaneTopology"] = value
            self.store.replace(INFRASTRUCTURES, "", data)
            self._host(value == "External")

    def _host(self, hosted: bool) -> None:
        """On a hosted control plane the hosting cluster puts the global pull secret back, and keeps a copy of it for
        the nodes, which has no type of its own (server-behaviour.md 6)."""
        for identity in self._hosting:
            self.owners.remove(identity)
        self._hosting = []
        stored = self.store.get(SECRETS, "openshift-config", "pull-secret")
        copy_of_it = {"metadata": {"name": "original-pull-secret", "namespace": "kube-system"}, "type": "Opaque"}
        if hosted and stored is not None:
            data = stored.copy().get("data") or {}
            metadata = {"name": "pull-secret", "namespace": "openshift-config"}
            self.store.create(SECRETS, "kube-system", {**copy_of_it, "data": data})
            for document in (
                {"metadata": metadata, "type": stored.data["type"], "data": data},
                {**copy_of_it, "data": data},
            ):
                self._hosting.append(self.owners.add(Owner(SECRETS, document, exact=("data",))).id)
        elif self.store.get(SECRETS, "kube-system", "original-pull-secret") is not None:
            self.store.delete(SECRETS, "kube-system", "original-pull-secret")

    def _may(self, call: Call, spec: Object) -> Object:
        """Return the answer to a SelfSubjectAccessReview, which is no object that was created."""
        wish = spec.get("resourceAttributes") or {}
        other = spec.get("nonResourceAttributes") or {}
        if other.get("path"):
            action = Action(other.get("verb", ""), path=other["path"])
        else:
            group, plural = wish.get("group", ""), wish.get("resource", "")
            resource = BY_PATH.get((group, wish.get("version") or "v1", plural)) or ResourceType(
                group, "v1", plural, plural
            )
            action = Action(
                wish.get("verb", ""),
                resource,
                wish.get("subresource", ""),
                wish.get("namespace", ""),
                wish.get("name", ""),
            )
        reason = self.access.permission(call.user, action)
        status: Object = {"allowed": reason is not None, **({"reason": reason} if reason else {})}
        return {"metadata": {}, "spec": spec, "status": status}


def _who(call: Call, _spec: Object) -> Object:
    """Return the answer to a SelfSubjectReview, which has no spec."""
    user: User = call.user
    status = {"userInfo": {"username": user.name, "uid": user.uid, "groups": list(user.groups)}}
    return {"metadata": {"creationTimestamp": now_text()}, "status": status}


def _strategy(resource: ResourceType) -> Strategy:
    if resource is CONFIG_MAPS:
        return ConfigMapStrategy(resource)
    if resource.plural == "pods":
        return PodStrategy(resource)
    if resource.group == RBAC or resource is IMAGES:
        return _SegmentNames(resource)
    return Strategy(resource)
