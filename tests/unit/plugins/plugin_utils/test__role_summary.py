# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.filter.role_summary import FilterModule

summary: t.Callable[..., dict[str, t.Any]] = FilterModule().filters()["role_summary"]


def batch(tags: int, changed: int, unchanged: int, failed: int, msg: str = "", **reasons: int) -> dict[str, t.Any]:
    found = {
        "tags": tags,
        "streams": 2,
        "changed": changed,
        "unchanged": unchanged,
        "failed": failed,
        "reasons": reasons,
    }
    return {"summary": found, **({"msg": msg} if msg else {})}


def test_the_numbers_add_up_to_the_tags() -> None:
    done = summary(
        [batch(3, 3, 0, 1, "1 of 3 tags could not be imported:\n- shop/web:v3", stream_missing=3)], "image_streams"
    )
    assert done["words"] == "3 tags in 2 streams: 2 changed, 0 unchanged, 1 failed - why: stream missing (3)"
    assert done["counts"] == "2 tags changed, 0 unchanged, 1 failed"
    assert done["failure"] == "1 of 3 tags could not be imported:\n- shop/web:v3"


def test_a_run_that_changes_nothing_and_one_that_only_would() -> None:
    assert (
        summary([batch(1, 0, 1, 0)], "image_streams")["words"] == "1 tag in 2 streams: 0 changed, 1 unchanged, 0 failed"
    )
    done = summary([batch(2, 2, 0, 0, tag_missing=2)], "image_streams", check_mode=True)
    assert (done["words"], done["failure"]) == (
        "2 tags in 2 streams: 2 would be changed, 0 unchanged, 0 failed - why: tag missing (2)",
        "",
    )


def test_a_batch_without_a_result_fails_with_its_message() -> None:
    done = summary([{"msg": "The cluster cannot be reached."}], "image_streams")
    assert done["failure"] == "Not every stream could be managed:\nThe cluster cannot be reached."
    assert done["counts"] == "could not be done"


def test_numbers_that_ansible_has_masked_are_no_reason_to_stop() -> None:
    masked = {
        "summary": {
            "tags": "********",
            "changed": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
            "unchanged": 1,
            "failed": 0,
            "reasons": {},
        }
    }
    assert summary([masked], "image_streams")["failure"] == ""


REGISTRIES = [{"registry": "r.example"}, {"registry": "old", "state": "absent"}]
SECRET: dict[str, t.Any] = {"name": "pull", "namespaces": ["shop", "billing"], "registries": REGISTRIES}


def test_the_credentials_that_are_written_have_the_names_of_the_declaration_whatever_is_masked() -> None:
    # A password "shop" masks the namespace "shop" in the result of its task.
    masked = {
        "changed": True,
        "secrets": [
            {"namespace": "********", "changed": True, "reasons": [], "registries": [{"registry": "********"}]}
        ],
    }
    done = summary([masked], "registry_access", declared=[SECRET])
    assert done["pending_credentials"] == [
        {"namespace": "shop", "registries": ["r.example"]},
        {"namespace": "billing", "registries": ["r.example"]},
    ]


def test_what_is_not_written_is_not_pending() -> None:
    assert summary([{"changed": False}], "registry_access", declared=[SECRET])["pending_credentials"] == []
    assert (
        summary([{"changed": True}], "registry_access", declared=[{**SECRET, "state": "absent"}])["pending_credentials"]
        == []
    )


def test_where_a_secret_is_as_declared_or_could_not_be_written_nothing_is_pending() -> None:
    outcomes = [{"changed": False, "error": "reconciled by External Secrets"}, {"changed": True}]
    done = summary([{"changed": True, "secrets": outcomes}], "registry_access", declared=[SECRET])
    assert done["pending_credentials"] == [{"namespace": "billing", "registries": ["r.example"]}]


def test_a_task_that_got_to_no_namespace_is_named_by_its_secret() -> None:
    lost = {"msg": "from_secret: it does not exist"}
    done = summary(
        [lost, {"msg": "gone"}, {"msg": "gone"}], "registry_access", declared=[{**SECRET, "name": n} for n in "abc"]
    )
    assert done["failure"].splitlines()[1:] == ['- "a": from_secret: it does not exist', '- "b", "c": gone']


def test_registries_of_a_file_are_those_of_the_result_unless_they_are_masked() -> None:
    shown = [{"registry": name, "state": "present"} for name in ("quay.io", "********.example")]
    result = {"changed": True, "secrets": [{"registries": shown}]}
    done = summary(
        [result], "registry_access", declared=[{"name": "p", "namespaces": ["shop"], "auth_file": "auth.json"}]
    )
    assert done["pending_credentials"] == [{"namespace": "shop", "registries": ["quay.io"]}]


def test_secrets_and_links_are_counted_with_their_reasons() -> None:
    written = [
        {
            "changed": True,
            "secrets": [
                {"changed": True, "reasons": ["secret_missing"], "registries": [{"reasons": ["registry_missing"]}]}
            ],
        }
    ]
    linked = [{"service_accounts": [{"changed": True, "reasons": ["link_missing"]}, {"changed": False, "reasons": []}]}]
    done = summary(written, "registry_access", linked=linked, declared=[SECRET])
    assert (
        done["words"]
        == "1 pull secret: 1 changed, 2 links: 1 changed - why: link missing (1), registry missing (1), secret missing "
        "(1)"
    )


def test_what_could_not_be_written_is_said_once_for_secrets_and_links() -> None:
    refused = {"msg": 'The secret "pull" in the namespace "shop" is reconciled by External Secrets', "secrets": []}
    done = summary(
        [refused, {"secrets": [{"changed": True, "reasons": ["secret_missing"]}]}],
        "registry_access",
        linked=[{"msg": "no account"}, {"msg": "no account"}],
        declared=[{}, {}],
    )
    assert done["failure"] == (
        "Not every pull secret and link could be written:\n"
        '- The secret "pull" in the namespace "shop" is reconciled by External Secrets\n'
        "- no account"
    )
    assert done["words"] == "1 pull secret: 1 changed, 0 links: 0 changed - why: secret missing (1)"
    assert summary([{"secrets": []}], "registry_access", declared=[{}])["failure"] == ""
