"""The kernel's counters of processes killed for lack of memory."""

from pathlib import Path

import pytest

from shared.jobs.running.kills import oom_kills


@pytest.mark.parametrize(
    ("groups", "files", "count"),
    [
        ("0::/system.slice/suite.service", {"cgroup/system.slice/suite.service/memory.events": 4, "cgroup/memory.events": 5}, 4),
        ("0::/", {"cgroup/memory.events": 5}, 5),
        ("0::/docker/abc", {"cgroup/memory.events": 5}, 5),
        ("0::/\n4:memory:/docker/abc", {"cgroup/memory/docker/abc/memory.oom_control": 6, "cgroup/memory/memory.oom_control": 7}, 6),
        ("4:memory:/docker/abc", {"cgroup/memory/memory.oom_control": 7}, 7),
        ("0::/", {}, 90),
        ("", {}, 90),
    ],
)
def test_the_counter_of_the_own_control_group_comes_before_that_of_the_machine(groups, files, count, tmp_path: Path):
    for name, text in {"proc/self/cgroup": groups, "proc/vmstat": "pgfault 3\noom_kill 90"}.items() | {
        (name, f"oom 1\noom_kill {number}\noom_group_kill 0") for name, number in files.items()
    }:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert oom_kills(tmp_path / "proc", tmp_path / "cgroup") == count


def test_without_any_counter_no_kill_is_for_lack_of_memory(tmp_path: Path):
    assert oom_kills(tmp_path, tmp_path) == 0
