"""States of a running pipeline's steps.

The board also gives the outputs, the results and the overall progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.pipelines.running.graph import needs
from gateway.pipelines.steps import PipelineResult, Step, StepResult
from shared.errors import ReelwrightError
from shared.jobs import Job, JobState, PipelineOutcome, ProgressUpdate, StageProgress, Status, StepProgress, StepState
from shared.operation import Kind

PICTURES = (Kind.VIDEO, Kind.IMAGE, Kind.IMAGES)
ENDS = {Status.SUCCEEDED: StepState.SUCCEEDED, Status.FAILED: StepState.FAILED, Status.CANCELED: StepState.CANCELED}


@dataclass(kw_only=True)
class StepRun:
    """State of one step of a running pipeline.

    `weight`: expected time relative to the other steps.
    """

    step: Step
    needs: frozenset[str]
    weight: float
    submitted: bool = False
    state: StepState = StepState.WAITING
    progress: StageProgress | None = None
    job: Job | None = None
    detail: str | None = None
    error: dict[str, Any] | None = None

    @property
    def fraction(self) -> float:
        """Finished fraction of the step, from 0 to 1."""
        return 1.0 if self.state.done else self.progress.fraction if self.progress else 0.0

    @property
    def name(self) -> str:
        """Id and operation of the step, for error messages."""
        return f"{self.step.id!r} ({self.step.operation})"

    def follow(self, job: JobState) -> None:
        """Copy the status and progress of `job`, the step's unfinished job."""
        self.state = StepState.RUNNING if job.status is Status.RUNNING else StepState.WAITING
        self.progress = StageProgress.model_validate(job.progress) if job.progress else None

    def end(self, job: Job, *, reused: bool = False) -> None:
        """Mark the step as ended with the outcome of its job.

        `reused`: whether the job ran for an earlier pipeline.
        """
        self.job, self.progress = job, job.progress and StageProgress.model_validate(job.progress.model_dump())
        earlier = job.status is Status.SUCCEEDED and (reused or job.cached)
        self.state = StepState.CACHED if earlier else ENDS[job.status]
        self.error, self.detail = job.error, None
        if not self.state.done:
            self.detail = (job.error or {}).get("detail") or f"The job {job.id} of this step was canceled."

    def fail(self, error: ReelwrightError) -> None:
        """Mark the step as failed with an error.

        For a step whose job was refused or has been lost.
        """
        self.state, self.error, self.detail = StepState.FAILED, error.problem(), error.problem()["detail"]

    def shown(self) -> StepProgress:
        """Return the step's state and progress, as the API shows them."""
        return StepProgress(
            id=self.step.id,
            operation=self.step.operation,
            state=self.state,
            progress=self.progress,
            job=self.job and self.job.id,
            picture=_picture(self.job) if self.state.done else None,
            detail=self.detail,
        )

    def summary(self) -> StepResult:
        """Return the step's entry in the result of the pipeline."""
        finished_job = self.job if self.state.done else None
        return StepResult(
            **dict(self.shown()),
            result=finished_job and finished_job.result,
            metrics=finished_job.metrics if finished_job else {},
            error=self.error,
        )


@dataclass
class Board:
    """Board with the states of a pipeline's steps, in the request's order."""

    runs: list[StepRun]
    _stage: str = field(default="", init=False)

    @classmethod
    def of(cls, steps: Sequence[Step], weights: Mapping[str, float]) -> "Board":
        """Create the board of a pipeline that has not started."""
        return cls([StepRun(step=step, needs=frozenset(needs(step)), weight=weights[step.id]) for step in steps])

    @property
    def open(self) -> bool:
        """Whether any step is unfinished."""
        return any(not run.state.ended for run in self.runs)

    @property
    def failed(self) -> list[StepRun]:
        """The steps that failed or were canceled."""
        return [run for run in self.runs if run.state in (StepState.FAILED, StepState.CANCELED)]

    def ready(self) -> list[StepRun]:
        """Return the steps to submit now; mark steps that can never run as skipped.

        A step can never run if it needs one that did not succeed. A step that equals an unfinished one waits for its end, and
        then takes over its remembered result.
        """
        states = {run.step.id: run.state for run in self.runs}
        for run in self.runs:
            missing = sorted(need for need in run.needs if states[need].ended and not states[need].done)
            if run.state is StepState.WAITING and missing:
                run.state = states[run.step.id] = StepState.SKIPPED
                run.detail = f"The step needs {' and '.join(map(repr, missing))}, which did not succeed."
        waiting = [run for run in self.runs if run.state is StepState.WAITING and not run.submitted]
        ready: list[StepRun] = []
        for run in waiting:
            busy = [busy_run for busy_run in self.runs if busy_run.submitted and not busy_run.state.ended]
            if all(states[need].done for need in run.needs) and not any(_equal(run.step, earlier.step) for earlier in [*busy, *ready]):
                ready.append(run)
        return ready

    def succeeded_jobs(self) -> dict[str, Job]:
        """Return the jobs of the steps that succeeded, by step id."""
        return {run.step.id: run.job for run in self.runs if run.job is not None and run.state.done}

    def outcome(self) -> PipelineOutcome:
        """Return the pipeline's result and outputs so far."""
        result = PipelineResult(steps=[run.summary() for run in self.runs])
        outputs = {f"{step}.{name}": record.dump() for step, job in self.succeeded_jobs().items() for name, record in job.outputs.items()}
        return PipelineOutcome(result=result.model_dump(mode="json"), outputs=outputs)

    def progress(self) -> ProgressUpdate:
        """Return the pipeline's progress over all steps.

        Each step counts by its weight. The stage is that of the first running step.
        """
        total = sum(run.weight for run in self.runs)
        done = sum(run.weight * run.fraction for run in self.runs)
        running = [run for run in self.runs if run.state is StepState.RUNNING]
        if running:
            run = running[0]
            more = f" and {len(running) - 1} more" if len(running) > 1 else ""
            stage = run.progress.stage if run.progress and not more else ""
            self._stage = f"{run.step.operation}{more}" + (f": {stage}" if stage else "")
        ended = sum(run.state.ended for run in self.runs)
        return ProgressUpdate(
            stage=self._stage, done=ended, total=len(self.runs), fraction=round(done / total, 4) if total else float(not self.open)
        )

    def failure(self) -> str:
        """Return the text of the pipeline's error.

        It has a sentence for each failed step, and one about the skipped steps.
        """
        sentences = []
        for run in self.failed:
            end = "was canceled" if run.state is StepState.CANCELED else "failed"
            sentences.append(f"Step {run.name} {end}: {run.detail}")
        skipped = [run.step.id for run in self.runs if run.state is StepState.SKIPPED]
        if skipped:
            sentences.append(f"Steps that were not run, because they need a step that did not succeed: {', '.join(skipped)}.")
        return " ".join(sentences)


def _equal(first: Step, second: Step) -> bool:
    """Return whether two steps would give the same result."""
    return (first.operation, first.inputs, first.params) == (second.operation, second.inputs, second.params)


def _picture(job: Job | None) -> str | None:
    """Return the URL of the job's first thumbnail, or None."""
    records = job.outputs.values() if job is not None else ()
    return next((record.urls.thumbnail for record in records if record.kind in PICTURES and record.urls.thumbnail), None)
