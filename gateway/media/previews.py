"""Preview requests, and the jobs that make their missing inputs.

A preview runs an operation on a few seconds of a proxy, which is a small copy of the clip. The gateway starts the job that makes the proxy.
If an input is "auto", it also starts a preview of the operation that makes this input.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from gateway.media.view_desk import ViewDesk
from gateway.pipelines.auto_inputs import maker_of, required_inputs
from gateway.pipelines.maker_jobs import MakerJobs, maker_jobs
from gateway.pipelines.unasked_inputs import UnaskedInputs
from gateway.routing.upstream import credentials, unreachable
from shared.errors import ReelwrightError
from shared.http.json_route import parse
from shared.http.operations.answers import job_answer
from shared.jobs import Job
from shared.jobs.making import Making
from shared.operation import AUTO

OPTIONS = ("preview", "preview_at_s", "preview_s", "cache")
PART = ("start", "duration")


@dataclass(frozen=True)
class Previews:
    """Handler of preview requests; it starts the jobs that make missing inputs."""

    views: ViewDesk
    unasked: UnaskedInputs

    async def expand(self, service: str, path: str, body: bytes, request: Request) -> Response | None:
        """Start the jobs that make a preview's missing inputs, then submit the preview.

        Proxies of its videos need no change of the body: the service itself waits for them. An "auto" input, or a left-out input that the
        gateway makes, is replaced by a reference to a preview of the operation that makes the input; the answer is then the job that the
        service returned. Returns None if the request is to be forwarded unchanged.
        """
        if b'"preview"' not in body or not re.fullmatch(r"[a-z-]+/jobs", path):
            return None
        value = parse(body, request.headers.get("content-type", ""))
        if not isinstance(value, dict) or value.get("preview") is not True or not isinstance(value.get("inputs"), dict):
            return None
        inputs: dict[str, Any] = value["inputs"]
        input_values = [item for source in inputs.values() for item in (source if isinstance(source, list) else [source])]
        owner = request.state.owner
        await self.views.start_proxies(owner, [media_id for media_id in input_values if isinstance(media_id, str)])
        verb = path.partition("/")[0]
        operation = f"{service}.{verb}"
        runtime, upstreams = self.views.runtime, self.views.upstreams
        headers = credentials(runtime.settings, owner)
        async with maker_jobs(upstreams, runtime.jobs, owner) as makers:
            made = {name: await self._make(operation, name, value, headers, makers) for name, source in inputs.items() if source == AUTO}
            for name in await self.unasked.names(operation, value, headers):
                try:
                    made[name] = await self._make(operation, name, value, headers, makers, is_optional=True)
                except ReelwrightError as error:
                    if reference := self.unasked.reference_to_nothing(operation, name, error):
                        made[name] = reference
            if not made:
                return None
            value = value | {"inputs": inputs | {name: str(making) for name, making in made.items()}}
            job = Job.model_validate(await upstreams.ask(service, "POST", f"/{verb}/jobs", headers=headers, json=value))
            makers.accepted(job)
        return await job_answer(job, owner=owner, prefer=request.headers.get("prefer"), runtime=runtime)

    async def _make(
        self, operation: str, name: str, body: dict[str, Any], headers: Mapping[str, str], makers: MakerJobs, *, is_optional: bool = False
    ) -> Making:
        """Start a preview job that makes the input `name`; return its output's reference.

        The reference is for `body`, the preview request for `operation`. The frames of the new preview keep the times of the
        clip, if the operation that makes the input can do that.
        """
        declared = await self.views.upstreams.operations(headers)
        maker, output = maker_of(operation, name, declared)
        if maker not in declared:
            raise unreachable(maker.partition(".")[0])
        params = {key: value for key, value in (body.get("params") or {}).items() if key in PART}
        if "keep_times" in declared[maker].params["properties"]:
            params["keep_times"] = True
        options = {key: body[key] for key in OPTIONS if key in body} | {"preview_slot": f"{str(body.get('preview_slot', ''))[:48]}/{name}"}
        inputs = {port: body["inputs"].get(port) for port in required_inputs(declared[maker])}
        request = {"inputs": inputs, "params": params, **options}
        return await makers.start(maker, output, headers=headers, body=request, is_optional=is_optional)
