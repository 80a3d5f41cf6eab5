# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is wrong, the person at the screen reads one sentence that says what, and what to do about it."""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

from integration.cluster import Cluster
from integration.stage import NewStage
from integration.surroundings import Surroundings

SHORT_DIGEST = "sha256:" + 63 * "0"
SOURCE = "registry.example.com/team/web"
TAGS = [{"name": "v1", "from": f"{SOURCE}:v1"}]
STREAMS: dict[str, tuple[dict[str, t.Any], str]] = {
    "unknown import mode": (
        {"name": "web", "tags": TAGS, "import_mode": "preserve"},
        'stream shop/web: import_mode "preserve" is unknown: valid ImportMode values are Legacy or PreserveOriginal',
    ),
    "unknown reference policy": (
        {"name": "web", "tags": TAGS, "reference_policy": "local"},
        (
            'stream shop/web: reference_policy "local" is unknown: valid reference policy values are Source or Local '
            "- did you mean Local? Upper and lower case count"
        ),
    ),
    "malformed pull spec": (
        {"name": "web", "tags": [{"name": "v1", "from": "registry.example.com/Team/web:v1"}]},
        (
            'stream shop/web, tag v1: "registry.example.com/Team/web:v1" is not a pull spec: "Team/web" is not a '
            "repository name (lower case, digits, and . _ - / between them)"
        ),
    ),
    "unaddressable tag name": (
        {"name": "web", "tags": [{"name": "v1/amd64", "from": f"{SOURCE}:v1"}]},
        (
            'stream shop/web, tag v1/amd64: "v1/amd64" is not a tag name that the API can address: '
            "use letters, digits, _ . - (at most 128, not beginning with . or -)"
        ),
    ),
    "two tags of one name": (
        {"name": "web", "tags": [*TAGS, *TAGS]},
        "stream shop/web: tag v1 is listed twice: a tag of a stream has one source",
    ),
    "repository with a tag": (
        {"name": "web", "repository": f"{SOURCE}:v1"},
        f'stream shop/web: repository "{SOURCE}:v1" carries a tag or digest: give the repository alone, or use tags',
    ),
    "tags and repository": (
        {"name": "web", "tags": TAGS, "repository": SOURCE},
        "stream shop/web: give either tags or repository, not both",
    ),
    "no streams": ({"streams": []}, "streams is empty: list at least one image stream, or leave the task out"),
    "no digest": (
        {"name": "web", "tags": [{"name": "v1", "from": f"{SOURCE}@{SHORT_DIGEST}"}]},
        (
            f'stream shop/web, tag v1: "{SOURCE}@{SHORT_DIGEST}" is not a pull spec: "{SHORT_DIGEST}" is not a digest '
            "(sha256: and 64 hexadecimal digits in lower case)"
        ),
    ),
}
AUTH_FILES: dict[str, tuple[str | None, str]] = {
    "missing": (
        None,
        (
            "{path} does not exist on the host where the module runs; give the path of a Docker config.json or a "
            "Podman auth.json there"
        ),
    ),
    "text": (
        "hello",
        (
            "{path} is not JSON (line 1, column 1); a Docker config.json or a Podman auth.json is expected, "
            'as "docker login" or "podman login --authfile" writes it'
        ),
    ),
    "empty": (
        '{"credsStore": ""}',
        (
            '{path} has no "auths": it is not a Docker config.json or a Podman auth.json that "docker login" or '
            '"podman login --authfile" has written'
        ),
    ),
    "helpers": (
        '{"auths": {"registry.example.com": {}}, "credsStore": "desktop"}',
        (
            '{path} holds no credential: they are kept by the credential helper "desktop" (credsStore), which a '
            "cluster cannot ask; "
            'log in once more into a file of its own ("podman login --authfile FILE REGISTRY") and give that file, '
            "or give username and password in registries"
        ),
    ),
    "unusable": (
        '{"auths": {"registry.example.com": {"auth": "bm8tY29sb24="}}}',
        (
            '{path}: the entry of "registry.example.com" cannot be used: its auth is base64, but not of user:password: '
            "there is no colon in it; "
            "it would break every image import of the namespace, so log in to that registry again, or leave it out "
            'with "only"'
        ),
    ),
}


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_streams_that_cannot_be_meant(new_stage: NewStage) -> None:
    given = {name: options for name, (options, _sentence) in STREAMS.items()}

    run = new_stage("streams.yml", variables={"bad_inputs": given}).run_to_fail()

    assert run.messages() == {f"Each is refused ({name})": sentence for name, (_options, sentence) in STREAMS.items()}


