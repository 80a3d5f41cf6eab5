# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.explanation import (
    explain,
    explain_without_rights,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.keyring import lookup_text
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.registry_secrets import (
    Hider,
    hidden_keys,
    keyring_of,
    read_secret_object,
    registry_secrets,
    secret_texts,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    entry,
    named,
)
from hypothesis import given
from hypothesis import strategies as st

CONTRACT = Path(__file__).resolve().parents[5] / "tests" / "contract"
REGISTRIES = {
    "{private}": "localhost:25001",
    "{hub}": "localhost:25004",
    "{plain}": "localhost:25002",
    "{selfsigned}": "localhost:25003",
}
IMAGE = "h.example:5000/team/web:v2"
RIGHT = {"localhost:25001": ("puller", "s3cret"), "localhost:25004": ("hub", "good")}


def explain_credentials(secrets: t.Sequence[t.Mapping[str, t.Any]], image: str) -> str:
    """Return the sentence about secrets as the API returns them."""
    return explain(registry_secrets(secrets), image).sentence


def filled(text: str) -> str:
    for token, host in REGISTRIES.items():
        text = text.replace(token, host)
    return text


def recorded(case: str) -> t.Iterator[tuple[str, list[dict[str, t.Any]], str, dict[str, t.Any]]]:
    """Each image of each import of a recorded case: a word for it, the secrets at that time, the image, the server's
    verdict."""
    (path,) = CONTRACT.rglob(f"{case}.json")
    steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
    secrets: dict[str, dict[str, t.Any]] = {}
    for number, step in enumerate(steps):
        if "secret" in step:
            made = step["secret"]
            content = {"type": made["type"], "data": {made["key"]: b64(filled(made["content"]))}}
            secrets[made["name"]] = named(made["name"], content, made.get("annotations"))
        elif "imagestreamimports" in step["request"]["path"]:
            for spec, status in zip(
                step["request"]["body"]["spec"]["images"], step["response"]["body"]["status"]["images"], strict=False
            ):
                yield f"{case}-{number}", list(secrets.values()), filled(spec["from"]["name"]), status["status"]


def is_right(secrets: list[dict[str, t.Any]], image: str) -> bool:
    """Whether the credential that we think is used is the one that the registry of the recording accepts."""
    found = keyring_of(secret for secret in registry_secrets(secrets) if secret.is_candidate).lookup(lookup_text(image))
    return bool(found) and (found[0].entry.username, found[0].entry.password) == RIGHT[image.split("/")[0]]


@pytest.mark.parametrize("case", ["secret_keys", "secret_shadowing", "secret_types_for_import", "import_unauthorized"])
def test_the_keyring_says_what_the_real_server_did(case: str) -> None:
    seen = []
    for word, secrets, image, status in recorded(case):
        seen.append(word)
        assert is_right(secrets, image) is (status["status"] == "Success"), word
    assert seen


@pytest.mark.parametrize("case", ["secret_keys", "secret_shadowing", "secret_types_for_import", "import_unauthorized"])
def test_the_explanation_names_a_credential_or_says_there_is_none(case: str) -> None:
    for word, secrets, image, status in recorded(case):
        sentence = explain_credentials(secrets, image)
        assert sentence.startswith(
            (
                f"For {image} the API server uses the key",
                "No key in the registry secrets",
                "The namespace has no registry secret",
            )
        ), word
        if status["status"] == "Success":
            assert "the API server uses the key" in sentence, word
        assert "s3cret" not in sentence


def test_a_malformed_secret_explains_every_failure_of_the_namespace() -> None:
    ((_word, secrets, image, status),) = recorded("secret_malformed_breaks_namespace")
    assert status["reason"] == "InternalError"
    assert explain_credentials(secrets, image) == (
        'Every import of the namespace fails because of the secret "broken": its entry for "other.example" cannot be '
        "decoded: its auth is base64, but not of user:password: there is no colon in it; repair or delete it, or keep "
        "it from imports with the annotation openshift.io/image.excludeSecret=true."
    )


def test_the_used_credential_is_named() -> None:
    assert explain_credentials([named("pull", auths({"h.example:5000": entry()}))], IMAGE) == (
        'For h.example:5000/team/web:v2 the API server uses the key "h.example:5000" of the secret "pull" (user '
        '"puller").'
    )


def test_credentials_that_are_not_tried_are_named() -> None:
    secrets = [named(name, auths({"h.example:5000": entry()})) for name in ("c", "a", "b")]
    assert explain_credentials(secrets, IMAGE) == (
        'For h.example:5000/team/web:v2 the API server uses the key "h.example:5000" of the secret "a" (user '
        '"puller"); what the secrets "b" and "c" would give for it comes after that and is not tried.'
    )


