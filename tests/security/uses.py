# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each manifest in docs/rbac is for, as runs of modules: those that the role or playbook of its name makes.

``here`` and ``there`` are namespaces of the run's own, ``nowhere`` is none; ``image`` is open to everybody,
``private`` is not, ``mirrored`` is where only a mirror has it: in the repository of ``image``.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Module and options; a step with CHECK is made in check mode.
Step = tuple[str, dict[str, t.Any]]
CHECK = "check mode"
Words = Mapping[str, t.Any]
EVERYWHERE = ""


@dataclass(frozen=True)
class Use:
    """``bindings``: each role of ``manifest`` with the namespace that it is bound in. ``steps`` are made in order.

    ``about``: the only resource whose rights the steps show, if the roles overlap. ``topology``: where the control
    plane runs.
    """

    manifest: str
    bindings: Mapping[str, str]
    steps: Callable[[Words], list[Step]]
    about: str = ""
    topology: str = "HighlyAvailable"


def _pull_secret(words: Words) -> list[Step]:
    target = {"namespace": words["here"], "name": "pull"}
    entry = {"registry": "registry.example.com", "username": "robot", "password": "unwatched"}
    kept = {"namespace": words["there"], "name": "kept"}
    return [
        ("pull_secret", {**target, "registries": [entry]}),
        ("pull_secret", {**target, "registries": [{**entry, "registry": "other.example.com"}]}),
        ("pull_secret", {**target, "registries": [{"registry": "registry.example.com", "from_secret": kept}]}),
        ("pull_secret", {**target, "state": "absent"}),
    ]


def _links(words: Words) -> list[Step]:
    return [
        (
            "sa_secret_link",
            {"namespace": words["here"], "service_accounts": ["default", "builder"], "secrets": ["first"]},
        ),
        (
            "sa_secret_link",
            {"namespace": words["here"], "service_accounts": ["deployer"], "secrets": ["no-such-secret"]},
        ),
    ]


def _streams(words: Words) -> list[Step]:
    here = {"namespace": words["here"]}
    tag = {"name": "v1", "from": words["image"]}
    streams = [
        {"name": "web", "tags": [tag, {**tag, "name": "old"}], "lookup_policy_local": True},
        {"name": "other", "tags": [tag]},
    ]
    return [
        ("image_stream_import", {**here, "streams": streams, "insecure": True}),
        (
            "image_stream_import",
            {**here, "name": "web", "tags": [tag], "reference_policy": "Local", "insecure": True},
        ),
        ("image_stream_import", {**here, "name": "private", "tags": [{"name": "v1", "from": words["private"]}]}),
    ]


def _removal(words: Words) -> list[Step]:
    here = {"namespace": words["here"], "insecure": True}
    tag = {"name": "v1", "from": words["image"]}
    streams = [{"name": "web", "tags": [tag, {**tag, "name": "old"}]}, {"name": "other", "tags": [tag]}]
    return [
        ("image_stream_import", {**here, "streams": streams}),
        ("image_stream_import", {**here, "name": "web", "tags": [tag], "purge_tags": True}),
        ("image_stream_import", {**here, "name": "other", "state": "absent"}),
    ]


def _tag(words: Words) -> list[Step]:
    copy = {"namespace": words["here"], "name": "web:production", "from": "source:v1", "from_namespace": words["there"]}
    return [
        ("image_stream_tag", copy),
        ("image_stream_tag", {**copy, "name": "web:second"}),
        ("image_stream_tag", {"namespace": words["here"], "name": "web:production", "state": "absent"}),
    ]


def _tag_nowhere(words: Words) -> list[Step]:
    copy = {"name": "web:production", "from": "source:v1", "from_namespace": words["there"]}
    return [("image_stream_tag", {**copy, "namespace": words["nowhere"], CHECK: True})]


def _info(words: Words) -> list[Step]:
    return [
        ("image_stream_info", {"namespace": words["there"]}),
        ("image_stream_info", {"namespace": words["there"], "name": "source", "upstream": True}),
        ("image_stream_info", {"namespace": words["there"], "name": "multi", "manifests": True}),
    ]


def _refresh(words: Words) -> list[Step]:
    registry, _slash, repository = words["image"].rpartition(":")[0].partition("/")
    tag = {"name": "v1", "from": words["mirrored"], "scheduled": True, "insecure": True}
    return [
        # So that a tag is there, with the same rights: get is for streams that somebody else wrote between the LIST and
        # the import.
        ("image_stream_import", {"namespace": words["here"], "name": "mirrored", "tags": [tag]}),
        (
            "image_stream_refresh",
            {"namespaces": [words["here"]], "pushes": [{"registry": registry, "repository": repository, "tag": "v1"}]},
        ),
    ]


def _access_info(words: Words) -> list[Step]:
    return [
        ("registry_access_info", {"namespace": words["here"]}),
        ("registry_access_info", {"namespace": words["here"], "explain_for": [words["mirrored"]]}),
        ("registry_access_info", {"namespace_label_selectors": [f"kubernetes.io/metadata.name={words['here']}"]}),
    ]


