# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written is read back by Ansible itself as what it was: the unit tests run on each supported release."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._unsafe_yaml import (
    OwnTemplate,
    in_a_comment,
    quoted,
    unsafe_yaml,
)
from hypothesis import given
from hypothesis import strategies as st

TEXTS = [
    "{{ lookup('pipe', 'touch ' ~ proof) }}",
    "{% set x = lookup('pipe', 'touch ' ~ proof) %}{{ x }}",
    "{# #}{{ proof }}",
    "a {{ b",
    "!unsafe x",
    "plain",
    "",
    " with blanks ",
    "yes",
    "017",
    "3.10",
    "1e3",
    "null",
    "~",
    "2026-01-01",
    "# no comment",
    "a: b",
    "- x",
    "line\nend: {{ x }}\n",
    "carriage\rreturn",
    "\x1b[2J\x1b]0;title\x07",
    "\x85\u2028\u2029\u202e",
    "\u00e4\u6f22\U0001f600",
    "'single' \"double\" \\ \\n",
    "*anchor &alias",
    "{'a': '{{ b }}'}",
    "[1, 2]",
    "@at `tick`",
    "%TAG",
    "--- x",
    "...",
    "x" * 5000,
]
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Use them as tasks do, in a loop and in arguments
      ansible.builtin.set_fact:
        read: "{{ read | default([]) + [[one.name, one.tags[0], one['from']]] }}"
      loop: "{{ given }}"
      loop_control:
        loop_var: one
        label: one of them
    - name: Give them back
      ansible.builtin.copy:
        content: "{{ {'given': given, 'read': read, 'own': own} | to_json }}"
        dest: "{{ out }}"
"""


class _Loader(yaml.SafeLoader):
    """Reads the tag as text, as Ansible does."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


KEYS = st.from_regex("[a-z_]{1,9}", fullmatch=True)
VALUES = st.text() | st.booleans() | st.integers() | st.none()


@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_any_value_comes_back_as_it_was(value: object) -> None:
    assert yaml.load(unsafe_yaml({"a": value}), Loader=_Loader) == {"a": value}


@given(st.text())
def test_only_what_looks_like_a_template_is_tagged(text: str) -> None:
    assert unsafe_yaml({"a": text}).startswith("a: !unsafe ") == any(mark in text for mark in ("{{", "{%", "{#"))


@given(st.text())
def test_a_comment_stays_on_its_line(text: str) -> None:
    for shown in (in_a_comment(text), quoted(text)):
        assert len(shown.splitlines()) == 1
        assert shown.isascii()
        assert shown.isprintable()
    assert json.loads(quoted(text[:1024])) == text[:1024]


class Marked(str):
    """Text as ansible-core before 2.19 hands on what came from a module: whatever is made of it is such a text
    again."""

    def _itself(self) -> str:
        return self

    __str__ = _itself

    def __iter__(self) -> t.Iterator[str]:
        return iter([self])

    def encode(self, *_given: t.Any) -> bytes:  # type: ignore[override]
        raise AssertionError


def test_text_of_a_class_of_ansible_is_written_as_text() -> None:
    assert unsafe_yaml({Marked("a"): [Marked("b"), Marked("{{ c }}")]}) == 'a:\n- b\n- !unsafe "{{ c }}"\n'


def test_a_key_that_looks_like_a_template_is_refused() -> None:
    with pytest.raises(ValueError, match="a key cannot carry the tag"):
        unsafe_yaml({"a": {"{{ x }}": 1}})


def test_ansible_reads_back_what_was_written_and_runs_none_of_it(tmp_path: Path) -> None:
    proof, out = tmp_path / "proof", tmp_path / "out.json"
    given = [{"name": text, "tags": [text], "from": text} for text in TEXTS]
    tmp_path.joinpath("variables.yml").write_text(
        unsafe_yaml({"given": given, "own": OwnTemplate("{{ secret }}")}), encoding="utf-8"
    )
    tmp_path.joinpath("playbook.yml").write_text(PLAYBOOK, encoding="utf-8")
    program = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    variables = json.dumps(
        {"proof": str(proof), "out": str(out), "secret": "filled in", "ansible_python_interpreter": sys.executable}
    )
    given_variables = ["-e", variables, "-e", f"@{tmp_path / 'variables.yml'}"]
    command = [
        str(program),
        "-i",
        "localhost,",
        "--connection",
        "local",
        *given_variables,
        str(tmp_path / "playbook.yml"),
    ]
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_NOCOLOR": "1"}

    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert not proof.exists()
    assert json.loads(out.read_text(encoding="utf-8")) == {
        "given": given,
        "own": "filled in",
        "read": [[text] * 3 for text in TEXTS],
    }
