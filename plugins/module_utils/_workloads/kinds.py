# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of objects that use images, with where they are served and where their pod spec stands.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from typing import NamedTuple


class WorkloadKind(NamedTuple):
    """A kind that uses images. ``template`` leads to its pod spec, and is empty for builds, which have none."""

    kind: str
    group_version: str
    plural: str
    template: tuple[str, ...] = ("spec", "template", "spec")


# Those that the pruner looks at (server-behaviour.md 5).
WORKLOAD_KINDS: tuple[WorkloadKind, ...] = (
    WorkloadKind("Pod", "v1", "pods", ("spec",)),
    WorkloadKind("ReplicationController", "v1", "replicationcontrollers"),
    WorkloadKind("ReplicaSet", "apps/v1", "replicasets"),
    WorkloadKind("Deployment", "apps/v1", "deployments"),
    WorkloadKind("DaemonSet", "apps/v1", "daemonsets"),
    WorkloadKind("StatefulSet", "apps/v1", "statefulsets"),
    WorkloadKind("Job", "batch/v1", "jobs"),
    WorkloadKind("CronJob", "batch/v1", "cronjobs", ("spec", "jobTemplate", "spec", "template", "spec")),
    WorkloadKind("DeploymentConfig", "apps.openshift.io/v1", "deploymentconfigs"),
    WorkloadKind("BuildConfig", "build.openshift.io/v1", "buildconfigs", ()),
    WorkloadKind("Build", "build.openshift.io/v1", "builds", ()),
)
