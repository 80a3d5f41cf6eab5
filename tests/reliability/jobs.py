# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One job for each module that writes: what is there before, what it is asked for, and what must be there in the end.

Beside what a job converges there is always something that others put there, which it has to keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .place import MANAGED, Json, Place

FOREIGN = {"foreign.example": ("other", "theirs")}
OURS = {"a.example": "puller:ours", "b.example": "puller:ours"}


@dataclass(frozen=True)
class Job:
    """``method`` and ``path`` (a regular expression) are those of its write, ``what`` is how sentences call that,
    ``first`` its first request; ``told`` is the module's message with the sentence in the place of {}, if it is
    more than the sentence."""

    module: str
    prepare: Callable[[Place], None]
    options: Callable[[Place], Json]
    done: Callable[[Place], bool]
    kept: Callable[[Place], bool]
    method: str
    path: str
    what: str
    first: str = ""
    told: str = "{{}}"

    def sentence(self, place: Place, what: str, text: str) -> str:
        """Return the module's message where it says that it cannot do ``what``."""
        namespace = place.namespaces[0]
        return self.told.format(namespace=namespace).format(f"Cannot {what.format(namespace=namespace)}: {text}.")

    @property
    def name(self) -> str:
        """The module."""
        return self.module

    def is_done(self, place: Place) -> bool:
        """Whether everything is there that the job declares, and everything that was there before."""
        return self.done(place) and self.kept(place)


def _prepare_streams(place: Place) -> None:
    place.import_tags(place.namespaces[0], "web", "old")


def _import_options(place: Place) -> Json:
    tags = [{"name": tag, "from": place.image(tag)} for tag in ("v1", "v2")]
    return {"namespace": place.namespaces[0], "name": "web", "tags": tags, "refresh": "missing", "timeout": 1}


def _imported(place: Place) -> bool:
    digests = place.digests(place.namespaces[0], "web")
    return all(len(digests.get(tag, [])) == 1 for tag in ("v1", "v2"))


def _old_tag_is_there(place: Place) -> bool:
    return len(place.digests(place.namespaces[0], "web").get("old", [])) == 1


def _tag_options(place: Place) -> Json:
    return {
        "namespace": place.namespaces[0],
        "name": "web:stable",
        "from_kind": "ImageStreamTag",
        "from": "web:old",
        "alias": True,
    }


def _tagged(place: Place) -> bool:
    tags = {tag["name"]: tag for tag in place.streams(place.namespaces[0])["web"]["spec"]["tags"]}
    return "stable" in tags and tags["stable"]["from"] == {"kind": "ImageStreamTag", "name": "old"}


def _prepare_secret(place: Place) -> None:
    place.put_secret(place.namespaces[0], "pull", FOREIGN)


def _prepare_opaque_secret(place: Place) -> None:
    place.put_secret(place.namespaces[0], "pull", FOREIGN, kind="Opaque")


def _secret_options(place: Place) -> Json:
    registries = [{"registry": host, "username": "puller", "password": "ours"} for host in OURS]
    return {"namespace": place.namespaces[0], "name": "pull", "registries": registries}


def _secret_is_there(place: Place) -> bool:
    return (
        "pull" in place.secret_names(place.namespaces[0]) and OURS.items() <= place.logins(place.namespaces[0]).items()
    )


def _foreign_login_is_there(place: Place) -> bool:
    return place.logins(place.namespaces[0]).get("foreign.example") == "other:theirs"


def _nothing_of_the_secret_is_lost(place: Place) -> bool:
    names = place.secret_names(place.namespaces[0])
    return _foreign_login_is_there(place) if "pull" in names else "pull.former" in names


def _recreated(place: Place) -> bool:
    return _secret_is_there(place) and "pull.former" not in place.secret_names(place.namespaces[0])


def _prepare_accounts(place: Place) -> None:
    place.put_account(place.namespaces[0], "builder", "theirs")


def _link_options(place: Place) -> Json:
    return {
        "namespace": place.namespaces[0],
        "service_account": "builder",
        "secrets": ["registry"],
        "for": ["pull", "mount"],
    }


def _linked(place: Place) -> bool:
    return all(
        place.links(place.namespaces[0], "builder", name).count("registry") == 1
        for name in ("imagePullSecrets", "secrets")
    )


def _other_links_are_there(place: Place) -> bool:
    return all(
        place.links(place.namespaces[0], "builder", name)[:2] == [MANAGED, "theirs"]
        for name in ("imagePullSecrets", "secrets")
    )


def _prepare_samples(place: Place) -> None:
    place.put_samples()


def _samples_options(_place: Place) -> Json:
    return {"samples_registry": "mirror.example", "wait": False}


def _samples_are_configured(place: Place) -> bool:
    return place.samples().get("samplesRegistry") == "mirror.example"


def _other_samples_field_is_there(place: Place) -> bool:
    return place.samples().get("skippedTemplates") == ["kept"]


