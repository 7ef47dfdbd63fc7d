"""Estimates of how long the steps of a pipeline will take.

They come from past jobs of the same operations.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from gateway.pipelines.running.graph import needs
from gateway.pipelines.steps import Step
from shared.jobs import PastRun


def expected_seconds(steps: Sequence[Step], past: Mapping[str, Sequence[PastRun]], lengths: Mapping[str, float | None]) -> dict[str, float]:
    """Estimate from past runs how many seconds each step will take.

    `past`: operation -> past runs. `lengths`: step id -> seconds of its longest input video, as far as it is known. An output of an earlier
    step is taken to be as long as the earlier step's longest input. An operation that never ran gets the median of the others; if none ever
    ran, each step gets 1.
    """
    seconds: dict[str, float] = {}
    for step in steps:
        seconds[step.id] = max([lengths.get(step.id) or 0.0, *(seconds[step_id] for step_id in needs(step))])
    estimates = {step.id: expected for step in steps if (expected := _expected(past.get(step.operation, ()), seconds[step.id])) is not None}
    otherwise = median(estimates.values()) if estimates else 1.0
    return {step.id: estimates.get(step.id, otherwise) for step in steps}


def _expected(past: Sequence[PastRun], length_s: float) -> float | None:
    """Estimate from past runs how many seconds a job takes.

    The video is `length_s` seconds long. The estimate is the median time per second of video times `length_s`, or the median time of a job
    if a length is unknown. None without past runs.
    """
    ratios = [run.run_s / run.input_s for run in past if run.input_s]
    if ratios and length_s:
        return median(ratios) * length_s
    return median(run.run_s for run in past) if past else None