def _image_info(words: Words) -> list[Step]:
    return [
        (
            "registry_image_info",
            {"namespace": words["here"], "images": [words["private"]], "registry_ca_cert": words["ca_file"]},
        )
    ]


def _global_secret(words: Words) -> list[Step]:
    entry = {"registry": "new.example.com", "username": "robot", "password": words["here"]}
    return [
        (
            "pull_secret",
            {
                "namespace": "openshift-config",
                "name": "pull-secret",
                "create": False,
                "hosted": "additional",
                "registries": [entry],
            },
        )
    ]


def _hosted(words: Words) -> list[Step]:
    target = {"namespace": "openshift-config", "name": "pull-secret", "create": False, "hosted": "additional"}
    entry = {"registry": "new.example.com", "username": "robot", "password": words["here"]}
    gone = [{"registry": name, "state": "absent"} for name in ("new.example.com", "registry.example.com")]
    return [
        ("pull_secret", {**target, "registries": [entry]}),
        # The original has another password for it.
        ("pull_secret", {**target, "registries": [{**entry, "registry": "registry.example.com"}]}),
        ("pull_secret", {**target, "registries": gone}),
    ]


def _rotate(words: Words) -> list[Step]:
    entry = {"registry": "registry.example.com", "username": "robot", "password": "another"}
    return [
        ("registry_access_info", {"namespaces": [words["here"]], "registry": "registry.example.com", "links": False}),
        (
            "pull_secret",
            {
                "namespaces": [words["here"]],
                "name": "first",
                "create": False,
                "check_others": False,
                "registries": [entry],
            },
        ),
    ]


def _adopt(words: Words) -> list[Step]:
    return [
        ("registry_access_info", {"namespaces": [words["here"]]}),
        ("image_stream_info", {"namespaces": [words["here"]]}),
    ]


def _prune(words: Words) -> list[Step]:
    return [
        ("image_prune_risk_info", {"namespace": words["here"], "keep_younger_than_minutes": 0}),
        ("image_prune_risk_info", {"namespace": words["nowhere"]}),
    ]


def _protect(words: Words) -> list[Step]:
    tag = {"name": "kept", "from": words["image"], "insecure": True}
    return [
        ("image_stream_import", {"namespace": words["here"], "name": "source", "tags": [tag]}),
        (
            "image_stream_import",
            {"namespace": words["here"], "streams": [{"name": name, "tags": [tag]} for name in ("source", "second")]},
        ),
    ]


def _migrate(words: Words) -> list[Step]:
    tag = {"name": "v1", "from": words["image"], "insecure": True, "import_mode": "PreserveOriginal"}
    return [
        ("multiarch_migration_info", {"namespaces": [words["here"]]}),
        ("multiarch_migration_info", {"namespaces": [words["here"]], "streams": [f"{words['here']}/source"]}),
        ("image_stream_import", {"namespace": words["here"], "name": "source", "tags": [tag]}),
        (
            "image_stream_import",
            {"namespace": words["here"], "name": "source", "tags": [{**tag, "prefer_architecture": "arm64"}]},
        ),
    ]


def _drift(words: Words) -> list[Step]:
    entry = {"registry": "registry.example.com", "username": "robot", "password": "another"}
    accounts = {"service_accounts": ["default", "builder"]}
    secret = {"name": "first", "namespaces": [words["here"]], "registries": [entry], "link": [accounts]}
    tags = [{"name": "v1", "from": words["image"], "insecure": True}]
    streams = [{"namespace": words["here"], "name": name, "tags": tags} for name in ("source", "second")]
    multi = {"namespace": words["there"], "name": "multi", "tags": tags}
    one_of_each = {"secrets": [{**secret, "link": [{"service_accounts": ["deployer"]}]}], "streams": [multi]}
    private = {"namespace": words["here"], "name": "private", "tags": [{"name": "v1", "from": words["private"]}]}
    return [
        ("cluster_drift", {"secrets": [secret], "streams": streams, CHECK: True}),
        ("cluster_drift", {**one_of_each, "platforms": True, CHECK: True}),
        ("cluster_drift", {"streams": [private], CHECK: True}),
    ]


def _correct(words: Words) -> list[Step]:
    entry = {"registry": "registry.example.com", "username": "robot", "password": "another"}
    secret = {"namespaces": [words["here"]], "registries": [entry], "link": [{"service_accounts": ["default"]}]}
    here, tag = {"namespace": words["here"]}, {"name": "v1", "from": words["image"], "insecure": True}
    streams = [
        {**here, "name": "new", "tags": [tag], "lookup_policy_local": True},
        {**here, "name": "source", "tags": [{**tag, "name": "v2"}], "reference_policy": "Local", "purge_tags": True},
    ]
    return [
        *_drift(words),
        ("cluster_drift", {"secrets": [{**secret, "name": "new"}, {**secret, "name": "first"}], "streams": streams}),
        (
            "cluster_drift",
            {"secrets": [{**secret, "name": "first", "type": "kubernetes.io/dockercfg", "recreate": True}]},
        ),
        ("cluster_drift", {"streams": [{**here, "name": "new", "tags": [tag], "reference_policy": "Local"}]}),
        ("cluster_drift", {"streams": [{**here, "name": "second", "state": "absent"}]}),
    ]


