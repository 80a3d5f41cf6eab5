# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources that the emulator serves, and what distinguishes them on the wire."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .statuses import GroupName

MergeKeys = dict[str, t.Any]
"""How a strategic merge patch treats a kind's fields.

``{"secrets": "name"}``: the list merges by that key; ``{"spec": {...}}``: rules of the fields below;
``{"containers": ("name", {...})}``: both. A list without a rule is replaced.
"""

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
TAG_VERBS = ("create", "delete", "get", "list", "patch", "update")

_META: MergeKeys = {"ownerReferences": "uid", "finalizers": ""}
_CONTAINER: MergeKeys = {
    "env": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
}
_POD_SPEC: MergeKeys = {
    "containers": ("name", _CONTAINER),
    "initContainers": ("name", _CONTAINER),
    "ephemeralContainers": ("name", _CONTAINER),
    "volumes": "name",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}
_TEMPLATE: MergeKeys = {"spec": {"template": {"metadata": _META, "spec": _POD_SPEC}}}
_JOB_TEMPLATE: MergeKeys = {"spec": {"jobTemplate": {"metadata": _META, **_TEMPLATE}}}


@dataclass(frozen=True, eq=False)
class ResourceType:
    """One served resource. ``merge_keys`` None: a custom resource, which takes no strategic merge patch."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    storage_hash: str = ""
    merge_keys: MergeKeys | None = field(default_factory=dict)
    subresources: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    counts_generations: bool = False
    returns_deleted: bool = False

    @property
    def singular(self) -> str:
        """The lower-case name of one object."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """``group/version``, or the version alone in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def list_kind(self) -> str:
        """The kind of a list."""
        return self.kind + "List"

    @property
    def group_resource(self) -> GroupName:
        """The resource as messages name it."""
        return GroupName(self.group, self.plural)

    @property
    def group_kind(self) -> GroupName:
        """The kind as messages name it."""
        return GroupName(self.group, self.kind)

    @property
    def rules(self) -> MergeKeys:
        """Merge keys with those of ``metadata``, which every kind has."""
        return {"metadata": _META, **(self.merge_keys or {})}


_STATUS = ("get", "patch", "update")
IMAGE = "image.openshift.io"
RBAC = "rbac.authorization.k8s.io"
CONFIG = "config.openshift.io"
APPS = "apps.openshift.io"
BUILD = "build.openshift.io"


def is_openshift(group: str) -> bool:
    """Whether a group is absent on a plain Kubernetes cluster."""
    return group.endswith("openshift.io")


def is_custom(group: str) -> bool:
    """Whether a group's kinds are custom resources."""
    return is_openshift(group) and group not in (IMAGE, APPS, BUILD)


def _workload(group: str, plural: str, kind: str, short: tuple[str, ...], keys: MergeKeys) -> ResourceType:
    return ResourceType(
        group,
        "v1",
        plural,
        kind,
        short_names=short,
        categories=("all",),
        merge_keys=keys,
        subresources=(("status", kind, _STATUS),),
        counts_generations=True,
    )


def _custom(group: str, version: str, plural: str, kind: str) -> ResourceType:
    return ResourceType(
        group,
        version,
        plural,
        kind,
        namespaced=False,
        merge_keys=None,
        subresources=(("status", kind, _STATUS),),
        counts_generations=True,
    )