def test_an_empty_entry_is_named_with_what_it_hides() -> None:
    secrets = [named("empty", auths({"h.example:5000": {}})), named("pull", auths({"h.example:5000": entry()}))]
    assert explain_credentials(secrets, IMAGE) == (
        'For h.example:5000/team/web:v2 the API server uses the key "h.example:5000" of the secret "empty", but that '
        "entry has no user name and "
        'password, so it asks anonymously, and it hides the secret "pull"; give the entry its credential or remove it.'
    )


def test_without_a_match_the_key_that_would_match_is_named() -> None:
    assert explain_credentials([], IMAGE) == (
        'The namespace has no registry secret that imports use. Add a credential with the key "h.example:5000" to a '
        "pull secret of the namespace, or to the cluster's global pull secret."
    )


@pytest.mark.parametrize(
    ("key", "remark"),
    [
        ("h.example", 'the key "h.example" of the secret "pull" has no port, but the image is written with port 5000'),
        (
            "h.example:443",
            'the key "h.example:443" of the secret "pull" has port 443, but the image is written with port 5000',
        ),
        ("h.example:5000/other", 'the key "h.example:5000/other" of the secret "pull" is for another path'),
    ],
)
def test_near_misses_are_named(key: str, remark: str) -> None:
    assert explain_credentials([named("pull", auths({key: entry()}))], IMAGE) == (
        f"No key in the registry secrets of the namespace matches {IMAGE} ({remark}). "
        'Add a credential with the key "h.example:5000" to a pull secret of the namespace, or to the cluster\'s global '
        "pull secret."
    )


def test_keys_of_other_hosts_are_no_near_misses() -> None:
    assert "quay.io" not in explain_credentials([named("pull", auths({"quay.io": entry()}))], IMAGE)


def test_the_key_of_docker_hubs_storage_is_a_near_miss() -> None:
    sentence = explain_credentials([named("pull", auths({"registry-1.docker.io": entry()}))], "nginx")
    assert (
        '(the key "registry-1.docker.io" of the secret "pull" does not match an image of docker.io). Add a credential '
        'with the key "docker.io"' in sentence
    )


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (
            named("pull", auths({"h.example:5000": entry()}), {"openshift.io/image.excludeSecret": "true"}),
            "the secret is kept from imports by the annotation openshift.io/image.excludeSecret=true",
        ),
        (
            named("pull", content_of({"auths": {"h.example:5000": entry()}}, "kubernetes.io/podmanconfigjson")),
            "the secret is of the type kubernetes.io/podmanconfigjson, which imports do not read",
        ),
        (
            named("pull", content_of({"auths": {"h.example:5000": entry()}}, "Opaque")),
            "the secret is of the type Opaque, which imports do not read",
        ),
    ],
)
def test_secrets_that_would_match_and_are_not_used_are_named(secret: dict[str, t.Any], why: str) -> None:
    assert f'(the key "h.example:5000" of the secret "pull" would, but {why})' in explain_credentials([secret], IMAGE)


def test_dockercfg_counts_too() -> None:
    secret = named("old", content_of({"h.example:5000": entry("old")}, "kubernetes.io/dockercfg"))
    assert 'the key "h.example:5000" of the secret "old" (user "old")' in explain_credentials([secret], IMAGE)


def test_without_rights_it_says_so() -> None:
    assert explain_without_rights("shop", IMAGE) == (
        "Which credential the API server uses for h.example:5000/team/web:v2 cannot be said here, because you may not "
        "list the secrets of the "
        'namespace "shop"; a secret there with the key "h.example:5000" would match.'
    )


def test_what_is_no_image_cannot_be_explained() -> None:
    with pytest.raises(InputError):
        explain_credentials([], "not an image")


@given(st.text(), st.sampled_from(["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"]))
def test_any_content_of_a_secret_can_be_explained(text: str, secret_type: str) -> None:
    assert explain_credentials([named("pull", content_of(text, secret_type))], IMAGE)


@pytest.mark.parametrize(
    "secret", [named("tls", {"type": "kubernetes.io/tls", "data": {"tls.key": b64("key")}}), named("none", {})]
)
def test_secrets_of_another_purpose_are_not_read(secret: dict[str, t.Any]) -> None:
    assert read_secret_object(secret) is None


def test_an_empty_registry_secret_is_one_without_registries() -> None:
    read = read_secret_object(named("empty", {"type": "kubernetes.io/dockercfg", "data": {}}))
    assert read is not None
    assert read.document is not None
    assert read.document.auths == {}


