# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides say of the code is so: each message of the code is explained, each key matches as the table says."""

from __future__ import annotations

import ast
import re
import typing as t
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.keyring import (
    Keyring,
    KeyringEntry,
    file_key,
    lookup_text,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine import plan_types as stream_plan
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.plan import (
    REGISTRY_REASONS,
    SECRET_REASONS,
)

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ROOT / "docs"
# What differs each time, in the guide as in what is read from the code.
OPEN = "..."
ROW = re.compile(r"^\| `(?P<first>[^`]+)` \| (?P<rest>.+) \|$", re.MULTILINE)
# Errors that never reach a user as they are: somebody catches them and says more.
INNER = {"ValueError", "TypeError", "KeyError"}
# Less than this is the frame of other sentences, such as "...: ...".
FEWEST_LETTERS = 18


def rows(guide: str) -> list[re.Match[str]]:
    return list(ROW.finditer((GUIDES / guide).read_text(encoding="utf-8")))


def sentence(node: ast.expr | None) -> str | None:
    """Return a text of the code with ``OPEN`` for its variable parts; None if it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return joined(sentence(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [sentence(node.left), sentence(node.right)]
        return joined(sides) if any(side is not None for side in sides) else None
    return None


def joined(parts: Iterable[str | None]) -> str:
    return re.sub(r"(?:\.\.\.)+", OPEN, "".join(OPEN if part is None else part for part in parts))


def trees() -> Iterator[ast.Module]:
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def lines_of(text: str) -> list[str]:
    """Return the lines of a template, with ``OPEN`` for what is filled in."""
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}", OPEN, text, flags=re.DOTALL).splitlines()


def put_together(template: str) -> Iterator[str]:
    """Yield the sentences that a template puts together, as in 'size is ' ~ size ~ ': give a number'."""
    for found in re.findall(r"'[^']*'(?:\s*~\s*(?:'[^']*'|[\w.]+))*", template):
        yield joined(text if quoted else None for quoted, text in re.findall(r"(')([^']*)'|~\s*\w", found))


def texts_of(content: t.Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list)):
        for part in content.values() if isinstance(content, dict) else content:
            yield from texts_of(part)


def raised() -> dict[str, str]:
    """Return the messages that are raised as errors, each with the name of the error."""
    found = {}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                error, text = ast.unparse(node.exc.func), sentence(node.exc.args[0])
                if error not in INNER and text and sum(map(str.isalpha, text)) >= FEWEST_LETTERS:
                    found[text] = error
    return found


def given_by_playbooks() -> Iterator[str]:
    """Yield the messages that playbooks and roles give in words of their own."""
    for path in (*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/vars/*.yml"), *ROOT.glob("playbooks/*.yml")):
        for key, text in pairs_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if key in ("fail_msg", "otherwise"):
                yield from lines_of(text)
            elif key.endswith("_problems"):
                # Words without a blank are names and patterns.
                yield from (message for message in put_together(text) if " " in message)


def pairs_of(content: t.Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        yield from ((key, value) for key, value in content.items() if isinstance(value, str))
        if isinstance(content.get("ansible.builtin.fail"), dict):
            yield "fail_msg", content["ansible.builtin.fail"]["msg"]
    for part in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from pairs_of(part)


MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# Rows of tables, and items of lists of messages that say all.
MESSAGES = re.findall(
    r"^(?:\| |- )`([^`]+)`(?: \||$)", (GUIDES / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE
)


def is_said(message: str, texts: set[str]) -> bool:
    """Whether the code has this text, or one that goes on after it."""
    endless = message.removesuffix(OPEN)
    return message in texts or any(
        text.strip() == message
        or text.startswith(f"{message}{OPEN}")
        or (endless != message and text.startswith(endless))
        for text in texts
    )


def test_every_error_of_the_code_is_in_the_guide() -> None:
    assert len(MESSAGES) > 200
    missing = sorted(
        f"{error}: {text}"
        for text, error in raised().items()
        if not any(is_said(message, {text}) for message in MESSAGES)
    )
    assert missing == [], "give each a row in docs/troubleshooting.md: the cause, and what to do"


def test_every_message_of_playbooks_and_roles_is_in_the_guide() -> None:
    given = {text for text in given_by_playbooks() if sum(map(str.isalpha, text)) >= FEWEST_LETTERS}
    assert len(given) > 5
    assert (
        sorted(
            text for text in given if not any(is_said(message, {text, text.removesuffix(":")}) for message in MESSAGES)
        )
        == []
    )


def test_every_reason_is_explained() -> None:
    known = {*SECRET_REASONS, *REGISTRY_REASONS, "link_missing", "linked_twice", "lookup_policy_changed"}
    known |= {
        value
        for name, value in vars(stream_plan).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z_]+", value)
    }
    section = (GUIDES / "drift.md").read_text(encoding="utf-8").partition("## Reasons")[2].partition("\n## ")[0]
    explained = [
        word for row in re.findall(r"^\| (`.+?`) \| ", section, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)
    ]

    assert "upstream_moved" in known
    assert sorted(explained) == sorted(known)


def test_every_message_stands_there_once() -> None:
    assert sorted(message for message in set(MESSAGES) if MESSAGES.count(message) > 1) == []


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row["first"] + " " + row["rest"].split("`")[1]) for row in rows("private-registries.md")],
)
def test_keys_match_as_the_table_says(row: re.Match[str]) -> None:
    key, (image, verdict) = row["first"], row["rest"].split("`", 2)[1:]
    entry = KeyringEntry(secret="registry", written=key, username="puller", password="a password")

    assert file_key(key) is not None
    assert bool(Keyring([entry]).lookup(lookup_text(image))) == verdict.startswith(" | yes")
    assert verdict.startswith((" | yes", " | no"))


def test_every_manifest_of_rights_is_explained() -> None:
    text = (GUIDES / "least-privilege.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(GUIDES.glob("rbac/*.yml")) if f"](rbac/{path.name})" not in text] == []


def documents() -> dict[str, str]:
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(GUIDES.glob("*.md"))]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def unknown(pattern: str, known: set[str]) -> list[tuple[str, str]]:
    return [
        (name, word)
        for name, text in documents().items()
        for word in re.findall(pattern, text, re.MULTILINE)
        if word not in known
    ]


def test_roles_that_are_to_be_bound_are_in_the_manifests() -> None:
    manifests = "".join(path.read_text(encoding="utf-8") for path in GUIDES.glob("rbac/*.yml"))
    assert unknown(r"(?:clusterrole|[Bb]ind) `?(quayside-[a-z-]+)", set(re.findall(r"name: (\S+)", manifests))) == []


def test_every_role_of_the_manifests_is_said_to_be_for_something() -> None:
    roles = {
        name
        for path in GUIDES.glob("rbac/*.yml")
        for name in re.findall(r"name: (quayside-\S+)", path.read_text(encoding="utf-8"))
    }
    bound = set(re.findall(r"`(quayside-[a-z-]+)`", (GUIDES / "least-privilege.md").read_text(encoding="utf-8")))

    assert len(roles) > 20
    assert roles - bound == set()


def test_commands_name_targets_of_the_makefile() -> None:
    targets = set(
        re.findall(
            r"[\w-]+", " ".join(re.findall(r"^(?:\.PHONY|ONE_GATE :?=|\.PHONY:) *(.*)$", MAKEFILE, re.MULTILINE))
        )
    )
    assert "unit" in targets
    assert unknown(r"(?:^    |`)make (?:PYTHON=\S+ )?([a-z][\w-]*)", targets) == []


def test_commands_name_playbooks_of_the_collection() -> None:
    playbooks = {path.stem for path in ROOT.glob("playbooks/*.yml")}
    assert unknown(r"ansible-playbook\s+quayside\.openshift_images\.(\w+)", playbooks) == []
