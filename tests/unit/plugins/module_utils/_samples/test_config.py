# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.desired import (
    DesiredSamples,
    desired_samples,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.observed import (
    ObservedSamples,
    SamplesSpec,
    parse_samples,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.plan import plan_samples


def observed(**spec: t.Any) -> ObservedSamples:
    return parse_samples({"metadata": {"resourceVersion": "7"}, "spec": spec})


@pytest.mark.parametrize(
    "registry",
    ["mirror.example.com", "mirror.example.com:5000", "localhost:5000/samples", "mirror.example.com/a/b", ""],
)
def test_registries_as_pull_specs_begin(registry: str) -> None:
    assert desired_samples({"samples_registry": registry}).samples_registry == registry


@pytest.mark.parametrize(
    "registry",
    ["https://mirror.example.com", "mirror", "mirror.example.com/", "mirror.example.com/a:v1", "Mirror Here", " a.b"],
)
def test_other_texts_are_no_registry(registry: str) -> None:
    with pytest.raises(InputError, match=r"write it as host\[:port\]\[/path\]"):
        desired_samples({"samples_registry": registry})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"skipped_imagestreams": ["Ruby"]}, "Ruby"),
        ({"skipped_templates": ["a/b"]}, 'skipped_templates: "a/b"'),
        ({"skipped_templates": [""]}, 'skipped_templates: ""'),
    ],
)
def test_names_that_cannot_exist_are_refused(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        desired_samples(options)


def test_a_name_that_is_listed_twice_counts_once() -> None:
    assert desired_samples({"skipped_imagestreams": ["ruby", "perl", "ruby"]}).skipped_imagestreams == ("ruby", "perl")


def test_what_is_not_declared_is_kept() -> None:
    present = observed(samplesRegistry="a.example.com", managementState="Removed", skippedTemplates=["rails"])

    plan = plan_samples(DesiredSamples(), present)

    assert plan.patch == {}
    assert plan.after == SamplesSpec("a.example.com", "Removed", (), ("rails",))


def test_only_what_differs_is_written() -> None:
    desired = DesiredSamples("b.example.com", "Managed", ("ruby",), ("rails",))

    plan = plan_samples(
        desired, observed(samplesRegistry="a.example.com", managementState="Managed", skippedTemplates=["rails"])
    )

    assert plan.patch == {"samplesRegistry": "b.example.com", "skippedImagestreams": ["ruby"]}
    assert plan.after == SamplesSpec("b.example.com", "Managed", ("ruby",), ("rails",))


def test_empty_values_take_the_fields_away() -> None:
    desired = DesiredSamples("", None, (), ())

    plan = plan_samples(desired, observed(samplesRegistry="a.example.com", skippedImagestreams=["ruby"]))

    assert plan.patch == {"samplesRegistry": None, "skippedImagestreams": None}
    assert plan.after == SamplesSpec()


def test_the_order_of_names_and_an_unset_state_are_no_difference() -> None:
    desired = DesiredSamples(None, "Managed", ("perl", "ruby"), None)

    plan = plan_samples(desired, observed(skippedImagestreams=["ruby", "perl"]))

    assert plan.patch == {}
    assert plan.after.skipped_imagestreams == ("ruby", "perl")


def test_planning_again_finds_nothing() -> None:
    desired = DesiredSamples("b.example.com", "Unmanaged", ("ruby",), ())
    present = observed(samplesRegistry="a.example.com", skippedTemplates=["rails"])
    after = {"samplesRegistry": "a.example.com", "skippedTemplates": ["rails"], **plan_samples(desired, present).patch}

    assert plan_samples(desired, observed(**after)).patch == {}
