# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.owners import (
    Owner,
    owner_of,
    refuse_owned,
    warn_of_owner,
)


def reference(kind: str, api_version: str = "example.com/v1", **more: t.Any) -> dict[str, t.Any]:
    return {"ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": "it", "uid": "u", **more}]}


TRACKED = "argocd.argoproj.io/tracking-id"
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        (reference("ExternalSecret", "external-secrets.io/v1", controller=True), 'the ExternalSecret "it"'),
        (reference("SealedSecret", "bitnami.com/v1alpha1", controller=True), 'the SealedSecret "it"'),
        ({"annotations": {TRACKED: "shop:/Secret:shop/pull"}}, 'the Argo CD application "shop"'),
        ({"labels": FLUX}, 'the Flux Kustomization "flux-system/apps"'),
        (
            {"labels": {"helm.toolkit.fluxcd.io/name": "chart", "helm.toolkit.fluxcd.io/namespace": "shop"}},
            'the Flux HelmRelease "shop/chart"',
        ),
        ({"labels": {"reconcile.external-secrets.io/managed": "true"}}, "External Secrets"),
        ({"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}, "Sealed Secrets"),
    ],
)
def test_owners_who_undo_changes(metadata: dict[str, t.Any], name: str) -> None:
    found = owner_of("Secret", {"namespace": "shop", "name": "pull", **metadata})
    assert found is not None
    assert (found.name, found.reconciles) == (name, True)


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        (
            {"annotations": {"meta.helm.sh/release-name": "chart"}, "labels": {"app.kubernetes.io/instance": "chart"}},
            'the Helm release "chart"',
        ),
        (
            {"labels": {"olm.owner": "operator.v1", "olm.managed": "true"}},
            'the Operator Lifecycle Manager for "operator.v1"',
        ),
        ({"labels": {"app.kubernetes.io/instance": "shop"}}, 'the application "shop"'),
    ],
)
def test_owners_who_may_come_back(metadata: dict[str, t.Any], name: str) -> None:
    assert owner_of("ServiceAccount", metadata) == Owner(name, reconciles=False)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"ownerReferences": None, "labels": None, "annotations": None},
        {"ownerReferences": "x", "labels": ["x"], "annotations": {"argocd.argoproj.io/tracking-id": 5}},
        {"ownerReferences": ["x", {}]},
        reference("ExternalSecret"),
        # what the cluster makes for its service accounts, before and since 4.16
        reference("Secret", "v1", controller=True),
        reference("ServiceAccount", "v1", controller=True),
        # annotations that were copied from another object
        {"annotations": {TRACKED: "shop:/Secret:shop/other"}},
        {"annotations": {TRACKED: "shop:/Secret:other/pull"}},
        {"annotations": {TRACKED: "shop:/ConfigMap:shop/pull"}},
        {"annotations": {TRACKED: "shop"}},
        {"labels": FLUX, "annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}},
        {"labels": {"samples.operator.openshift.io/managed": "true"}},
        {"labels": {"reconcile.external-secrets.io/managed": "false"}},
    ],
)
def test_what_is_no_mark(metadata: dict[str, t.Any]) -> None:
    assert owner_of("Secret", {"namespace": "shop", "name": "pull", **metadata}) is None


def test_the_samples_operator_owns_its_streams() -> None:
    found = owner_of("ImageStream", {"labels": {"samples.operator.openshift.io/managed": "true"}})
    assert found is not None
    assert (found.name, found.reconciles) == ("the Cluster Samples Operator", True)


def test_what_is_said() -> None:
    assert str(refuse_owned("The secret", Owner("Argo CD", reconciles=True))) == (
        "The secret is reconciled by Argo CD, which would undo the change, so nothing was written; change it there, or "
        "set take_over: true to write it all the same"
    )
    sealed = owner_of("Secret", reference("SealedSecret", "bitnami.com/v1alpha1", controller=True))
    assert sealed is not None
    assert "; change it by sealing it again, or set take_over" in str(refuse_owned("The secret", sealed))
    assert warn_of_owner("The account", Owner("Helm", reconciles=False)) == (
        "The account belongs to Helm, which may undo the change when it is upgraded or repaired."
    )
