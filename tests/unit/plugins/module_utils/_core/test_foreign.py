# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.foreign import ForeignError, ForeignObject, accepted, is_plain, shown_name
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import check_namespace, check_stream_name

ANY = [None, "text", 3, 3.5, True, ["x"], {"a": "b"}, [{"a": 1}], {"a": 1}]
READERS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int,),
    "flag": (bool,),
    "object": (ForeignObject,),
    "objects": (list,),
    "texts": (dict,),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("value", ANY, ids=repr)
def test_a_field_has_the_type_that_it_must_have_or_is_refused_by_name(reader: str, value: t.Any) -> None:
    found = ForeignObject({"field": value}, "the image stream shop/web")
    read, message = None, ""
    try:
        read = getattr(found, reader)("field")
    except ForeignError as error:
        message = str(error)
    if message:
        assert "field" in message
        assert " of the image stream shop/web is " in message
    else:
        assert isinstance(read, READERS[reader])
        assert not (reader == "number" and isinstance(read, bool))


@pytest.mark.parametrize("reader", READERS)
def test_what_is_not_there_is_empty(reader: str) -> None:
    read = getattr(ForeignObject({}, "x"), reader)("field")
    assert not (read._value if isinstance(read, ForeignObject) else read)


@pytest.mark.parametrize("value", [None, "text", 3, ["x"]], ids=repr)
def test_what_is_no_object_is_refused(value: t.Any) -> None:
    with pytest.raises(ForeignError, match=r"the answer of the server is .* and not an object"):
        ForeignObject(value, "the answer of the server")


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J", "x" * 256, "\u202eabc"])
def test_a_name_that_would_be_shown_otherwise_is_not_plain(name: str) -> None:
    assert not is_plain(name)
    assert len(shown_name(name)) <= 80
    assert "\n" not in shown_name(name)


def test_the_rules_of_options_are_those_of_others() -> None:
    assert is_plain("v1.2+build")
    assert accepted(check_stream_name, "shop", "web")
    assert not accepted(check_stream_name, "shop", "{{ web }}")
    assert not accepted(check_namespace, "../etc")
