# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    DesiredStream,
    DesiredTag,
    check_policies,
    desired_streams,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import tag

WEB = "registry.example.com:5000/team/web"
ONE = {"namespace": "shop", "name": "web"}
TAG_NAME = (
    "is not a tag name that the API can address: use letters, digits, _ . - (at most 128, not beginning with . or -)"
)
NO_DIGEST = 'is not a pull spec: "sha256:abc" is not a digest (sha256: and 64 hexadecimal digits in lower case)'


def test_one_stream_with_one_tag_leaves_everything_else_to_what_is_there() -> None:
    assert desired_streams({**ONE, "tags": [tag("v1", f"{WEB}:v1")]}) == [
        DesiredStream("shop", "web", (DesiredTag("v1", PullSpec.parse(f"{WEB}:v1")),))
    ]


def test_a_tag_says_everything_itself() -> None:
    said = {
        "import_mode": "PreserveOriginal",
        "reference_policy": "Local",
        "scheduled": False,
        "insecure": True,
        "prefer_architecture": "arm64",
        "prefer_os": "linux",
    }
    (stream,) = desired_streams({**ONE, "tags": [tag("v1", f"{WEB}:v1", **said)]})
    assert stream.tags == (
        DesiredTag("v1", PullSpec.parse(f"{WEB}:v1"), "PreserveOriginal", "Local", False, True, "arm64", "linux"),
    )


@pytest.mark.parametrize(
    ("option", "of_task", "of_stream", "of_tag"),
    [
        ("import_mode", "Legacy", "PreserveOriginal", "Legacy"),
        ("reference_policy", "Source", "Local", "Source"),
        ("scheduled", True, False, True),
        ("insecure", True, False, True),
        ("prefer_architecture", "arm64", "", "s390x"),
        ("prefer_os", "linux", "", "windows"),
    ],
)
def test_a_tag_inherits_from_its_stream_and_that_from_the_task(
    option: str, of_task: t.Any, of_stream: t.Any, of_tag: t.Any
) -> None:
    streams = desired_streams(
        {
            "namespace": "shop",
            option: of_task,
            "streams": [
                {"name": "a", "tags": [tag("v1", f"{WEB}:v1")]},
                {
                    "name": "b",
                    option: of_stream,
                    "tags": [tag("v1", f"{WEB}:v1"), tag("v2", f"{WEB}:v2", **{option: of_tag})],
                },
            ],
        }
    )
    values = [[getattr(one, option) for one in stream.tags] for stream in streams]
    assert values == [[of_task], [of_stream, of_tag]]


def test_a_stream_inherits_what_concerns_the_whole_stream_and_may_differ() -> None:
    first, second = desired_streams(
        {
            "namespace": "shop",
            "lookup_policy_local": True,
            "purge_tags": True,
            "refresh": "always",
            "streams": [
                {"name": "a", "tags": [tag("v1", f"{WEB}:v1")]},
                {
                    "name": "b",
                    "namespace": "billing",
                    "lookup_policy_local": False,
                    "purge_tags": False,
                    "refresh": "missing",
                    "tags": [tag("v1", f"{WEB}:v1")],
                },
            ],
        }
    )
    assert (first.key, first.lookup_policy_local, first.purge_tags, first.refresh) == (
        ("shop", "a"),
        True,
        True,
        "always",
    )
    assert (second.key, second.lookup_policy_local, second.purge_tags, second.refresh) == (
        ("billing", "b"),
        False,
        False,
        "missing",
    )


def test_refresh_drifted_and_keeping_unlisted_tags_are_the_defaults() -> None:
    (stream,) = desired_streams({**ONE, "tags": [tag("v1", f"{WEB}:v1")]})
    assert (stream.refresh, stream.purge_tags, stream.absent, stream.lookup_policy_local) == (
        "drifted",
        False,
        False,
        None,
    )


def test_the_tags_of_a_repository_carry_its_policies() -> None:
    (stream,) = desired_streams(
        {
            **ONE,
            "repository": WEB,
            "tag_patterns": ["v*"],
            "import_mode": "PreserveOriginal",
            "insecure": True,
            "scheduled": False,
        }
    )
    assert stream.repository is not None
    assert (stream.tags, stream.repository.patterns) == ((), ("v*",))
    assert stream.repository.tag("v7") == DesiredTag(
        "v7", PullSpec("registry.example.com:5000", "team/web", "v7", ""), "PreserveOriginal", None, False, True
    )