NAMESPACES = ResourceType(
    "", "v1", "namespaces", "Namespace", namespaced=False, short_names=("ns",), returns_deleted=True
)
SECRETS = ResourceType("", "v1", "secrets", "Secret")
SERVICE_ACCOUNTS = ResourceType(
    "",
    "v1",
    "serviceaccounts",
    "ServiceAccount",
    short_names=("sa",),
    merge_keys={"secrets": "name"},
    subresources=(("token", "TokenRequest", ("create",)),),
    returns_deleted=True,
)
IMAGES = ResourceType(IMAGE, "v1", "images", "Image", namespaced=False, storage_hash="FX/i8Tt+3Fc=")
IMAGE_SIGNATURES = ResourceType(
    IMAGE, "v1", "imagesignatures", "ImageSignature", namespaced=False, verbs=("create", "delete")
)
STREAM_IMAGES = ResourceType(
    IMAGE, "v1", "imagestreamimages", "ImageStreamImage", verbs=("get",), short_names=("isimage",)
)
STREAM_IMPORTS = ResourceType(IMAGE, "v1", "imagestreamimports", "ImageStreamImport", verbs=("create",))
STREAM_MAPPINGS = ResourceType(IMAGE, "v1", "imagestreammappings", "ImageStreamMapping", verbs=("create",))
STREAMS = ResourceType(
    IMAGE,
    "v1",
    "imagestreams",
    "ImageStream",
    short_names=("is",),
    categories=("all",),
    storage_hash="mwmf9lCqOiA=",
    merge_keys={"spec": {"tags": "name"}, "status": {"tags": ("tag", {"conditions": "type"})}},
    subresources=(
        ("layers", "ImageStreamLayers", ("get",)),
        ("secrets", "SecretList", ("get",)),
        ("status", "ImageStream", _STATUS),
    ),
)
STREAM_TAGS = ResourceType(IMAGE, "v1", "imagestreamtags", "ImageStreamTag", verbs=TAG_VERBS, short_names=("istag",))
IMAGE_TAGS = ResourceType(IMAGE, "v1", "imagetags", "ImageTag", verbs=TAG_VERBS, short_names=("itag",))
IMAGE_CONFIGS = _custom(CONFIG, "v1", "images", "Image")
INFRASTRUCTURES = _custom(CONFIG, "v1", "infrastructures", "Infrastructure")
DIGEST_MIRRORS = _custom(CONFIG, "v1", "imagedigestmirrorsets", "ImageDigestMirrorSet")
TAG_MIRRORS = _custom(CONFIG, "v1", "imagetagmirrorsets", "ImageTagMirrorSet")
CONTENT_POLICIES = _custom(
    "operator.openshift.io", "v1alpha1", "imagecontentsourcepolicies", "ImageContentSourcePolicy"
)
SAMPLES_CONFIGS = _custom("samples.operator.openshift.io", "v1", "configs", "Config")
ROLES = ResourceType(RBAC, "v1", "roles", "Role")
ROLE_BINDINGS = ResourceType(RBAC, "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = ResourceType(RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = ResourceType(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
SELF_ACCESS_REVIEWS = ResourceType(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, ("create",)
)
SELF_REVIEWS = ResourceType(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False, ("create",)
)

LIMIT_RANGES = ResourceType("", "v1", "limitranges", "LimitRange", short_names=("limits",))
CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap", short_names=("cm",))

RESOURCES: tuple[ResourceType, ...] = (
    CONFIG_MAPS,
    LIMIT_RANGES,
    NAMESPACES,
    ResourceType(
        "",
        "v1",
        "pods",
        "Pod",
        short_names=("po",),
        categories=("all",),
        merge_keys={"spec": _POD_SPEC, "status": {"conditions": "type"}},
        subresources=(("status", "Pod", _STATUS),),
        returns_deleted=True,
    ),
    _workload("", "replicationcontrollers", "ReplicationController", ("rc",), _TEMPLATE),
    SECRETS,
    SERVICE_ACCOUNTS,
    _workload("apps", "daemonsets", "DaemonSet", ("ds",), _TEMPLATE),
    _workload("apps", "deployments", "Deployment", ("deploy",), _TEMPLATE),
    _workload("apps", "replicasets", "ReplicaSet", ("rs",), _TEMPLATE),
    _workload("apps", "statefulsets", "StatefulSet", ("sts",), _TEMPLATE),
    _workload("batch", "cronjobs", "CronJob", ("cj",), _JOB_TEMPLATE),
    _workload("batch", "jobs", "Job", (), _TEMPLATE),
    SELF_ACCESS_REVIEWS,
    SELF_REVIEWS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
    IMAGES,
    IMAGE_SIGNATURES,
    STREAM_IMAGES,
    STREAM_IMPORTS,
    STREAM_MAPPINGS,
    STREAMS,
    STREAM_TAGS,
    IMAGE_TAGS,
    _custom(CONFIG, "v1", "clusteroperators", "ClusterOperator"),
    DIGEST_MIRRORS,
    IMAGE_CONFIGS,
    INFRASTRUCTURES,
    TAG_MIRRORS,
    CONTENT_POLICIES,
    SAMPLES_CONFIGS,
    _workload(APPS, "deploymentconfigs", "DeploymentConfig", ("dc",), _TEMPLATE),
    _workload(BUILD, "buildconfigs", "BuildConfig", ("bc",), {}),
    _workload(BUILD, "builds", "Build", (), {}),
)

API_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("apiregistration.k8s.io", ("v1",)),
    ("apps", ("v1",)),
    ("events.k8s.io", ("v1",)),
    ("authentication.k8s.io", ("v1",)),
    ("authorization.k8s.io", ("v1",)),
    ("autoscaling", ("v2", "v1")),
    ("batch", ("v1",)),
    ("certificates.k8s.io", ("v1",)),
    ("networking.k8s.io", ("v1",)),
    ("policy", ("v1",)),
    (RBAC, ("v1",)),
    ("storage.k8s.io", ("v1",)),
    ("admissionregistration.k8s.io", ("v1",)),
    ("apiextensions.k8s.io", ("v1",)),
    ("scheduling.k8s.io", ("v1",)),
    ("coordination.k8s.io", ("v1",)),
    ("node.k8s.io", ("v1",)),
    ("discovery.k8s.io", ("v1",)),
    ("resource.k8s.io", ("v1",)),
    ("flowcontrol.apiserver.k8s.io", ("v1",)),
    (IMAGE, ("v1",)),
    (CONFIG, ("v1",)),
    ("operator.openshift.io", ("v1alpha1",)),
    ("authorization.openshift.io", ("v1",)),
    ("imageregistry.operator.openshift.io", ("v1",)),
    ("quota.openshift.io", ("v1",)),
    ("samples.operator.openshift.io", ("v1",)),
    ("security.openshift.io", ("v1",)),
)
"""Every group of contract case discovery, most preferred version first."""

