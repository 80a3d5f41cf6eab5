# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import datetime as dt
import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.expiry import (
    EXPIRED,
    EXPIRES,
    UNKNOWN,
    VALID,
    Expiry,
    expiry_of,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = dt.datetime(2026, 1, 31, 12, 0, 0, tzinfo=dt.timezone.utc)
SECONDS = int(NOW.timestamp())


def encoded(document: t.Any) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def ecr(expiration: t.Any) -> str:
    """Return a token as Amazon ECR gives it: the base64 of JSON."""
    return encoded(
        {"payload": "x" * 50, "datakey": "y" * 20, "version": "2", "type": "DATA_KEY", "expiration": expiration}
    )


def jwt(**claims: t.Any) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "RS256", "typ": "JWT"}, claims)
    ]
    return ".".join([*parts, "c2lnbmF0dXJl"])


@pytest.mark.parametrize(
    ("password", "identity_token"),
    [
        (ecr(SECONDS), ""),
        (ecr(SECONDS).rstrip("="), ""),
        (jwt(exp=SECONDS, sub="?>~"), ""),
        (jwt(exp=SECONDS + 0.7), ""),
        (f"{jwt(exp=SECONDS)}\n", ""),
        ("", jwt(exp=SECONDS)),
    ],
)
def test_tokens_that_say_when_they_end(password: str, identity_token: str) -> None:
    found = expiry_of(password, identity_token)
    assert (found.at, found.text) == (NOW, "2026-01-31T12:00:00Z")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "s3cret",
        "sha256~abcdefghijklmnopqrstuvwxyz",
        "one.two.three",
        "a.b",
        jwt(sub="somebody"),
        jwt(exp="2026-01-31"),
        jwt(exp=True),
        jwt(exp=-1),
        jwt(exp=10**20),
        jwt(exp=[SECONDS]),
        ecr(None),
        ecr(str(SECONDS)),
        encoded([SECONDS]),
        encoded("text"),
        base64.b64encode(b"[" * 10_000).decode(),
        "A" * 100_000,
        jwt(exp=SECONDS) + ".more",
    ],
)
def test_what_does_not_say_when_it_ends_is_not_guessed(password: str) -> None:
    found = expiry_of(password)
    assert (found.at, found.text, found.state(now=NOW)) == (None, "", UNKNOWN)


def test_the_password_is_what_is_used() -> None:
    assert expiry_of("s3cret", jwt(exp=SECONDS)).at is None


@pytest.mark.parametrize(
    ("seconds", "within", "state"),
    [(-1, 0, EXPIRED), (0, 0, EXPIRED), (1, 0, VALID), (3600, 1, EXPIRES), (3601, 1, VALID), (-1, 24, EXPIRED)],
)
def test_whether_it_has_ended(seconds: int, within: int, state: str) -> None:
    assert expiry_of(ecr(SECONDS + seconds)).state(within, NOW) == state


@pytest.mark.parametrize("within", [10**8, 10**12, 10**30])
def test_any_number_of_hours_is_one(within: int) -> None:
    assert expiry_of(ecr(SECONDS + 1)).state(within, NOW) == EXPIRES


def test_a_token_of_the_future_shows_that_a_clock_is_wrong() -> None:
    assert Expiry(NOW, NOW + dt.timedelta(minutes=6)).state(now=NOW) == UNKNOWN
    assert Expiry(NOW, NOW + dt.timedelta(minutes=4)).state(now=NOW) == EXPIRED
    assert expiry_of(jwt(exp=SECONDS - 5, iat=SECONDS + 3600)).state(now=NOW) == UNKNOWN


@given(
    st.text()
    | st.binary().map(lambda raw: base64.b64encode(raw).decode())
    | st.lists(st.text(), min_size=3, max_size=3).map(".".join)
)
def test_any_text_is_a_password(text: str) -> None:
    expiry_of(text).state()