def _samples(words: Words) -> list[Step]:
    target = {"namespace": "openshift", "name": "samples-registry"}
    entry = {"registry": "registry.example.com", "username": "robot", "password": "unwatched"}
    return [
        ("samples_operator", {"wait_timeout": 1, "ignore_failed_tags": True}),
        ("pull_secret", {**target, "registries": [entry]}),
        ("pull_secret", {**target, "registries": [{**entry, "registry": "other.example.com"}]}),
        ("samples_operator", {"samples_registry": "mirror.example.com", "wait": False}),
    ]


USES = {
    "drift_report": Use("drift_report.yml", {"quayside-drift-report": EVERYWHERE}, _drift),
    "drift_correction": Use(
        "drift_report.yml", {"quayside-drift-report": EVERYWHERE, "quayside-drift-correction": "here"}, _correct
    ),
    "samples_registry": Use(
        "samples_registry.yml",
        {"quayside-samples-operator": EVERYWHERE, "quayside-samples-registry": "openshift"},
        _samples,
    ),
    "pull_secret": Use(
        "pull_secret.yml",
        {
            "quayside-pull-secret": "here",
            "quayside-pull-secret-comparison": "here",
            "quayside-pull-secret-source": "there",
        },
        _pull_secret,
    ),
    "sa_secret_link": Use("sa_secret_link.yml", {"quayside-sa-secret-link": "here"}, _links),
    "image_stream_import": Use(
        "image_stream_import.yml",
        dict.fromkeys(
            (
                "quayside-image-stream-import",
                "quayside-image-stream-policies",
                "quayside-image-stream-explanation",
            ),
            "here",
        ),
        _streams,
    ),
    "image_stream_import, removal": Use(
        "image_stream_import.yml",
        dict.fromkeys(("quayside-image-stream-import", "quayside-image-stream-removal"), "here"),
        _removal,
    ),
    "image_stream_tag": Use(
        "image_stream_tag.yml", {"quayside-image-stream-tag": "here", "quayside-image-stream-tag-source": "there"}, _tag
    ),
    "image_stream_tag, anywhere": Use(
        "image_stream_tag.yml",
        dict.fromkeys(("quayside-image-stream-tag", "quayside-image-stream-tag-source"), EVERYWHERE),
        _tag_nowhere,
        "namespaces",
    ),
    "image_stream_info": Use(
        "image_stream_info.yml",
        dict.fromkeys(
            ("quayside-image-stream-info", "quayside-image-stream-manifests", "quayside-image-stream-upstream"), "there"
        ),
        _info,
    ),
    "image_stream_refresh": Use(
        "image_stream_refresh.yml",
        {"quayside-image-stream-refresh": "here", "quayside-image-stream-refresh-mirrors": EVERYWHERE},
        _refresh,
    ),
    "registry_access_info": Use(
        "registry_access_info.yml",
        {
            "quayside-registry-access-info": "here",
            "quayside-namespaces-by-label": EVERYWHERE,
            "quayside-mirrors": EVERYWHERE,
        },
        _access_info,
    ),
    "registry_image_info": Use("registry_image_info.yml", {"quayside-registry-image-info": "here"}, _image_info),
    "cluster_pull_secret": Use(
        "cluster_pull_secret.yml",
        {"quayside-cluster-pull-secret": "openshift-config", "quayside-control-plane-topology": EVERYWHERE},
        _global_secret,
    ),
    "cluster_pull_secret, hosted": Use(
        "cluster_pull_secret.yml",
        {"quayside-additional-pull-secret": "kube-system", "quayside-control-plane-topology": EVERYWHERE},
        _hosted,
        topology="External",
    ),
    "rotate_credentials": Use("rotate_credentials.yml", {"quayside-rotate-credentials": "here"}, _rotate),
    "adopt": Use("adopt.yml", {"quayside-adopt": "here"}, _adopt),
    "prune_risks": Use("image_prune_risk_info.yml", {"quayside-image-prune-risk-info": EVERYWHERE}, _prune),
    "prune_risks, protected": Use("image_prune_risk_info.yml", {"quayside-image-prune-protect": "here"}, _protect),
    "migrate_to_multiarch": Use(
        "migrate_to_multiarch.yml",
        dict.fromkeys(("quayside-migrate-to-multiarch", "quayside-migrate-to-multiarch-preferences"), "here"),
        _migrate,
    ),
}
