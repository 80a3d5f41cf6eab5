# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request is about, in the words of access rules and of people. Imported only where something has to be said about one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

_WORDS = {
    "imagestreams": "image stream",
    "imagestreamtags": "image stream tag",
    "imagestreamimages": "image stream image",
    "imagestreamimports": "image stream import",
    "imagetags": "image tag",
    "images": "image",
    "secrets": "secret",
    "serviceaccounts": "service account",
    "namespaces": "namespace",
    "configmaps": "config map",
    "pods": "pod",
    "replicationcontrollers": "replication controller",
    "deployments": "deployment",
    "replicasets": "replica set",
    "daemonsets": "daemon set",
    "statefulsets": "stateful set",
    "jobs": "job",
    "cronjobs": "cron job",
    "deploymentconfigs": "deployment config",
    "builds": "build",
    "buildconfigs": "build config",
    "projects": "project",
    "configs": "configuration",
}
_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ACTIONS = {"get": "read", "list": "list", "create": "create", "update": "update", "patch": "change", "delete": "delete"}


class Target(NamedTuple):
    """What a request is about: the parts of its path, the right it needs, and words for it."""

    method: str
    group: str
    plural: str
    namespace: str | None
    name: str | None

    @property
    def verb(self) -> str:
        """The verb of access rules."""
        verb = _VERBS.get(self.method, self.method.lower())
        return "list" if verb == "get" and self.name is None and self.plural else verb

    @property
    def resource(self) -> str:
        """The resource as access rules and ``oc`` write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def described(self) -> str:
        """Verb and object for a sentence: ``read image stream "web" in namespace "shop"``."""
        action = _ACTIONS.get(self.verb, self.verb)
        word = _WORDS.get(self.plural, self.plural)
        if self.name is not None:
            subject = f'{word} "{self.name}"'.lstrip()
        elif self.verb == "list":
            subject = f"{word}s"
        else:
            subject = f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"
        return f"{action} {subject}" + (f' in namespace "{self.namespace}"' if self.namespace else "")


def target_of(method: str, path: str) -> Target:
    """Read a request's path. A path of another shape is described by itself."""
    parts = [unquote(part) for part in path.split("?")[0].strip("/").split("/")]
    if parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 2:
        group, rest = parts[1], parts[3:]
    else:
        return Target(method, "", "", None, path)
    namespace = None
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return Target(method, group, "", None, path)
    plural = "/".join([rest[0], *rest[2:]])
    return Target(method, group, plural, namespace, rest[1] if len(rest) > 1 else None)
