"""The misbehaving service as a process, configured by environment variables.

`python -m tests.misbehaving.serve [worker|gateway]`.

`worker` runs jobs; `gateway` only takes and shows them. Both have the routes of the service and those of jobs.
"""

import asyncio
import logging
import sys

from gateway.jobs import job_routes
from gateway.webhooks import webhook_routes
from shared.http.server import Site, serving, until_signaled
from shared.http.service import create_service
from shared.runtime import Runtime
from shared.settings import Settings, use
from tests.misbehaving.operations import SERVICE


async def main(role: str) -> None:
    settings = Settings(spare_workers=False)
    use(settings)
    runtime = Runtime(settings)
    app = create_service(SERVICE, runtime)
    app.include_router(job_routes(runtime))
    app.include_router(webhook_routes(runtime))
    await runtime.start([SERVICE] if role == "worker" else [])
    try:
        async with serving([Site(app=app, host=settings.host, port=settings.port)]) as addresses:
            logging.info("ready on %s", addresses[-1])
            await until_signaled()
            runtime.end_soon()
    finally:
        await runtime.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "worker"))
