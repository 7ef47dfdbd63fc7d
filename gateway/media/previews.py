"""Previews: the gateway starts the proxies that they run on."""

import re
from dataclasses import dataclass

from fastapi import Request, Response

from gateway.media.view_desk import ViewDesk
from shared.errors import Invalid
from shared.http.json_route import parse
from shared.operation import AUTO


@dataclass(frozen=True)
class Previews:
    """Looks for requests of previews among those to the services."""

    views: ViewDesk

    async def start_proxies(self, _service: str, path: str, body: bytes, request: Request) -> Response | None:
        """Start the proxies of a preview's videos, as jobs.

        The service itself waits for them. Returns None: the request is forwarded unchanged. Raises Invalid for an "auto" input.
        """
        if b'"preview"' not in body or not re.fullmatch(r"[a-z-]+/jobs", path):
            return None
        value = parse(body, request.headers.get("content-type", ""))
        if not isinstance(value, dict) or value.get("preview") is not True or not isinstance(value.get("inputs"), dict):
            return None
        given = [media_id for each in value["inputs"].values() for media_id in (each if isinstance(each, list) else [each])]
        if AUTO in given:
            name = next(name for name, each in value["inputs"].items() if each == AUTO)
            detail = f"A preview does not make {name}: preview or run the operation that makes it first"
            raise Invalid(f"inputs.{name}: {detail}.", errors=[{"field": f"inputs.{name}", "detail": detail}])
        await self.views.start_proxies(request.state.owner, [media_id for media_id in given if isinstance(media_id, str)])
        return None
