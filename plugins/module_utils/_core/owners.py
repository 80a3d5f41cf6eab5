# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who reconciles an object besides us, recognised by the marks that such programs leave in its metadata.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Each mark and its source is in docs/owners.md. The controllers of the cluster itself, which make the secrets of
service accounts, are no owners.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .errors import CollectionError

_ARGO_CD = "argocd.argoproj.io/tracking-id"
_FLUX = (
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
)
_EXTERNAL_SECRETS = "reconcile.external-secrets.io/managed"
_SEALED_SECRETS = "sealedsecrets.bitnami.com/managed"
_SAMPLES = "samples.operator.openshift.io/managed"
_HELM = "meta.helm.sh/release-name"
_OLM = "olm.owner"
_INSTANCE = "app.kubernetes.io/instance"
# Kinds of the core group that own what the cluster makes for itself.
_CLUSTER_KINDS = ("Secret", "ServiceAccount")
_IN_GIT = "in the source that it follows"
_HOW = {"ExternalSecret": "in the store that it reads", "SealedSecret": "by sealing it again"}


class Owner(NamedTuple):
    """Who reconciles an object, in words, whether they would undo the change of somebody else, and how it is changed
    there, as the end of "change it ..."."""

    name: str
    reconciles: bool
    how: str = "there"


class OwnedByAnother(CollectionError):
    """Somebody else reconciles the object and would undo the change, so it was not made."""


def owner_of(kind: str, metadata: t.Mapping[str, t.Any]) -> Owner | None:
    """Return who reconciles an object of ``kind``, by its metadata; None if nobody has left a mark."""
    labels, annotations = _texts(metadata.get("labels")), _texts(metadata.get("annotations"))
    for found in (
        _controller(metadata),
        _external(labels, annotations),
        _argo_cd(kind, metadata, annotations),
        _flux(labels, annotations),
    ):
        if found:
            return Owner(found[0], reconciles=True, how=found[1])
    if kind == "ImageStream" and labels.get(_SAMPLES) == "true":
        return Owner(
            "the Cluster Samples Operator",
            reconciles=True,
            how="in the operator's configuration, where skippedImagestreams makes it yours",
        )
    if _HELM in annotations:
        return Owner(f'the Helm release "{annotations[_HELM]}"', reconciles=False)
    if _OLM in labels:
        return Owner(f'the Operator Lifecycle Manager for "{labels[_OLM]}"', reconciles=False)
    if _INSTANCE in labels:
        return Owner(f'the application "{labels[_INSTANCE]}"', reconciles=False)
    return None


def refuse_owned(what: str, owner: Owner) -> OwnedByAnother:
    """Return the error for a change of ``what``, which begins a sentence, that its owner would undo."""
    return OwnedByAnother(
        f"{what} is reconciled by {owner.name}, which would undo the change, so nothing was written; change it "
        f"{owner.how}, or set take_over: true to write it all the same"
    )


def warn_of_owner(what: str, owner: Owner) -> str:
    """Return the warning for a change of ``what``, which begins a sentence, that its owner may undo one day."""
    return f"{what} belongs to {owner.name}, which may undo the change when it is upgraded or repaired."


def judge(what: str, owner: Owner | None, take_over: bool) -> tuple[OwnedByAnother | None, str]:
    """Return the refusal of a change of ``what`` that its owner would undo, and the warning about one who may.

    Each is None or "" if there is nothing to say. ``what`` begins a sentence.
    """
    if owner is None:
        return None, ""
    if not owner.reconciles:
        return None, warn_of_owner(what, owner)
    return (None if take_over else refuse_owned(what, owner)), ""


# Who, and how it is changed there.
_Found = t.Optional[t.Tuple[str, str]]  # noqa: UP006 - evaluated at run time, by Python 3.9 too


def _controller(metadata: t.Mapping[str, t.Any]) -> _Found:
    references = metadata.get("ownerReferences")
    for one in references if isinstance(references, list) else ():
        if not isinstance(one, t.Mapping) or not one.get("controller"):
            continue
        if one.get("apiVersion") == "v1" and one.get("kind") in _CLUSTER_KINDS:
            continue
        return f'the {one.get("kind") or "object"} "{one.get("name") or ""}"', _HOW.get(str(one.get("kind")), "there")
    return None


def _external(labels: t.Mapping[str, str], annotations: t.Mapping[str, str]) -> _Found:
    if labels.get(_EXTERNAL_SECRETS) == "true":
        return "External Secrets", _HOW["ExternalSecret"]
    return ("Sealed Secrets", _HOW["SealedSecret"]) if annotations.get(_SEALED_SECRETS) == "true" else None


def _argo_cd(kind: str, metadata: t.Mapping[str, t.Any], annotations: t.Mapping[str, str]) -> _Found:
    """Return the application of Argo CD.

    An id that names another object came here with a copy of that one's annotations.
    """
    application, _colon, tracked = annotations.get(_ARGO_CD, "").partition(":")
    group_kind, _colon, place = tracked.partition(":")
    if (
        not application
        or group_kind.rpartition("/")[2] != kind
        or place != f"{metadata.get('namespace')}/{metadata.get('name')}"
    ):
        return None
    return f'the Argo CD application "{application}"', _IN_GIT


def _flux(labels: t.Mapping[str, str], annotations: t.Mapping[str, str]) -> _Found:
    for group, kind in _FLUX:
        if f"{group}/name" in labels and annotations.get(f"{group}/reconcile") != "disabled":
            return f'the Flux {kind} "{labels.get(f"{group}/namespace", "")}/{labels[f"{group}/name"]}"', _IN_GIT
    return None


def _texts(values: t.Any) -> dict[str, str]:
    """Return labels or annotations as far as they are texts."""
    return (
        {name: value for name, value in values.items() if isinstance(value, str)}
        if isinstance(values, t.Mapping)
        else {}
    )