IMPORT = Job(
    "image_stream_import",
    _prepare_streams,
    _import_options,
    _imported,
    _old_tag_is_there,
    "POST",
    "/imagestreamimports",
    'create image stream import "web" in namespace "{namespace}"',
    'read image stream "web" in namespace "{namespace}"',
    "2 of 2 tags could not be imported:\n- {namespace}/web: {{}} (not imported: v1, v2)",
)
TAG = Job(
    "image_stream_tag",
    _prepare_streams,
    _tag_options,
    _tagged,
    _old_tag_is_there,
    "PATCH",
    "/imagestreams/web",
    'change image stream "web" in namespace "{namespace}"',
    'read image stream "web" in namespace "{namespace}"',
)
SECRET = Job(
    "pull_secret",
    _prepare_secret,
    _secret_options,
    _secret_is_there,
    _foreign_login_is_there,
    "PUT",
    "/secrets/pull",
    'update secret "pull" in namespace "{namespace}"',
    'read secret "pull" in namespace "{namespace}"',
)
LINK = Job(
    "sa_secret_link",
    _prepare_accounts,
    _link_options,
    _linked,
    _other_links_are_there,
    "PUT",
    "/serviceaccounts/builder",
    'update service account "builder" in namespace "{namespace}"',
    'read service account "builder" in namespace "{namespace}"',
)
SAMPLES = Job(
    "samples_operator",
    _prepare_samples,
    _samples_options,
    _samples_are_configured,
    _other_samples_field_is_there,
    "PATCH",
    "/configs/cluster",
    'change configuration "cluster"',
    'read configuration "cluster"',
)
JOBS = (IMPORT, TAG, SECRET, LINK, SAMPLES)
RECREATION = Job(
    "pull_secret",
    _prepare_opaque_secret,
    lambda place: {**_secret_options(place), "recreate": True},
    _recreated,
    _nothing_of_the_secret_is_lost,
    "POST",
    "/secrets$",
    'create secret "pull" in namespace "{namespace}"',
)


def _nothing(_place: Place) -> None:
    """There is nothing of it before."""


def _always(_place: Place) -> bool:
    return True


def _new_stream_options(place: Place) -> Json:
    tags = [{"name": tag, "from": place.image(tag), "prefer_architecture": "arm64"} for tag in ("v1", "v2")]
    return {"namespace": place.namespaces[0], "name": "web", "tags": tags, "refresh": "missing", "timeout": 1}


def _policy_options(place: Place) -> Json:
    tag = {"name": "old", "from": place.image("old"), "reference_policy": "Local", "scheduled": True}
    return {"namespace": place.namespaces[0], "name": "web", "tags": [tag], "refresh": "missing"}


def _policies_are_set(place: Place) -> bool:
    (tag,) = place.streams(place.namespaces[0])["web"]["spec"]["tags"]
    return (tag["referencePolicy"]["type"], tag["importPolicy"].get("scheduled")) == ("Local", True)


def _two_old_tags(place: Place) -> None:
    place.import_tags(place.namespaces[0], "web", "old", "v9")


def _purge_options(place: Place) -> Json:
    tags = [{"name": "old", "from": place.image("old")}]
    return {"namespace": place.namespaces[0], "name": "web", "tags": tags, "purge_tags": True, "refresh": "missing"}


def _purged(place: Place) -> bool:
    return "v9" not in place.digests(place.namespaces[0], "web")


def _no_stream(place: Place) -> bool:
    return "web" not in place.streams(place.namespaces[0])


def _no_secret(place: Place) -> bool:
    return place.secret_names(place.namespaces[0]) == {"registry"}


def _unlink_options(place: Place) -> Json:
    return {"namespace": place.namespaces[0], "service_account": "builder", "secrets": ["registry"], "state": "absent"}


def _linked_account(place: Place) -> None:
    place.put_account(place.namespaces[0], "builder", "theirs", "registry")


def _unlinked(place: Place) -> bool:
    return "registry" not in place.links(place.namespaces[0], "builder")


OTHER_WRITES = {
    "create a stream": Job(
        "image_stream_import", _nothing, _new_stream_options, _imported, _always, "POST", "/imagestreams$", ""
    ),
    "change policies": Job(
        "image_stream_import",
        _prepare_streams,
        _policy_options,
        _policies_are_set,
        _old_tag_is_there,
        "PATCH",
        "/imagestreams/web",
        "",
    ),
    "remove a tag": Job(
        "image_stream_import",
        _two_old_tags,
        _purge_options,
        _purged,
        _old_tag_is_there,
        "DELETE",
        "/imagestreamtags/",
        "",
    ),
    "delete a stream": Job(
        "image_stream_import",
        _prepare_streams,
        lambda place: {"namespace": place.namespaces[0], "name": "web", "state": "absent"},
        _no_stream,
        _always,
        "DELETE",
        "/imagestreams/web",
        "",
    ),
    "delete a tag": Job(
        "image_stream_tag",
        _two_old_tags,
        lambda place: {"namespace": place.namespaces[0], "name": "web:v9", "state": "absent"},
        _purged,
        _old_tag_is_there,
        "DELETE",
        "/imagestreamtags/",
        "",
    ),
    "create a secret": Job(
        "pull_secret", _nothing, _secret_options, _secret_is_there, _always, "POST", "/secrets$", ""
    ),
    "delete a secret": Job(
        "pull_secret",
        _prepare_secret,
        lambda place: {"namespace": place.namespaces[0], "name": "pull", "state": "absent"},
        _no_secret,
        _always,
        "DELETE",
        "/secrets/pull",
        "",
    ),
    "create a secret anew": RECREATION,
    "unlink": Job(
        "sa_secret_link",
        _linked_account,
        _unlink_options,
        _unlinked,
        _other_links_are_there,
        "PUT",
        "/serviceaccounts/builder",
        "",
    ),
}
