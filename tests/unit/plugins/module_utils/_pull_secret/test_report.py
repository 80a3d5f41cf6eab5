# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import CollectionError, Forbidden
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.apply import SecretOutcome
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import (
    DesiredRegistry,
    DesiredSecret,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.observed import ObservedSecret
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.plan import plan_secret
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.report import report_secrets
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.verify import LoginResult
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import status_error
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    entry,
)

TYPE = "kubernetes.io/dockerconfigjson"
SECRETS = ("s3cret", "n3w", "t0ken", b64("puller:s3cret"), b64("puller:n3w"))


def desired(*registries: DesiredRegistry, **given: t.Any) -> DesiredSecret:
    return DesiredSecret("pull", registries=registries or (registry(),), **given)


def registry(key: str = "h.example", password: str = "n3w", email: str = "") -> DesiredRegistry:
    return DesiredRegistry(key, Login("puller", password, email))


def diff(wanted: DesiredSecret, content: dict[str, t.Any] | None, **metadata: t.Any) -> tuple[t.Any, t.Any]:
    observed = None if content is None else ObservedSecret({"metadata": {"name": "pull", **metadata}, **content})
    report = report_secrets(wanted, [SecretOutcome("shop", plan_secret(wanted, "shop", observed))], [])
    assert not any(secret in json.dumps([report.before, report.after, report.results]) for secret in SECRETS)
    return report.before.get("shop/pull"), report.after.get("shop/pull")


def test_creation_is_shown_against_nothing() -> None:
    before, after = diff(desired(registry(email="u@h.example"), labels={"a": "b"}), None)
    assert before == {"state": "absent"}
    assert after == {
        "state": "present",
        "type": TYPE,
        "registries": {"h.example": {"username": "puller", "email": "u@h.example", "password": "(hidden)"}},
        "labels": {"a": "b"},
    }


def test_a_new_password_is_a_word() -> None:
    before, after = diff(desired(), auths({"h.example": entry(), "i.example": entry("i")}))
    kept = {"i.example": {"username": "i", "password": "(hidden)"}}
    assert before == {
        "state": "present",
        "type": TYPE,
        "registries": {"h.example": {"username": "puller", "password": "(hidden)"}, **kept},
    }
    assert after == {
        "state": "present",
        "type": TYPE,
        "registries": {"h.example": {"username": "puller", "password": "(hidden, differs)"}, **kept},
    }


def test_a_new_identity_token_is_a_word() -> None:
    _before, after = diff(
        desired(DesiredRegistry("h.example", Login(identity_token="t0ken"))),
        auths({"h.example": {"identitytoken": "s3cret"}}),
    )
    assert after["registries"] == {"h.example": {"identity_token": "(hidden, differs)"}}


def test_deletion_is_shown_against_nothing() -> None:
    before, after = diff(desired(present=False), auths({"h.example": entry()}), labels={"a": "b"})
    assert before == {
        "state": "present",
        "type": TYPE,
        "registries": {"h.example": {"username": "puller", "password": "(hidden)"}},
        "labels": {"a": "b"},
    }
    assert after == {"state": "absent"}


def test_what_cannot_be_read_is_said_to_be_so() -> None:
    before, _after = diff(desired(replace=True), content_of("s3cret"))
    assert before["registries"] == "unreadable"
    before, after = diff(desired(), auths({"h.example": {"auth": "s3cret"}}))
    assert before["registries"] == {"h.example": "unusable"}
    assert after["registries"] == {"h.example": {"username": "puller", "password": "(hidden)"}}


def test_another_type_is_shown() -> None:
    before, after = diff(
        desired(recreate=True), content_of({"h.example": entry("puller", "n3w")}, "kubernetes.io/dockercfg")
    )
    assert (before["type"], after["type"], after["deleted_and_created"]) == ("kubernetes.io/dockercfg", TYPE, True)
    assert before["registries"] == after["registries"]


def test_no_change_no_diff() -> None:
    assert diff(desired(), auths({"h.example": entry("puller", "n3w")})) == (None, None)


def test_the_whole_report() -> None:
    wanted = desired(registry(), DesiredRegistry("gone.example", None))
    plan = plan_secret(wanted, "shop", None)
    error = status_error(Forbidden, 403, "Forbidden", "no")
    outcomes = [SecretOutcome("shop", plan, None, True, ("Beware.",)), SecretOutcome("test", error=error)]
    report = report_secrets(wanted, outcomes, [LoginResult("h.example", "puller", "accepted")])
    assert report.changed
    assert report.warnings == ["Beware."]
    assert (
        report.failure
        == 'The pull secret "pull" failed for 1 of 2, the others were done: test: The API server refused it: no.'
    )
    shown = {"email": None, "expires_at": None}
    assert report.results == {
        "secrets": [
            {
                "namespace": "shop",
                "name": "pull",
                "state": "present",
                "type": TYPE,
                "registries": [
                    {
                        **shown,
                        "registry": "h.example",
                        "state": "present",
                        "username": "puller",
                        "changed": True,
                        "reasons": ["registry_missing"],
                    },
                    {
                        **shown,
                        "registry": "gone.example",
                        "state": "absent",
                        "username": None,
                        "changed": False,
                        "reasons": [],
                    },
                ],
                "changed": True,
                "reasons": ["secret_missing"],
                "managed_by": None,
                "shadowing_checked": True,
                "error": None,
            },
            {
                "namespace": "test",
                "name": "pull",
                "state": "present",
                "type": TYPE,
                "registries": [],
                "changed": False,
                "reasons": [],
                "managed_by": None,
                "shadowing_checked": False,
                "error": str(error),
            },
        ],
        "failed_namespaces": ["test"],
        "verified": [
            {"registry": "h.example", "username": "puller", "result": "accepted", "error": None, "status": None}
        ],
        "summary": {
            "namespaces": 2,
            "failed": 1,
            "created": 1,
            "updated": 0,
            "recreated": 0,
            "deleted": 0,
            "unchanged": 0,
        },
    }


def test_the_only_namespaces_error_is_the_message() -> None:
    error = status_error(Forbidden, 403, "Forbidden", "no")
    report = report_secrets(desired(), [SecretOutcome("shop", error=error)], [])
    assert (report.failure, report.changed, report.results["status"], report.results["reason"]) == (
        str(error),
        False,
        403,
        "Forbidden",
    )
    assert (
        report_secrets(desired(), [SecretOutcome("shop", error=CollectionError("It broke."))], []).failure
        == "It broke."
    )


@pytest.mark.parametrize(
    ("result", "warning"),
    [
        ("not_asked", 'The registry "h.example" asks for no credential, so the one for it could not be tried.'),
        ("not_tried", 'The key "h.example" is not the name of one host, so its credential could not be tried.'),
    ],
)
def test_what_could_not_be_tried_is_warned_about(result: str, warning: str) -> None:
    report = report_secrets(desired(), [], [LoginResult("h.example", "puller", result)])
    assert report.warnings == [warning]