def test_auth_files_that_cannot_be_used(new_stage: NewStage, tmp_path: Path) -> None:
    for name, (content, _sentence) in AUTH_FILES.items():
        if content is not None:
            (tmp_path / f"{name}.json").write_text(content)

    run = new_stage(
        "auth_files.yml", variables={"bad_inputs": list(AUTH_FILES), "auth_files": str(tmp_path)}
    ).run_to_fail()

    assert run.messages() == {
        f"Each is refused ({name})": "auth_file: " + sentence.format(path=tmp_path / f"{name}.json")
        for name, (_content, sentence) in AUTH_FILES.items()
    }


def test_api_that_is_not_there(new_stage: NewStage) -> None:
    host = f"https://127.0.0.1:{unused_port()}"
    stage = new_stage("every_module.yml", variables={"target_namespace": "shop", "image": f"{SOURCE}:v1"})
    stage.playbooks = stage.playbooks.with_environment({"K8S_AUTH_HOST": host, "K8S_AUTH_API_KEY": "a-token"})

    refused = (
        f"the API server {host} refused the connection; check the environment variable K8S_AUTH_HOST and its port, and "
        "that it runs (tried 4 times)."
    )
    assert stage.run_to_fail().messages() == {
        "Secret": f'Cannot read secret "registries" in namespace "shop": {refused}',
        "Link": f'Cannot read service account "default" in namespace "shop": {refused}',
        "Stream": f'Cannot read image stream "web" in namespace "shop": {refused}',
    }


def test_token_that_is_wrong(cluster: Cluster, namespace: str, new_stage: NewStage) -> None:
    stage = new_stage("every_module.yml", variables={"target_namespace": namespace, "image": f"{SOURCE}:v1"})
    environment = {
        "K8S_AUTH_HOST": cluster.host,
        "K8S_AUTH_API_KEY": "not-a-token",
        "K8S_AUTH_SSL_CA_CERT": cluster.ca_file,
    }
    stage.playbooks = stage.playbooks.with_environment(environment)

    refused = (
        f'in namespace "{namespace}": the API server {cluster.host} answered 401 Unauthorized: Unauthorized; the '
        "bearer token of the environment variable K8S_AUTH_API_KEY is wrong or has expired: log in again and pass the "
        "new one (oc whoami --show-token)."
    )
    assert stage.run_to_fail().messages() == {
        "Secret": f'Cannot read secret "registries" {refused}',
        "Link": f'Cannot read service account "default" {refused}',
        "Stream": f'Cannot read image stream "web" {refused}',
    }


def test_rights_that_are_missing(given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage) -> None:
    given.push("plain", "tools", "v3")
    viewer = cluster.create_user(namespace, "viewer", "view")
    stage = new_stage(
        "every_module.yml", variables={"target_namespace": namespace, "image": given.image("plain", "tools", "v3")}
    )
    stage.playbooks = stage.playbooks.with_environment(viewer.variables())

    assert stage.run_to_fail().messages() == {
        "Secret": 'Cannot read secret "registries" '
        f"{forbidden(cluster, namespace, 'get', 'secrets', '', name='registries')}",
        "Link": 'Cannot update service account "default" '
        f"{forbidden(cluster, namespace, 'update', 'serviceaccounts', '', name='default')}",
        "Stream": (
            f"1 of 1 tag could not be imported:\n- {namespace}/web: "
            'Cannot create image stream import "web" '
            f"{forbidden(cluster, namespace, 'create', 'imagestreamimports', 'image.openshift.io')} (not imported: v1)"
        ),
    }


def forbidden(cluster: Cluster, namespace: str, verb: str, plural: str, group: str, *, name: str = "") -> str:
    """Return the server's words for a missing right, and what to do."""
    resource = f"{plural}.{group}" if group else plural
    subject = f'{resource} "{name}"' if name else resource
    return (
        f'in namespace "{namespace}": the API server {cluster.host} answered 403 Forbidden: {subject} is forbidden: '
        f'User "system:serviceaccount:{namespace}:viewer" cannot {verb} resource "{plural}" in API group "{group}" in '
        "the namespace "
        f'"{namespace}"; ask for a role with the right to {verb} {resource} in namespace "{namespace}", or check that '
        "it exists."
    )


