# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.filter.rotation import FilterModule as PlanFilter
from ansible_collections.quayside.openshift_images.plugins.filter.rotation_report import FilterModule as ReportFilter

plan: t.Callable[..., dict[str, t.Any]] = PlanFilter().filters()["rotation"]
report: t.Callable[..., dict[str, t.Any]] = ReportFilter().filters()["rotation_report"]
JSON = "kubernetes.io/dockerconfigjson"


def secret(namespace: str, name: str, *users: str, kind: str = JSON, problem: str = "") -> dict[str, t.Any]:
    registries = [{"registry": "r.example", "username": user} for user in users]
    return {
        "namespace": namespace,
        "name": name,
        "type": kind,
        "registries": registries,
        "problems": [{"message": problem}] if problem else [],
    }


def found(*secrets: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {"secrets": list(secrets), "related": [], "failed_namespaces": [], **more}


def test_all_secrets_of_one_name_and_type_are_one_item() -> None:
    older = secret("c", "pull", "u", kind="kubernetes.io/dockercfg")
    made = plan([found(secret("a", "pull", "u"), secret("b", "pull", "u"), secret("a", "other", "u"), older)])
    assert made["items"] == [
        {"name": "pull", "type": JSON, "namespaces": ["a", "b"]},
        {"name": "other", "type": JSON, "namespaces": ["a"]},
        {"name": "pull", "type": "kubernetes.io/dockercfg", "namespaces": ["c"]},
    ]


def test_only_secrets_of_the_users_and_a_second_run_finds_the_new_one() -> None:
    made = plan(
        [found(secret("a", "old", "old"), secret("a", "new", "new"), secret("a", "else", "somebody"))], ["old", "new"]
    )
    assert [item["name"] for item in made["items"]] == ["old", "new"]
    assert made["untouched"] == []


def test_what_cannot_be_written_or_read_is_a_line() -> None:
    failed = [{"namespace": "gone", "error": "not found"}]
    related = [{"namespace": "a", "name": "path", "registry": "r.example/team", "username": "old"}]
    made = plan(
        [
            found(
                secret("a", "opaque", "u", kind="Opaque"),
                secret("a", "broken", problem="it is no JSON"),
                related=related,
                failed_namespaces=failed,
            )
        ]
    )
    assert made["items"] == []
    assert made["untouched"] == ["a/opaque: secrets of the type Opaque cannot be written", "a/broken: it is no JSON"]
    assert (made["unread"], made["related"]) == (["gone: not found"], ["a/path: r.example/team of old"])


def test_a_secret_that_was_looked_at_twice_is_one() -> None:
    made = plan([found(secret("a", "pull", "u"), secret("b", "pull", "u")), found(secret("b", "pull", "u"))])
    assert [item["namespaces"] for item in made["items"]] == [["a", "b"]]


MADE = plan(
    [found(secret("a", "pull", "u"), secret("b", "pull", "u"), secret("c", "pull", "u"), secret("d", "pull", "u"))]
)


def test_the_names_of_the_report_are_those_that_were_found_whatever_ansible_has_masked() -> None:
    masked = {"namespace": "********", "name": "********"}
    secrets = [
        {**masked, "changed": True, "reasons": ["registries_changed"]},
        {**masked, "changed": False, "reasons": []},
        {**masked, "changed": False, "reasons": ["other_password"]},
        {**masked, "error": "Forbidden"},
    ]
    done = report(MADE, [{"secrets": secrets}], registry="r.example", cluster="here")
    assert done["lines"] == [
        "here: r.example is in 4 of the secrets that were looked at",
        "Replaced: 1, was as wanted: 1",
        "  a/pull",
        "Left alone, because the password in it is another one than the former:",
        "  c/pull",
    ]
    assert done["left"] == ["- d/pull: Forbidden"]


def test_a_secret_of_an_owner_is_named_with_the_owner_and_the_variable() -> None:
    error = (
        'The secret "pull" in the namespace "a" is reconciled by External Secrets, which would undo the change, so '
        "nothing was written; change it in the store that it reads, or set take_over: true to write it all the same"
    )
    made = plan([found(secret("a", "pull", "u"))])
    done = report(made, [{"secrets": [{"error": error}]}], registry="r.example", cluster="here")
    [line] = done["left"]
    assert line.startswith("- a/pull: ")
    assert "is reconciled by External Secrets" in line
    assert "; change it in the store that it reads, or set rotate_credentials_take_over: true to" in line


def test_what_it_means_that_nothing_is_compared_is_said() -> None:
    done = report(
        MADE, [{"msg": "refused\n\x1b[2J"}], registry="r.example", cluster="here", compared=False, check_mode=True
    )
    assert done["lines"][1:] == [
        "Would be replaced: 0, was as wanted: 0",
        "The former password was not given, so every entry for the registry got the new one, whoever wrote it.",
    ]
    [line] = done["left"]
    assert line.startswith("- pull: refused")
    assert line.isprintable()