@pytest.mark.parametrize(
    "options",
    [
        {"state": "absent"},
        {"state": "absent", "tags": [tag("v1", f"{WEB}:v1")]},
        {"tags": [], "purge_tags": True},
        {"lookup_policy_local": False},
        {"lookup_policy_local": True},
    ],
)
def test_a_stream_without_a_tag_may_still_ask_for_something(options: dict[str, t.Any]) -> None:
    (stream,) = desired_streams({**ONE, **options})
    assert stream.absent == (options.get("state") == "absent")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {**ONE, "tags": [tag("v1", f"{WEB}:v1", import_mode="Sometimes")]},
            (
                'stream shop/web, tag v1: import_mode "Sometimes" is unknown: valid ImportMode values are Legacy or '
                "PreserveOriginal"
            ),
        ),
        (
            {**ONE, "tags": [tag("v1", f"{WEB}:v1", import_mode="legacy")]},
            (
                'stream shop/web, tag v1: import_mode "legacy" is unknown: valid ImportMode values are Legacy or '
                "PreserveOriginal - did you mean Legacy? Upper and lower case count"
            ),
        ),
        (
            {**ONE, "import_mode": "Sometimes", "tags": [tag("v1", f"{WEB}:v1")]},
            (
                'stream shop/web: import_mode "Sometimes" is unknown: valid ImportMode values are Legacy or '
                "PreserveOriginal"
            ),
        ),
        (
            {"namespace": "shop", "import_mode": "", "streams": [{"name": "web", "tags": [tag("v1", f"{WEB}:v1")]}]},
            'stream shop/web: import_mode "" is unknown: valid ImportMode values are Legacy or PreserveOriginal',
        ),
        (
            {**ONE, "tags": [tag("v1", f"{WEB}:v1", reference_policy="Remote")]},
            (
                'stream shop/web, tag v1: reference_policy "Remote" is unknown: valid reference policy values are '
                "Source or Local"
            ),
        ),
        (
            {**ONE, "reference_policy": "local", "tags": [tag("v1", f"{WEB}:v1")]},
            (
                'stream shop/web: reference_policy "local" is unknown: valid reference policy values are Source or '
                "Local - did you mean Local? Upper and lower case count"
            ),
        ),
        (
            {**ONE, "tags": [tag("v1", "::bad::")]},
            'stream shop/web, tag v1: "::bad::" is not a pull spec: the tag after the colon is empty',
        ),
        (
            {**ONE, "tags": [tag("v1", "")]},
            'stream shop/web, tag v1: "" is not a pull spec: it is empty or has space around it',
        ),
        (
            {**ONE, "tags": [tag("v1", f"{WEB}@sha256:abc")]},
            f'stream shop/web, tag v1: "{WEB}@sha256:abc" {NO_DIGEST}',
        ),
        ({**ONE, "tags": [tag("a/b", f"{WEB}:v1")]}, f'stream shop/web, tag a/b: "a/b" {TAG_NAME}'),
        ({**ONE, "tags": [tag("", f"{WEB}:v1")]}, f'stream shop/web, tag (without a name): "" {TAG_NAME}'),
        (
            {**ONE, "tags": [tag("v1", f"{WEB}:v1"), tag("v2", f"{WEB}:v2"), tag("v1", f"{WEB}:v2")]},
            "stream shop/web: tag v1 is listed twice: a tag of a stream has one source",
        ),
        (
            {**ONE, "repository": f"{WEB}:v1"},
            f'stream shop/web: repository "{WEB}:v1" carries a tag or digest: give the repository alone, or use tags',
        ),
        (
            {**ONE, "repository": f"{WEB}@sha256:{'0' * 64}"},
            (
                f'stream shop/web: repository "{WEB}@sha256:{"0" * 64}" carries a tag or digest: give the repository '
                "alone, or use tags"
            ),
        ),
        (
            {**ONE, "repository": "Bad"},
            (
                'stream shop/web: "Bad" is not a pull spec: "Bad" is not a repository name (lower case, digits, and . '
                "_ - / between them)"
            ),
        ),
        (
            {**ONE, "repository": WEB, "tags": [tag("v1", f"{WEB}:v1")]},
            "stream shop/web: give either tags or repository, not both",
        ),
        ({**ONE, "repository": WEB, "tags": []}, "stream shop/web: give either tags or repository, not both"),
        (
            {**ONE, "tags": [tag("v1", f"{WEB}:v1")], "tag_patterns": ["v*"]},
            "stream shop/web: tag_patterns chooses among the tags of repository, which is not given",
        ),
        (
            {"namespace": "shop", "streams": []},
            "streams is empty: list at least one image stream, or leave the task out",
        ),
        (ONE, "stream shop/web: give tags, repository or lookup_policy_local; there is nothing to import"),
        (
            {**ONE, "tags": []},
            "stream shop/web: give tags, repository or lookup_policy_local; there is nothing to import",
        ),
        (
            {**ONE, "purge_tags": True},
            "stream shop/web: give tags, repository or lookup_policy_local; there is nothing to import",
        ),
        (
            {"name": "web", "tags": [tag("v1", f"{WEB}:v1")]},
            "stream web needs a namespace: give it in the entry or for the whole task",
        ),
        ({"namespace": "shop", "streams": [{"tags": []}]}, "a stream needs a name"),
        ({"namespace": "shop", "name": "", "tags": []}, "a stream needs a name"),
        (
            {"namespace": "shop", "name": "Bad_Name", "tags": [tag("v1", f"{WEB}:v1")]},
            (
                'stream shop/Bad_Name: "Bad_Name" is not an image stream name: lower case letters and digits with '
                "single . _ - between them"
            ),
        ),
        (
            {"namespace": "Shop", "name": "web", "tags": [tag("v1", f"{WEB}:v1")]},
            'stream Shop/web: "Shop" is not a namespace name: at most 63 lower case letters, digits and - between them',
        ),
        (
            {"namespace": "shop", "streams": [{"name": "web", "state": "absent"}, {"name": "web", "state": "absent"}]},
            "stream shop/web is listed twice: join its entries",
        ),
        (
            {"namespace": "shop", "tags": [], "streams": [{"name": "web", "state": "absent"}]},
            "tags and streams exclude each other: give tags in each entry of streams",
        ),
        (
            {"namespace": "shop", "repository": WEB, "streams": [{"name": "web", "state": "absent"}]},
            "repository and streams exclude each other: give repository in each entry of streams",
        ),
        (
            {**ONE, "streams": [{"name": "web", "state": "absent"}]},
            "name and streams exclude each other: give name in each entry of streams",
        ),
        (
            {**ONE, "tags": [tag("v1", f"{WEB}:v1", prefer_architecture="ARM64")]},
            (
                'stream shop/web, tag v1: prefer_architecture "ARM64" is not a platform name: write it as image '
                "manifests do, for example arm64 or linux"
            ),
        ),
        (
            {**ONE, "prefer_os": "linux/amd64", "tags": [tag("v1", f"{WEB}:v1")]},
            (
                'stream shop/web: prefer_os "linux/amd64" is not a platform name: write it as image manifests do, for '
                "example arm64 or linux"
            ),
        ),
    ],
)
def test_bad_input_ends_in_one_sentence(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        desired_streams(options)
    assert str(refused.value) == sentence


def test_equal_streams_of_different_namespaces_are_different_streams() -> None:
    streams = desired_streams(
        {
            "streams": [
                {"namespace": "a", "name": "web", "state": "absent"},
                {"namespace": "b", "name": "web", "state": "absent"},
            ]
        }
    )
    assert [stream.key for stream in streams] == [("a", "web"), ("b", "web")]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("aarch64", "arm64"),
        ("x86_64", "amd64"),
        ("X86-64", "amd64"),
        ("armv7l", "arm"),
        ("i386", "386"),
        ("i686", "386"),
    ],
)
def test_what_kernels_call_an_architecture_is_refused_with_the_name_of_manifests(name: str, meant: str) -> None:
    options = {
        "namespace": "shop",
        "name": "web",
        "tags": [{"name": "v1", "from": "r.example/web:v1", "prefer_architecture": name}],
    }
    with pytest.raises(InputError) as refused:
        desired_streams(options)
    assert (
        str(refused.value)
        == f'stream shop/web, tag v1: prefer_architecture "{name}" is not what image manifests call it: write {meant}'
    )


@pytest.mark.parametrize("text", ["preserveoriginal", "Preserve-Original", "preserve_original", "PRESERVEORIGINAL"])
def test_an_import_mode_in_other_letters_is_asked_for(text: str) -> None:
    with pytest.raises(
        InputError,
        match=r"valid ImportMode values are Legacy or PreserveOriginal - did you mean PreserveOriginal\? Upper and "
        r"lower",
    ):
        check_policies({"import_mode": text})


def test_the_namespace_is_no_part_of_a_stream_s_name() -> None:
    with pytest.raises(
        InputError, match="leave the namespace out of the name of an image stream, it is the option namespace"
    ):
        desired_streams(
            {"namespace": "billing", "name": "billing/web", "tags": [{"name": "v1", "from": "r.example/web:v1"}]}
        )
