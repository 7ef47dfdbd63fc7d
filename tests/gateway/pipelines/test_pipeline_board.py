"""State of a pipeline: ready and skipped steps, and total progress."""

import pytest

from gateway.pipelines.running.board import Board
from gateway.pipelines.running.expected_times import expected_seconds
from gateway.pipelines.running.graph import needs, resolve_references
from gateway.pipelines.running.runner import pause_s
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Refused, unreachable
from shared.errors import Invalid, OperationFailed
from shared.jobs import Job, JobState, PastRun, Status, StepState

RECORD = {
    "name": "a.mp4",
    "kind": "video",
    "content_type": "video/mp4",
    "bytes": 1,
    "sha256": "0" * 64,
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": None,
    "source": "upload",
    "media": None,
}
STEPS = [
    Step(id="matte", operation="matting.matte", inputs={"video": "7" * 26}),
    Step(id="look", operation="speed-ramp.analyze", inputs={"video": "7" * 26}),
    Step(id="trails", operation="effects.motion-trails", inputs={"video": "7" * 26, "matte": "matte.alpha"}),
    Step(id="ramp", operation="speed-ramp.render", inputs={"video": "trails.video"}, params={"curve": {"from": "look.curve"}}),
]


def job(step: str, status: str = "succeeded", **more: object) -> Job:
    record = {"id": step[0] * 26, **RECORD}
    return Job.model_validate(
        {"id": step, "service": "x", "operation": "x.y", "status": status, "created_at": 0, "outputs": {"alpha": record}, **more}
    )


def board() -> Board:
    return Board.of(STEPS, {"matte": 6, "look": 1, "trails": 2, "ramp": 1})


def by_id(board: Board) -> dict[str, StepState]:
    return {run.step.id: run.state for run in board.runs}


def test_a_step_needs_those_that_it_refers_to():
    assert [needs(step) for step in STEPS] == [set(), set(), {"matte"}, {"trails", "look"}]


def test_steps_are_ready_when_what_they_need_is_done():
    steps = board()
    matte, look, trails, _ = steps.runs
    assert steps.ready() == [matte, look]
    look.end(job("look", result={"curve": [{"t": 0, "speed": 1}]}))
    assert steps.ready() == [matte]
    matte.end(job("matte"))
    assert steps.ready() == [trails]
    assert steps.progress().fraction == 0.7
    assert resolve_references(trails.step, steps.succeeded_jobs()).inputs["matte"] == "m" * 26
    assert steps.runs[0].shown().picture == f"/v1/media/{'m' * 26}/thumbnail"


def test_a_step_that_equals_an_unfinished_one_waits():
    twice = [STEPS[0], STEPS[1], STEPS[0].model_copy(update={"id": "again"})]
    steps = Board.of(twice, dict.fromkeys(("matte", "look", "again"), 1))
    matte, look, again = steps.runs
    assert steps.ready() == [matte, look]
    matte.submitted = True
    assert steps.ready() == [look]
    matte.end(job("matte"))
    assert steps.ready() == [look, again]


def test_a_failed_step_stops_only_those_that_need_it():
    steps = board()
    matte, look, trails, ramp = steps.runs
    matte.end(job("matte", "failed", error={"detail": "No person."}))
    assert steps.ready() == [look]
    assert by_id(steps) == {"matte": "failed", "look": "waiting", "trails": "skipped", "ramp": "skipped"}
    look.end(job("look", result={"curve": []}))
    assert not steps.open
    assert set(steps.outcome().outputs) == {"look.alpha"}
    assert (trails.detail, ramp.detail) == (
        "The step needs 'matte', which did not succeed.",
        "The step needs 'trails', which did not succeed.",
    )
    failure = (
        "Step 'matte' (matting.matte) failed: No person. Steps that were not run, "
        "because they need a step that did not succeed: trails, ramp."
    )
    assert steps.failure() == failure
    assert [step["result"] for step in steps.outcome().result["steps"]] == [None, {"curve": []}, None, None]


def test_the_progress_counts_running_steps_by_weight():
    steps = board()
    stage = {"stage": "reading", "done": 1, "total": 2, "fraction": 0.5}
    steps.runs[0].follow(JobState(status=Status.RUNNING, progress=stage))
    assert (steps.progress().fraction, steps.progress().stage) == (0.3, "matting.matte: reading")
    steps.runs[0].follow(JobState(status=Status.RUNNING, progress=stage | {"stage": ""}))
    assert steps.progress().stage == "matting.matte"
    steps.runs[1].follow(JobState(status=Status.RUNNING, progress=stage))
    assert (steps.progress().fraction, steps.progress().stage) == (0.35, "matting.matte and 1 more")
    steps.runs[1].follow(JobState(status=Status.QUEUED, progress=None))
    assert by_id(steps)["look"] == "waiting"


def test_references_that_have_no_value_fail_their_step():
    steps = board()
    steps.runs[0].end(job("matte", outputs={}))
    with pytest.raises(Invalid, match="'matte' succeeded without writing its output 'alpha'"):
        resolve_references(STEPS[2], steps.succeeded_jobs())
    with pytest.raises(Invalid, match="'look' has no value at 'curve'"):
        resolve_references(STEPS[3], {"look": job("look", result={})})


def test_steps_are_weighted_by_the_times_of_past_jobs():
    past = {
        "matting.matte": [PastRun(run_s=20, input_s=10), PastRun(run_s=30, input_s=10), PastRun(run_s=5, input_s=1)],
        "speed-ramp.render": [PastRun(run_s=7, input_s=None)],
    }
    # 3 s per second of video; the length of an output is that of its input; unknown operations take the median of the known ones.
    assert expected_seconds(STEPS, past, {"matte": 4, "look": 4, "trails": 4, "ramp": None}) == {
        "matte": 12,
        "look": 9.5,
        "trails": 9.5,
        "ramp": 7,
    }
    assert set(expected_seconds(STEPS, {}, {}).values()) == {1}


def test_the_pause_after_a_refusal_follows_its_retry_after_header():
    assert pause_s(unreachable("effects")) == 5
    assert pause_s(Refused({"detail": "full"}, 429, retry_after="10")) == 10
    assert pause_s(Refused({"detail": "full"}, 429, retry_after="86400")) == 30
    assert pause_s(Refused({"detail": "full"}, 429)) == pause_s(OperationFailed("no")) == 2
