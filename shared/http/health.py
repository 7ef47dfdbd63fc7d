"""Health, readiness and metrics of an app."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import Unavailable
from shared.runtime import Runtime

AskOthers = Callable[[], Awaitable[dict[str, str]]]
"""Asks the services behind an app for their state. Returns name -> `ready`, or the reason why not."""

log = logging.getLogger(__name__)


def add_health(app: FastAPI, runtime: Runtime, registry: CollectorRegistry, ask_others: AskOthers | None) -> None:
    """Add `GET /health`, `GET /ready` and `GET /metrics` to `app`."""
    jobs = runtime.jobs
    gauge = Gauge(
        "reelwright_jobs",
        "Stored jobs by status; the number of `queued` jobs is the length of the queue",
        ["service", "status"],
        registry=registry,
    )
    oldest = Gauge("reelwright_queue_oldest_seconds", "Waiting time of the oldest queued job", ["service"], registry=registry)
    database = Gauge("reelwright_database_up", "1 if the database answered, else 0; then the figures above are missing", registry=registry)

    @app.get("/health", tags=["service"], summary="Check that the process is alive")
    async def health() -> dict[str, str]:
        return {"status": "alive", "name": app.title}

    @app.get("/ready", tags=["service"], summary="Check that the service can take jobs; 503 with the reasons if not")
    async def ready() -> dict[str, Any]:
        if reasons := await runtime.troubles():
            raise Unavailable("; ".join(reasons))
        layers = [asdict(layer) for layer in runtime.sandbox_layers()]
        return {"status": "ready", "name": app.title, "sandbox": layers} | ({"services": await ask_others()} if ask_others else {})

    @app.get("/metrics", tags=["service"], summary="Metrics for Prometheus", response_class=Response)
    async def metrics() -> Response:
        gauge.clear()
        oldest.clear()
        try:
            counts, waiting_since = await jobs.counts()
            for (service, status), count in counts.items():
                gauge.labels(service, status).set(count)
            for service, since in waiting_since.items():
                oldest.labels(service).set(max(0.0, time.time() - since))
            database.set(1)
        except SQLAlchemyError as error:
            log.warning("the database did not answer: %s", error)
            database.set(0)
        return Response(generate_latest(registry) + generate_latest(jobs.metrics.registry), media_type=CONTENT_TYPE_LATEST)
