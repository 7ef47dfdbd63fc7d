"""Jobs that run in turns, so other load affects all equally."""

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Cost:
    """Wall and processor time of one run, in seconds."""

    wall_s: float
    processor_s: float

    def times(self, factor: float) -> "Cost":
        return Cost(self.wall_s * factor, self.processor_s * factor)


@dataclass(frozen=True)
class Job:
    """A job to time.

    `work` may return a Cost, which then counts instead of the time of the call: for work in another process, or for a part of the work.
    `reference`: name of the job whose time divides this job's time.
    """

    name: str
    work: Callable[[], object]
    reference: str | None = None


Costs = dict[str, list[Cost]]
"""Name of a job -> its costs, one per round."""


def processor_s() -> float:
    """Return the processor seconds of this process and its ended child processes."""
    usages = [resource.getrusage(processes) for processes in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cost_of(work: Callable[[], object]) -> Cost:
    """Call `work` and return its cost.

    That is the cost that it returns, or else the cost of the call.
    """
    wall, processor = time.perf_counter(), processor_s()
    made = work()
    return made if isinstance(made, Cost) else Cost(time.perf_counter() - wall, processor_s() - processor)


def costs_in_turns(jobs: Iterable[Job], rounds: int, *, warm_up: bool = True) -> Costs:
    """Run jobs in turns and return their costs by round.

    `warm_up`: run each job once before, without counting it.
    """
    listed = list(jobs)
    for job in listed if warm_up else ():
        job.work()
    costs: Costs = {job.name: [] for job in listed}
    for _ in range(rounds):
        for job in listed:
            costs[job.name].append(cost_of(job.work))
    return costs


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median times of several runs."""
    return Cost(statistics.median(cost.wall_s for cost in costs), statistics.median(cost.processor_s for cost in costs))


def median_ratio(costs: Sequence[Cost], references: Sequence[Cost]) -> tuple[float, float]:
    """Return the median ratios of wall and processor time.

    Each round has its own ratio.
    """
    pairs = list(zip(costs, references, strict=True))
    return (
        statistics.median(cost.wall_s / reference.wall_s for cost, reference in pairs),
        statistics.median(cost.processor_s / reference.processor_s for cost, reference in pairs),
    )


def ratio_cells(job: Job, costs: Costs, *, as_fast: bool = False) -> tuple[str, str]:
    """Return a job's ratios to its reference as text.

    Wall time comes first. Without a reference, both are empty. `as_fast`: how many times as fast, not how many times as long.
    """
    if job.reference is None:
        return "", ""
    runs, references = costs[job.name], costs[job.reference]
    wall, processor = median_ratio(references, runs) if as_fast else median_ratio(runs, references)
    return f"{wall:.2f}x", f"{processor:.2f}x"


def turns_table(title: str, jobs: Sequence[Job], rounds: int, *, frames: int = 0, as_fast: bool = False) -> Table:
    """Run jobs in turns and return a table of medians.

    It holds costs and ratios. `frames`: frames that each job handles, for a column of frames per second; 0: no such column. `as_fast`: see
    `ratio_cells`.
    """
    costs = costs_in_turns(jobs, rounds)
    table = Table(title=f"{title}; medians of {rounds} rounds in turns, load {os.getloadavg()[0]:.0f}")
    table.add_column("job", no_wrap=True)
    compared = "as fast" if as_fast else "of the reference"
    for head in ("wall s", "processor s", *(["frames/s"] if frames else []), f"{compared}, wall", f"{compared}, processor"):
        table.add_column(head, justify="right")
    for job in jobs:
        cost = median_cost(costs[job.name])
        speed = [f"{frames / cost.wall_s:.1f}"] if frames else []
        table.add_row(job.name, f"{cost.wall_s:.2f}", f"{cost.processor_s:.2f}", *speed, *ratio_cells(job, costs, as_fast=as_fast))
    return table
