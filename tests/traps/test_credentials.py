# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential an import uses, and how the failure says so."""

from __future__ import annotations

import base64
import typing as t

import pytest

from traps.scene import Scene


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "from": source, **options}


def test_wrong_password_beside_a_good_image_fails_both(scene: Scene) -> None:
    """A wrong password in Docker Hub's words repeats the request without secrets: good images beside it succeed
    without an image (2.8, hub_second_pass).

    Success means status and image; an image that failed beside others is tried once more alone.
    """
    scene.secret("hub", {scene.hosts["hub"]: {"username": "hub", "password": "bad"}})
    result = scene.converge(tags=[tag("bad", f"{scene.hosts['hub']}/private/plain:v2"), tag("good", f"{scene.web}:v2")])
    assert list(result.done.failed) == ["bad"]
    assert 'the key "' in result.done.failed["bad"]["remedy"]
    assert result.done.imported == ["bad", "good", "bad", "good"]
    assert scene.digest("good")
    assert "conditions" not in next(item for item in scene.stream()["status"]["tags"] if item["tag"] == "good")


def test_wrong_password_for_a_public_image_succeeds_without_it(scene: Scene) -> None:
    """A wrong password for a public image is not noticed: the second pass without secrets succeeds (2.8,
    hub_second_pass).

    The image is imported; nothing is made up about the credential.
    """
    scene.secret("hub", {scene.hosts["hub"]: {"username": "hub", "password": "bad"}})
    result = scene.converge(tags=[tag("public", f"{scene.hosts['hub']}/public/plain:v2")])
    assert result.done.report.failure is None


def test_secret_needs_no_link_for_imports(scene: Scene) -> None:
    """Imports use every registry secret of the namespace, linked to a service account or not (2.8).

    The failure of an import speaks of secrets and keys, never of links.
    """
    result = scene.converge(tags=[tag("v1", f"{scene.web}:v1")])
    assert result.done.report.failure is None
    accounts = scene.api.send("GET", scene.api.core("serviceaccounts")).json()["items"]
    assert "pull" not in [
        reference["name"] for account in accounts for reference in account.get("imagePullSecrets") or ()
    ]


def test_no_credential_says_which_key_would_match(bare_scene: Scene) -> None:
    """Without a credential the server only says that one may not have access (2.5, 2.8, import_unauthorized).

    The failed tag says that no key matches and which one would.
    """
    result = bare_scene.converge(tags=[tag("v1", f"{bare_scene.web}:v1")])
    assert result.done.failed["v1"]["remedy"] == (
        "The namespace has no registry secret that imports use. Add a credential with the key "
        f'"{bare_scene.hosts["private"]}" to a pull secret of the namespace, or to the cluster\'s global pull secret.'
    )


def test_longer_key_hides_the_good_one(scene: Scene) -> None:
    """Only the first matching credential is used: the longest key, then the first secret by name (2.8,
    secret_shadowing).

    The failed tag names the key and secret that were used.
    """
    scene.secret("other", {f"{scene.hosts['private']}/team": {"username": "puller", "password": "wrong-one"}})
    result = scene.converge(tags=[tag("v1", f"{scene.web}:v1")])
    remedy = result.done.failed["v1"]["remedy"]
    assert f'uses the key "{scene.hosts["private"]}/team" of the secret "other"' in remedy
    assert "wrong-one" not in remedy


def test_empty_entry_hides_the_good_one(scene: Scene) -> None:
    """An empty entry matches, gives no credential, and hides a good one (2.8, secret_shadowing).

    The failed tag says that the entry is empty and what it hides.
    """
    scene.secret("a-first", {scene.hosts["private"]: {}})
    result = scene.converge(tags=[tag("v1", f"{scene.web}:v1")])
    assert 'it hides the secret "pull"' in result.done.failed["v1"]["remedy"]


def test_malformed_secret_breaks_every_import_of_the_namespace(scene: Scene) -> None:
    """One secret with an auth that is not base64 of user:password fails every import of the namespace (2.8,
    secret_malformed_breaks_namespace).

    The failed tag names the secret to repair.
    """
    scene.secret("broken", {"other.example.com": {"auth": base64.b64encode(b"nocolon").decode()}})
    result = scene.converge(tags=[tag("v1", f"{scene.web}:v1")])
    assert 'fails because of the secret "broken"' in result.done.failed["v1"]["remedy"]


def test_key_with_another_port_does_not_match(bare_scene: Scene) -> None:
    """Keys are compared as text with the image: another port, or none, does not match, whatever older notes say of
    :80 (2.8, secret_keys).

    The failed tag names the key that nearly matches, and the one that would.
    """
    scene = bare_scene
    host = scene.hosts["private"].rpartition(":")[0]
    scene.secret("pull", {f"{host}:80": scene.good_credential()})
    remedy = scene.converge(tags=[tag("v1", f"{scene.web}:v1")]).done.failed["v1"]["remedy"]
    assert f'the key "{host}:80" of the secret "pull"' in remedy
    assert remedy.endswith(
        f'. Add a credential with the key "{scene.hosts["private"]}" to a pull secret of the namespace, or to the '
        "cluster's global pull secret."
    )


