"""Processor use and database commits of an idle deployment."""

import time
from dataclasses import dataclass

from tests.deployment.deployment import Deployment

COUNT_COMMITS = "select sum(xact_commit) from pg_stat_database"


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Processor share of each container, and Postgres commits per second."""

    shares: dict[str, float]
    commits_per_s: float

    @property
    def share(self) -> float:
        """Processor share of all containers together, in cores."""
        return sum(self.shares.values())


def measure_idle(deployment: Deployment, seconds: float) -> Idle:
    """Measure the containers' processor use and Postgres's commits during `seconds` seconds."""
    before, commits, began = cpu_seconds(deployment), count_commits(deployment), time.monotonic()
    time.sleep(seconds)
    after, took = cpu_seconds(deployment), time.monotonic() - began
    more = count_commits(deployment) - commits - 1  # the query itself
    return Idle(shares={name: (after[name] - before[name]) / took for name in before}, commits_per_s=more / took)


def cpu_seconds(deployment: Deployment) -> dict[str, float]:
    """Return the processor seconds that each container has used, by container name."""
    return {
        str(container.name).removeprefix(f"{deployment.project}-"): container.stats(stream=False, one_shot=True)["cpu_stats"]["cpu_usage"][
            "total_usage"
        ]
        / 1e9
        for service in deployment.services()
        for container in deployment.containers(service)
    }


def count_commits(deployment: Deployment) -> int:
    """Return the total number of transactions that Postgres has committed."""
    return int(deployment.compose("exec", "-T", "postgres", "psql", "-U", "reelwright", "-Atc", COUNT_COMMITS))