def test_every_form_of_the_credentials_is_known_for_masking() -> None:
    secret = named(
        "pull",
        auths({"h.example": entry("puller", "s3cret"), "i.example": {"identitytoken": "t0ken", "auth": "broken"}}),
    )
    texts = secret_texts([secret])
    assert {"s3cret", b64("puller:s3cret"), "t0ken", "broken", secret["data"][".dockerconfigjson"]} <= set(texts)
    assert "puller" not in texts
    assert "s3cret" not in repr(read_secret_object(secret))


def hidden(own: dict[str, t.Any], *others: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    document = own["metadata"]["name"]
    secrets = registry_secrets([own, *others])
    found = next(secret for secret in secrets if secret.name == document)
    assert found.document is not None
    return {
        key: (hider.secret, hider.rule)
        for key, hider in hidden_keys(document, list(found.document.auths), secrets).items()
    }


def test_an_entry_is_hidden_by_another_credential_in_an_earlier_secret() -> None:
    own = named("m", auths({"https://h.example/v1/": entry("u", "new"), "i.example": entry()}))
    assert hidden(own, named("a", auths({"h.example": entry("u", "old")}))) == {"https://h.example/v1/": ("a", "order")}


@pytest.mark.parametrize(
    "other",
    [
        named("z", auths({"h.example": entry("u", "old")})),
        named("a", auths({"h.example": entry("u", "new")})),
        named("a", auths({"h.example/team": entry("u", "old")})),
        named("a", auths({"h.example": entry("u", "old")}), {"openshift.io/image.excludeSecret": "true"}),
        named("a", content_of({"auths": {"h.example": entry("u", "old")}}, "Opaque")),
    ],
)
def test_an_entry_is_not_hidden_by_what_comes_later_is_the_same_or_is_not_used(other: dict[str, t.Any]) -> None:
    assert hidden(named("m", auths({"h.example": entry("u", "new")})), other) == {}


def test_docker_hubs_index_is_hidden_by_any_docker_io() -> None:
    own = named("a", auths({"https://index.docker.io/v1/": entry("u", "new")}))
    assert hidden(own, named("z", auths({"docker.io": entry("u", "old")}))) == {
        "https://index.docker.io/v1/": ("z", "fallback")
    }


def test_an_excluded_secret_hides_nothing_and_is_not_hidden() -> None:
    own = named("m", auths({"h.example": entry("u", "new")}), {"openshift.io/image.excludeSecret": "true"})
    assert hidden(own, named("a", auths({"h.example": entry("u", "old")}))) == {}


def test_docker_hubs_index_is_hidden_by_a_docker_io_of_its_own_secret() -> None:
    own = named("a", auths({"docker.io": entry("u", "old"), "https://index.docker.io/v1/": entry("u", "new")}))
    assert hidden(own) == {"https://index.docker.io/v1/": ("a", "fallback")}
    assert hidden(named("a", auths({"docker.io": entry(), "https://index.docker.io/v1/": entry()}))) == {}
    assert (
        hidden(named("a", auths({"docker.io/team": entry("u", "old"), "https://index.docker.io/v1/": entry()}))) == {}
    )


def test_two_spellings_of_one_registry_in_one_secret_are_told() -> None:
    own = named("a", auths({"h.example": entry("u", "one"), "https://h.example/v1/": entry("u", "two")}))
    assert hidden(own) == {"h.example": ("a", "chance"), "https://h.example/v1/": ("a", "chance")}
    assert hidden(named("a", auths({"h.example": entry(), "https://h.example": entry()}))) == {}


@pytest.mark.parametrize(
    ("hider", "words"),
    [
        (
            Hider("b", "h", "order"),
            (
                'the secret "b" has another credential for it and comes first, because secrets are tried in the order '
                "of their names"
            ),
        ),
        (
            Hider("a", "docker.io", "fallback"),
            'the same secret has the key "docker.io", and index.docker.io is used only if no other key matches',
        ),
        (
            Hider("b", "docker.io", "fallback"),
            'the secret "b" has the key "docker.io", and index.docker.io is used only if no other key matches',
        ),
        (
            Hider("a", "https://h/v1/", "chance"),
            (
                'the same secret has another credential under "https://h/v1/", which is the same registry, and chance '
                "decides which one is used"
            ),
        ),
    ],
)
def test_why_an_entry_is_never_used(hider: Hider, words: str) -> None:
    assert hider.because("a") == words


def test_no_sentence_shows_the_user_information_of_a_key() -> None:
    key = "https://someone:s3cret@h.example:5000"
    secrets = [named("pull", auths({key: entry()}))]
    assert 'the key "https://********@h.example:5000" of the secret "pull"' in explain_credentials(secrets, IMAGE)
    assert {"s3cret", "someone:s3cret"} <= set(secret_texts(secrets))
    broken = read_secret_object(named("pull", auths({key: {"auth": "@@@"}})))
    assert broken is not None
    assert "s3cret" not in broken.breaks_imports