@pytest.mark.parametrize("key", ["{host}/te", "https://{host}/v1/", "{host}"])
def test_key_is_a_prefix_of_the_image(bare_scene: Scene, key: str) -> None:
    """The path of a key is a prefix of the text, so that host/te matches host/team, and a scheme and /v1/ do not
    count (2.8, secret_keys).

    Nothing is refused that the server accepts.
    """
    bare_scene.secret("pull", {key.format(host=bare_scene.hosts["private"]): bare_scene.good_credential()})
    assert bare_scene.converge(tags=[tag("v1", f"{bare_scene.web}:v1")]).done.report.failure is None


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ({"kind": "kubernetes.io/podmanconfigjson", "key": "auth.json"}, "kubernetes.io/podmanconfigjson"),
        ({"kind": "Opaque"}, "Opaque"),
        ({"annotations": {"openshift.io/image.excludeSecret": "true"}}, "openshift.io/image.excludeSecret=true"),
    ],
)
def test_some_secrets_are_not_read_by_imports(bare_scene: Scene, secret: dict[str, t.Any], words: str) -> None:
    """The API accepts secrets of types that no import reads, and an annotation keeps others from imports (2.8,
    secret_types_for_import).

    The failed tag names the secret that would match, and why it does not count.
    """
    bare_scene.secret("pull", {bare_scene.hosts["private"]: bare_scene.good_credential()}, **secret)
    remedy = bare_scene.converge(tags=[tag("v1", f"{bare_scene.web}:v1")]).done.failed["v1"]["remedy"]
    assert "imports use" in remedy
    assert words in remedy


def test_import_needs_no_right_to_read_secrets(scene: Scene) -> None:
    """The right to create imports is enough to look up and to import; neither secrets nor images have to be readable
    (2.1, access_import_only).

    A namespace whose streams may not be read is an error of its streams; without the right to read secrets a refused
    credential is explained as far as possible.
    """
    rules = [
        {"apiGroups": ["image.openshift.io"], "resources": ["imagestreamimports"], "verbs": ["create"]},
        {"apiGroups": ["image.openshift.io"], "resources": ["imagestreams"], "verbs": ["get"]},
    ]
    scene.api.send(
        "POST", scene.api.rbac("roles"), {"metadata": {"name": "importer"}, "rules": rules}
    ).raise_for_status()
    user = f"importer-of-{scene.namespace}"
    binding = {
        "metadata": {"name": "importer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "importer"},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
    }
    scene.api.send("POST", scene.api.rbac("rolebindings"), binding).raise_for_status()
    client = scene.client(scene.control.token(user))
    assert scene.run(client=client, tags=[tag("v1", f"{scene.web}:v1")]).report.failure is None
    scene.secret("pull", {scene.hosts["private"]: {"username": "puller", "password": "wrong"}})
    refused = scene.run(client=client, refresh="always", tags=[tag("v1", f"{scene.web}:v1")])
    assert "you may not list the secrets of the namespace" in refused.failed["v1"]["remedy"]
    patched = scene.run(client=client, refresh="missing", tags=[tag("v1", f"{scene.web}:v1", reference_policy="Local")])
    assert patched.report.failure is not None
    assert "imagestreams.image.openshift.io" in patched.report.failure


def test_mirror_needs_a_credential_of_its_own(bare_scene: Scene) -> None:
    """An image with a mirror is asked for there first, with the mirror's own credential; that it was refused is told
    as an internal error (2.5, 2.7).

    The failed tag names the mirror and the key that would match it; once there is one, what the mirror has is
    imported under the name of the source.
    """
    scene = bare_scene
    mirrors = "/apis/config.openshift.io/v1/imagetagmirrorsets"
    rule = {"source": "registry.example.com/team", "mirrors": [f"{scene.hosts['private']}/team"]}
    scene.api.send(
        "POST", mirrors, {"metadata": {"name": "team"}, "spec": {"imageTagMirrors": [rule]}}
    ).raise_for_status()
    tags = [tag("v2", "registry.example.com/team/web:v2"), tag("nope", "registry.example.com/team/web:nope")]
    try:
        refused = scene.converge(tags=tags)
        scene.secret("pull", {scene.hosts["private"]: scene.good_credential()})
        repaired = scene.converge(tags=tags)
    finally:
        scene.api.send("DELETE", f"{mirrors}/team").raise_for_status()
    assert refused.done.failed["v2"]["reason"] == "InternalError"
    remedy = refused.done.failed["v2"]["remedy"]
    assert remedy.startswith(
        f"The cluster looks in the mirror {scene.web} first. The namespace has no registry secret that imports use"
    )
    assert remedy.endswith(
        f'. Add a credential with the key "{scene.hosts["private"]}" to a pull secret of the namespace, or to the '
        "cluster's global pull secret."
    )
    assert list(repaired.done.failed) == ["nope"]
    assert repaired.done.failed["nope"]["remedy"] == (
        f"The cluster looks in the mirror {scene.web} first, which does not have the image: mirror it, or check the "
        "pull spec."
    )
    assert scene.history("v2")[0]["dockerImageReference"] == f"registry.example.com/team/web@{scene.digest('v2')}"
