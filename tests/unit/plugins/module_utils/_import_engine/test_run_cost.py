# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs over many streams cost: requests, and operations for each tag. No clock: a slow machine counts the same."""

from __future__ import annotations

import sys
import threading
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.large_cluster import (
    declared,
    large_cluster,
    run,
)


def calls_of(work: t.Callable[[], object]) -> int:
    """How many functions a piece of work calls, those of C included."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    # the threads that the work starts count too
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return count


class TestRequests:
    def test_200_new_streams_take_one_list_and_one_import_each(self) -> None:
        cluster = large_cluster()
        assert run(cluster, declared(200, 1))["summary"]["streams_changed"] == 200
        assert cluster.requests == {"LIST": 1, "import": 200}

    def test_a_stream_takes_an_import_for_every_three_of_its_new_tags(self) -> None:
        cluster = large_cluster()
        assert run(cluster, declared(10, 7))["summary"]["changed"] == 70
        assert cluster.requests == {"LIST": 1, "import": 30}

    def test_only_what_changed_is_imported(self) -> None:
        cluster = large_cluster(declared(50, 5)[:48])
        assert run(cluster, declared(50, 5, refresh="missing"))["summary"]["changed"] == 10
        assert cluster.requests == {"LIST": 1, "import": 4}

    def test_nothing_to_do_takes_a_list_for_each_namespace(self) -> None:
        streams = declared(1000, 5, namespaces=4, refresh="missing")
        cluster = large_cluster(streams)
        assert run(cluster, streams)["summary"]["changed"] == 0
        assert cluster.requests == {"LIST": 4}

    @pytest.mark.parametrize("check_mode", [False, True])
    def test_what_registries_serve_is_asked_once_for_each_image(self, check_mode: bool) -> None:
        streams = declared(1000, 5, images=300)
        cluster = large_cluster(streams)
        assert run(cluster, streams, check_mode=check_mode)["summary"]["changed"] == 0
        assert cluster.requests == {"LIST": 1, "lookup": 100}
        assert len(cluster.looked_up) == 300
        assert set(cluster.looked_up.values()) == {1}

    @pytest.mark.parametrize("check_mode", [False, True])
    def test_an_image_of_several_namespaces_is_asked_for_in_one_of_them(self, check_mode: bool) -> None:
        streams = declared(60, 5, namespaces=6, images=30)
        cluster = large_cluster(streams)
        assert run(cluster, streams, check_mode=check_mode)["summary"]["changed"] == 0
        assert len(cluster.looked_up) == 30
        assert set(cluster.looked_up.values()) == {1}

    def test_where_a_namespace_may_not_read_it_the_others_are_asked(self) -> None:
        streams = declared(6, 1, namespaces=3, images=1)
        cluster = large_cluster(streams, refused=["shop-0"])
        summary = run(cluster, streams)["summary"]
        assert (summary["changed"], summary["failed"]) == (0, 2)
        assert cluster.looked_up.total() == 3

    def test_what_moved_is_imported_in_every_namespace_after_one_look(self) -> None:
        streams = declared(6, 1, namespaces=3, images=1)
        cluster = large_cluster(streams, moved=True)
        assert run(cluster, streams)["summary"]["reasons"] == {"upstream_moved": 6}
        assert (cluster.looked_up.total(), cluster.requests["import"]) == (1, 6)

    def test_check_mode_finds_out_for_each_namespace_what_moved(self) -> None:
        streams = declared(6, 1, namespaces=3, images=1)
        cluster = large_cluster(streams, moved=True, refused=["shop-2"])
        summary = run(cluster, streams, check_mode=True)["summary"]
        assert (summary["changed"], summary["failed"]) == (4, 2)
        assert cluster.looked_up.total() == 3

    def test_lookups_are_side_by_side_up_to_the_concurrency(self) -> None:
        streams = declared(40, 3)
        cluster = large_cluster(streams, latency=0.005)
        run(cluster, streams, concurrency=4)
        assert cluster.at_once == 4

    def test_imports_are_side_by_side_up_to_the_concurrency(self) -> None:
        cluster = large_cluster(latency=0.005)
        run(cluster, declared(40, 3, refresh="missing"), concurrency=4)
        assert cluster.at_once == 4


class TestGrowth:
    """Ten times the tags are ten times the work, for whatever becomes of them."""

    @pytest.mark.parametrize("present", [True, False], ids=["nothing to do", "all new"])
    def test_with_the_number_of_streams(self, present: bool) -> None:
        def cost(streams: int) -> int:
            wanted = declared(streams, 5, refresh="missing")
            cluster = large_cluster(wanted if present else ())
            return calls_of(lambda: run(cluster, wanted, concurrency=1))

        assert cost(200) / cost(20) == pytest.approx(10, rel=0.1)

    @pytest.mark.parametrize("refresh", ["missing", "drifted"])
    def test_with_the_number_of_tags_of_one_stream(self, refresh: str) -> None:
        def cost(tags: int) -> int:
            wanted = declared(1, tags, refresh=refresh)
            cluster = large_cluster(wanted)
            return calls_of(lambda: run(cluster, wanted, concurrency=1))

        assert cost(1000) / cost(100) == pytest.approx(10, rel=0.1)

    def test_with_the_number_of_new_tags_of_one_stream(self) -> None:
        """The server answers each of its imports with the whole stream; reading that is not planned again each time."""

        def cost(tags: int) -> int:
            wanted = declared(1, tags, refresh="missing")
            return calls_of(lambda: run(large_cluster(), wanted, concurrency=1))

        assert cost(600) / cost(60) == pytest.approx(10, rel=0.2)