NOT_EVERYWHERE: tuple[tuple[str, tuple[str, ...]], ...] = ((APPS, ("v1",)), (BUILD, ("v1",)))
"""Groups of capabilities that a cluster can be installed without."""


# Served so that no group of the list above is empty, which kubectl takes for a failure; objects are just kept.
_KEPT: tuple[tuple[str, str, str, bool], ...] = (
    ("apiregistration.k8s.io", "apiservices", "APIService", False),
    ("events.k8s.io", "events", "Event", True),
    ("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True),
    ("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest", False),
    ("networking.k8s.io", "networkpolicies", "NetworkPolicy", True),
    ("policy", "poddisruptionbudgets", "PodDisruptionBudget", True),
    ("storage.k8s.io", "storageclasses", "StorageClass", False),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False),
    ("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", False),
    ("scheduling.k8s.io", "priorityclasses", "PriorityClass", False),
    ("coordination.k8s.io", "leases", "Lease", True),
    ("node.k8s.io", "runtimeclasses", "RuntimeClass", False),
    ("discovery.k8s.io", "endpointslices", "EndpointSlice", True),
    ("resource.k8s.io", "deviceclasses", "DeviceClass", False),
    ("flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema", False),
    ("authorization.openshift.io", "rolebindingrestrictions", "RoleBindingRestriction", True),
    ("imageregistry.operator.openshift.io", "configs", "Config", False),
    ("quota.openshift.io", "clusterresourcequotas", "ClusterResourceQuota", False),
    ("security.openshift.io", "securitycontextconstraints", "SecurityContextConstraints", False),
)
RESOURCES += tuple(
    ResourceType(group, version, plural, kind, namespaced, merge_keys=None if is_custom(group) else {})
    for group, plural, kind, namespaced in _KEPT
    for version in dict(API_GROUPS)[group]
)

BY_PATH: dict[tuple[str, str, str], ResourceType] = {
    (resource.group, resource.version, resource.plural): resource for resource in RESOURCES
}
