"""Polling of queues: on notice of work, and otherwise almost never."""

import threading
from pathlib import Path
from types import SimpleNamespace

import dbos._dbos
import pytest
from dbos._core import ActiveWorkflowById

from shared.jobs.database.queue_notices import ALL, FileNotices
from shared.jobs.running.queue_polling import POLL, UNUSED_JOBS, ActiveWorkflows, QueueWaker, _Claims

LONG_S = 30.0
"""Length of a wait, in seconds, that only a missing wake-up lets pass."""


def waits(waker: QueueWaker, name: str, stop: threading.Event) -> threading.Thread:
    """Start a thread that waits for a queue's second wake-up.

    The first wait returns at once.
    """
    waker.wait(name, LONG_S, stop)
    return waits_again(waker, name, stop)


def waits_again(waker: QueueWaker, name: str, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=waker.wait, args=(name, LONG_S, stop), daemon=True)
    thread.start()
    return thread


def ends(thread: threading.Thread) -> bool:
    thread.join(LONG_S / 3)
    return not thread.is_alive()


def test_a_wake_ends_the_wait_of_its_queue_only() -> None:
    waker, stop = QueueWaker(), threading.Event()
    first, other = waits(waker, "one", stop), waits(waker, "other", stop)
    waker.wake("one")
    assert ends(first)
    assert other.is_alive()
    waker.wake(ALL)
    assert ends(other)


def test_a_wake_before_the_wait_ends_it() -> None:
    waker, stop = QueueWaker(), threading.Event()
    waker.wait("one", LONG_S, stop)
    waker.wake("one")
    assert ends(waits_again(waker, "one", stop))


def test_the_stop_event_ends_every_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    # DBOS waits up to 10 s for each of its threads on shutdown.
    polls: list[object] = []
    monkeypatch.setattr("shared.jobs.running.queue_polling._Original.poll", lambda event, _dbos: polls.append(event))
    monkeypatch.setattr(dbos._dbos, POLL, None)
    monkeypatch.setattr(dbos._dbos, UNUSED_JOBS, None)
    waker, stop = QueueWaker(), threading.Event()
    waker.install()
    engine = SimpleNamespace(_sys_db=SimpleNamespace(start_queued_workflows=None))
    getattr(dbos._dbos, POLL)(stop, engine)
    (event,) = polls
    assert event.is_set() is False  # type: ignore[attr-defined]
    threads = [waits(waker, name, stop) for name in ("one", "other")]
    stop.set()
    assert [ends(thread) for thread in threads] == [True, True]
    assert waker.wait("one", LONG_S, stop) is True
    assert waker.wait("new", LONG_S, stop) is True


def test_a_stopped_waker_ends_every_wait() -> None:
    waker, stop = QueueWaker(), threading.Event()
    thread = waits(waker, "one", stop)
    waker.stop()
    assert ends(thread)
    assert waker.wait("one", LONG_S, stop) is True


def test_the_functions_of_dbos_that_are_replaced_exist() -> None:
    assert hasattr(dbos._dbos, POLL)
    assert hasattr(dbos._dbos, UNUSED_JOBS)
    assert {"add", "_remove", "count_for_queue"} <= vars(ActiveWorkflowById).keys()


def test_claimed_workflows_take_a_place_until_they_end() -> None:
    freed: list[str] = []
    active = ActiveWorkflows(freed.append)
    active.claim(["a", "b"], "one")
    assert active.count_for_queue("one") == 2
    entry = active.add("a", "one", None)
    assert (active.count_for_queue("one"), active.count_for_queue("other"), freed) == (2, 0, [])
    entry.release()
    assert (active.count_for_queue("one"), freed) == (1, ["one"])


def test_a_process_that_takes_workflows_is_told_at_once() -> None:
    notices: list[str] = []
    claims: list[list[str]] = [["a"], []]
    engine = SimpleNamespace(
        _active_workflows_set=ActiveWorkflows(lambda _queue: None),
        _sys_db=SimpleNamespace(start_queued_workflows=lambda _queue: (claims.pop(0), None)),
    )
    claim = _Claims(engine, lambda: notices.append("now")).start_queued_workflows
    assert claim(SimpleNamespace(name="one")) == (["a"], None)
    assert engine._active_workflows_set.count_for_queue("one") == 1
    assert claim(SimpleNamespace(name="one")) == ([], None)
    assert notices == ["now"]


def test_other_processes_hear_of_work_in_an_sqlite_file(tmp_path: Path) -> None:
    notices, stop, news = FileNotices(tmp_path / "queued"), threading.Event(), threading.Event()
    heard: list[str] = []
    for queue in ("one", "other"):
        notices.committed(queue)

    def hear(queue: str) -> None:
        heard.append(queue)
        news.set()

    watching = threading.Thread(target=notices.watch, args=(stop, hear), daemon=True)
    watching.start()
    assert news.wait(LONG_S)
    for queue in ("one", "other", "one"):
        news.clear()
        FileNotices(tmp_path / "queued").committed(queue)
        assert news.wait(LONG_S)
    stop.set()
    assert ends(watching)
    assert heard == [ALL, "one", "other", "one"]