def test_namespace_that_does_not_exist(given: Surroundings, cluster: Cluster, new_stage: NewStage) -> None:
    given.push("plain", "tools", "v3")
    nowhere = f"quayside-none-{given.run}"
    stage = new_stage(
        "every_module.yml", variables={"target_namespace": nowhere, "image": given.image("plain", "tools", "v3")}
    )

    assert stage.run_to_fail().messages() == {
        "Secret": f'The namespace "{nowhere}" does not exist, so the secret "registries" cannot be created there; '
        "create the namespace first",
        "Link": (
            f'The namespace "{nowhere}" does not exist, so its service account "default" cannot be linked to anything; '
            "create the namespace first"
        ),
        "Stream": (
            f'1 of 1 tag could not be imported:\n- {nowhere}/web: Cannot create image stream import "web" in '
            f'namespace "{nowhere}": the API server {cluster.host} answered 404 NotFound: namespaces "{nowhere}" not '
            f'found; create the namespace "{nowhere}" first, or correct its name. (not imported: v1)'
        ),
    }


def test_registries_that_do_not_give_the_image(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    given.push("private", "web", "v1")
    given.push("plain", "tools", "v3")
    given.push("selfsigned", "legacy", "v1")
    nobody = f"127.0.0.1:{unused_port()}"
    absent = given.image("plain", "tools", "v3").replace(":v3", ":no-such-tag")
    images = {
        "unreachable": f"{nobody}/team/web:v1",
        "untrusted": given.image("selfsigned", "legacy", "v1"),
        "http": given.image("plain", "tools", "v3"),
        "unauthorized": given.image("private", "web", "v1"),
    }
    stage = new_stage(
        "registries.yml", namespace, variables={"target_namespace": namespace, "images": images, "absent_image": absent}
    )

    (message,) = stage.run_to_fail().messages().values()

    head, *tags = message.split("\n- ")
    assert head == "5 of 5 tags could not be imported:"
    assert dict(zip([*images, "absent"], tags, strict=True)) == {
        "unreachable": unanswered(
            namespace,
            "unreachable",
            images["unreachable"],
            f"dial tcp {nobody}: connect: connection refused",
            "Nothing answers there: check host and port, and that the API server can reach the registry.",
        ),
        "untrusted": unanswered(
            namespace,
            "untrusted",
            images["untrusted"],
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "The cluster does not trust the registry's certificate: add its CA to spec.additionalTrustedCA of "
            "image.config.openshift.io/cluster, or set insecure to true for this tag.",
        ),
        "http": unanswered(
            namespace,
            "http",
            images["http"],
            "http: server gave HTTP response to HTTPS client",
            "The registry speaks plain HTTP: set insecure to true for this tag, or serve the registry over TLS.",
        ),
        "unauthorized": (
            f"{namespace}/web:unauthorized from {images['unauthorized']}\n    Unauthorized: you may not have access to "
            "the container image "
            f'"{images["unauthorized"]}"\n    -> {no_match(cluster, namespace, images["unauthorized"])}. Add a '
            "credential with the key "
            f'"{given.registries["private"].host}" to a pull secret of the namespace, or to the cluster\'s global pull '
            "secret."
        ),
        "absent": (
            f'{namespace}/web:absent from {absent}\n    NotFound: dockerimage.image.openshift.io "{absent}" not '
            "found\n    -> The registry has no such tag, digest or repository: check the pull spec."
        ),
    }


def no_match(cluster: Cluster, namespace: str, image: str) -> str:
    """Why no credential is used: controllers may have given the service accounts secrets of the internal registry."""
    kinds = {secret.get("type") for secret in cluster.call("GET", cluster.path("secrets", namespace))["items"]}
    if kinds & {"kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson"}:
        return f"No key in the registry secrets of the namespace matches {image}"
    return "The namespace has no registry secret that imports use"


def unanswered(namespace: str, tag: str, image: str, problem: str, remedy: str) -> str:
    """Return the lines for a registry that the API server could not ask."""
    registry = image.partition("/")[0]
    return (
        f"{namespace}/web:{tag} from {image}\n    InternalError: Internal error occurred: {image}: Get "
        f'"https://{registry}/v2/": {problem}\n    -> {remedy}'
    )
