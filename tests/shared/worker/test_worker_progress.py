"""Progress reports of a child process."""

from typing import Any

from shared.worker.progress import MAX_WARNINGS, Report
from shared.worker.protocol import JobWarning, ProgressUpdate, Update


def reported(work: Any) -> list[Update]:
    sent: list[Update] = []
    report = Report(sent.append)
    work(report)
    report.finish()
    return sent


def test_progress_never_goes_back_and_ends_at_one() -> None:
    def work(report: Report) -> None:
        first, second = report.part("first", 0, 0.4), report.part("second", 0.4, 1)
        for done in (1, 5, 3, 10):
            first(done, 10)
        first(2, 10)
        for done in (0, 5, 20):
            second(done, 10)
        first(0, 10)

    sent = [update for update in reported(work) if isinstance(update, ProgressUpdate)]
    fractions = [progress.fraction for progress in sent]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert {progress.stage for progress in sent} == {"first", "second"}
    assert sent[-1].done == sent[-1].total
    assert sent[-1].eta_s == 0


def test_a_part_of_a_part_covers_its_share() -> None:
    sent = reported(lambda report: report.part("", 0.5, 1).part("inner", 0, 0.5)(10, 10))
    assert sent[0].fraction == 0.75


def test_progress_is_sent_seldom() -> None:
    sent = reported(lambda report: [report(done, 10_000) for done in range(10_000)])
    assert len(sent) < 10


def test_work_without_steps_ends_at_one() -> None:
    assert reported(lambda report: report(0, 0))[-1].fraction == 1
    assert reported(lambda report: None)[-1].fraction == 1


def test_each_warning_is_sent_once_and_not_too_many() -> None:
    sent = reported(lambda report: [report.part("x", 0, 1).warn(f"warning {number // 2}") for number in range(10_000)])
    warnings = [update.text for update in sent if isinstance(update, JobWarning)]
    assert warnings[:MAX_WARNINGS] == [f"warning {number}" for number in range(MAX_WARNINGS)]
    assert warnings[MAX_WARNINGS:] == ["Further warnings were left out."]
    assert len(reported(lambda report: report.warn("x" * 10**6))[0].text) == 1000
