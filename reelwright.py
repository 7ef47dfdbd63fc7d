"""The program's entry point: the table of services, and the `reelwright` command.

It also exports the Python client. No other module knows all services. The libraries of the server are imported when it starts, so
that the command line answers at once.
"""

import asyncio
import gc
import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any

from shared.cli.app import Suite, command_line

if TYPE_CHECKING:
    from shared.client import AsyncReelwright, AsyncRun, JobCanceled, JobFailed, OperationName, Reelwright, Refused, Run, Unreachable
    from shared.http.server import Site
    from shared.jobs import Queue
    from shared.operation import Service
    from shared.runtime import Runtime
    from shared.settings import Settings

# The names of `shared.client` are names of this module, too: `from reelwright import Reelwright`.
__all__ = ["AsyncReelwright", "AsyncRun", "JobCanceled", "JobFailed", "OperationName", "Reelwright", "Refused", "Run", "Unreachable"]

PATIENCE_S = 3.0
YOUNG_OBJECTS = 10_000
"""Number of new objects after which Python collects garbage; its own default is 700."""
SWITCH_S = 0.001
"""Seconds after which a Python thread makes way for another. Python's own default is 5 ms."""
log = logging.getLogger("reelwright")


@dataclass(frozen=True)
class Room:
    """Name and package of a service; the package is imported on first use.

    A container holds the package of one service only.
    """

    name: str
    package: str

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    @property
    def app(self) -> ModuleType:
        return importlib.import_module(f"{self.package}.app")

    @property
    def service(self) -> "Service":
        return self.load()

    def load(self) -> "Service":
        """Import the service and return it."""
        service: Service = importlib.import_module(f"{self.package}.operations").SERVICE
        return service


ROOMS = (
    Room("media", "services.media"),
    Room("speed-ramp", "services.speed_ramp"),
    Room("keyframes", "services.keyframes"),
    Room("aesthetics", "services.aesthetics"),
    Room("effects", "services.effects"),
    Room("matting", "services.matting"),
    Room("background", "services.background"),
)


async def up(settings: "Settings") -> None:
    """Run the whole suite in this process.

    Every service listens on a Unix socket, the gateway on TCP.
    """
    from gateway.app import create_gateway
    from gateway.pipelines.running.runner import QUEUE, PipelineRunner
    from gateway.routing.upstream import Upstreams
    from shared.http.server import Site, socket_folder
    from shared.runtime import Runtime

    runtime = Runtime(settings)
    with socket_folder(settings.data_dir) as folder:
        sockets = {room.name: str(folder / f"{room.name}.sock") for room in ROOMS}
        upstreams = Upstreams.over_sockets(sockets)
        pipelines = PipelineRunner(upstreams, runtime)
        apps = [Site(app=room.app.create_app(runtime, reachable_by_browsers=False), uds=sockets[room.name]) for room in ROOMS]
        gateway = Site(app=create_gateway(runtime, upstreams), host=settings.host, port=settings.port)
        await _run(runtime, [room.service for room in ROOMS], [*apps, gateway], {QUEUE: pipelines.queue})
        await upstreams.close()


async def serve(name: str, settings: "Settings") -> None:
    """Run one service alone, or the gateway alone.

    The gateway reaches the services by the URLs in the settings.
    """
    from shared.http.server import Site
    from shared.runtime import Runtime

    runtime = Runtime(settings)
    if name == "gateway":
        from gateway.app import create_gateway
        from gateway.pipelines.running.runner import QUEUE, PipelineRunner
        from gateway.routing.upstream import Upstreams

        upstreams = Upstreams.over_network(settings.service_urls)
        pipelines = PipelineRunner(upstreams, runtime)
        site = Site(app=create_gateway(runtime, upstreams), host=settings.host, port=settings.port)
        await _run(runtime, [], [site], {QUEUE: pipelines.queue}, patient=True)
        await upstreams.close()
    else:
        room = {room.name: room for room in ROOMS}[name]
        await _run(
            runtime, [room.service], [Site(app=room.app.create_app(runtime), host=settings.host, port=settings.port)], {}, patient=True
        )


async def _run(
    runtime: "Runtime", services: Sequence["Service"], sites: Sequence["Site"], queues: Mapping[str, "Queue"], *, patient: bool = False
) -> None:
    """Run the job worker and the HTTP servers until SIGTERM or SIGINT.

    At the end the servers stop first. `patient`: wait for a database that does not answer, and serve meanwhile, so that `GET /ready` can
    report it.
    """
    from shared.http.server import serving, until_signaled

    ending = asyncio.create_task(until_signaled())
    starting = asyncio.create_task(runtime.start(services, queues, patient=patient))
    await asyncio.wait({starting, ending}, timeout=PATIENCE_S if patient else None, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
    try:
        async with serving(sites) as addresses:
            await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                _answer_first()
                log.info("ready on %s", addresses[-1])
            await ending
            runtime.end_soon()
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await runtime.stop()


def _answer_first() -> None:
    """Keep the garbage collector and other threads from delaying requests.

    A full collection looks at every object of the libraries, 0.2 s of processor time, and up to a second on a busy machine. What exists at
    the end of the start is not looked at again, and small collections come less often. Threads that write to the database let the event
    loop continue sooner.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    sys.setswitchinterval(SWITCH_S)


def __getattr__(name: str) -> Any:
    """Return the attribute `name` of `shared.client`, which is imported on first use.

    The command line starts fast without it.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("shared.client"), name)


def delete_expired(settings: "Settings") -> dict[str, int]:
    """Delete expired jobs, media and uploads; return the number of each."""
    from gateway.uploads.folder import uploads_in
    from shared.jobs.retention import sweep_offline

    uploads = uploads_in(settings.data_dir, ttl_s=settings.upload_ttl_s).sweep(datetime.now(UTC))
    return asdict(sweep_offline(settings)) | {"uploads": len(uploads)}


def suite() -> Suite:
    """Return the installed services, and the functions that run them."""
    services = {room.name: room.load for room in ROOMS if room.installed}
    return Suite(services=services, up=up, serve=serve, gc=delete_expired, add_more=_pipelines())


def main() -> None:
    """Run the `reelwright` command."""
    command_line(suite())()


def _pipelines() -> Any:
    """Return the function that adds the pipeline commands to the command line.

    None in a container that holds a service only.
    """
    if importlib.util.find_spec("gateway") is None:
        return None
    from gateway.pipelines.cli.commands import add_pipelines

    return add_pipelines


if __name__ == "__main__":
    main()
