"""HTTP clients of the services.

They use Unix sockets of this process, or the network.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.routing.replicas import replica_transport
from shared.errors import NotFound, ReelwrightError, Unavailable, field_errors
from shared.http.operations.description import OPERATION_LIST, OperationInfo
from shared.keys import CURRENT_ACCESS
from shared.keys.internal import internal_token
from shared.log import CHANGES, forwarded_headers, note_changes
from shared.settings import PUBLIC, Settings

TIMEOUT = httpx.Timeout(connect=5, read=None, write=None, pool=10)
ASK_TIMEOUT_S, READY_TIMEOUT_S = 15.0, 3.0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Refused(ReelwrightError):
    """A service refused the request"""

    def __init__(self, problem: dict[str, Any], status: int, *, retry_after: str | None = None):
        headers = {"Retry-After": retry_after} if retry_after else None
        super().__init__(str(problem.get("detail", "")), errors=field_errors(problem), headers=headers)
        self._problem = problem
        self.status = status  # type: ignore[misc]

    def problem(self) -> dict[str, Any]:
        return self._problem


def refused_at(where: str, refusal: ReelwrightError, detail: str) -> Refused:
    """Copy a refusal with the text `detail`, and put `where` before its field names.

    `where`: path of the refused part in the whole request, such as `steps.0`.
    """
    errors = [{**error, "field": f"{where}.{error['field']}"} for error in refusal.problem().get("errors", [])]
    return changed(refusal, detail=detail, errors=errors)


def changed(refusal: ReelwrightError, *, detail: str, errors: Sequence[Mapping[str, str]]) -> Refused:
    """Copy a refusal with the text `detail` and the field errors `errors`.

    Its Retry-After stays. `errors`: one object per field, with `field` and `detail`; without any, the field errors stay.
    """
    problem = refusal.problem() | {"detail": detail} | ({"errors": list(errors)} if errors else {})
    return Refused(problem, refusal.status, retry_after=refusal.headers.get("Retry-After"))


@dataclass(frozen=True)
class Upstreams:
    """Collection of the services' HTTP clients, by service name."""

    clients: Mapping[str, httpx.AsyncClient]

    @classmethod
    def over_sockets(cls, sockets: Mapping[str, str]) -> "Upstreams":
        """Create clients of services on this machine, over Unix sockets.

        `sockets`: service name -> path of its Unix socket.
        """
        return cls(
            {
                name: httpx.AsyncClient(base_url=f"http://{name}", transport=httpx.AsyncHTTPTransport(uds=path), timeout=TIMEOUT)
                for name, path in sockets.items()
            }
        )

    @classmethod
    def over_network(cls, urls: Mapping[str, str]) -> "Upstreams":
        """Create clients of services on other machines or in containers, over TCP.

        `urls`: service name -> base URL.
        """
        return cls(
            {
                name: httpx.AsyncClient(base_url=url, timeout=TIMEOUT, trust_env=False, transport=replica_transport())
                for name, url in urls.items()
            }
        )

    def client(self, service: str) -> httpx.AsyncClient:
        """Return the client of a service. Raises NotFound for an unknown service."""
        if service not in self.clients:
            raise NotFound(f"There is no service {service[:64]!r}. Running services: {', '.join(sorted(self.clients)) or 'none'}.")
        return self.clients[service]

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = ASK_TIMEOUT_S,
    ) -> Any:
        """Send a request to a service and return its JSON answer.

        Raises Unavailable if the service is down, Refused if it refuses the request.
        """
        try:
            client = self.client(service)
            merged = {**forwarded_headers(), **(headers or {})}
            answer = await send(client, client.build_request(method, path, headers=merged, json=json, timeout=timeout_s))
            note_changes(*answer.headers.get(CHANGES, "").split())
            body = answer.json()
        except (httpx.TransportError, ValueError) as error:
            raise unreachable(service) from error
        if answer.is_error:
            raise Refused(body, answer.status_code, retry_after=answer.headers.get("retry-after"))
        return body

    async def operations(self, headers: Mapping[str, str]) -> dict[str, OperationInfo]:
        """Return the operations of all reachable services, by operation name."""
        return {operation.name: operation for operation in OPERATION_LIST.validate_python(await self.operations_json(headers))}

    async def operations_json(self, headers: Mapping[str, str]) -> list[Any]:
        """Return the descriptions of all reachable services' operations, as parsed JSON."""
        requests = [self.ask(service, "GET", "/operations", headers=headers) for service in self.clients]
        answers = await asyncio.gather(*requests, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, ReelwrightError):
                raise answer
        return [operation for answer in answers if not isinstance(answer, BaseException) for operation in answer]

    async def readiness(self) -> dict[str, str]:
        """Return the readiness of each service, by service name.

        It is the service's answer to `GET /ready`, or the reason why it cannot be reached.
        """

        async def state_of(service: str) -> str:
            try:
                return str((await self.ask(service, "GET", "/ready", timeout_s=READY_TIMEOUT_S))["status"])
            except ReelwrightError as error:
                return error.detail

        return dict(zip(self.clients, await asyncio.gather(*map(state_of, self.clients)), strict=True))

    async def close(self) -> None:
        """Close all connections."""
        for client in self.clients.values():
            await client.aclose()


async def send(client: httpx.AsyncClient, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
    """Send a request; repeat it once if it fails and a repeat is safe.

    If the connection breaks before the answer, a safe request (RFC 9110, 9.2.1) is sent again, since another replica may answer. Other
    requests are not repeated, because the service may have acted on them.
    """
    try:
        return await client.send(request, stream=stream)
    except (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError):
        if request.method not in SAFE or "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0":
            raise
        return await client.send(request, stream=stream)


def unreachable(service: str) -> Unavailable:
    """Return the error that says that a service cannot be reached."""
    return Unavailable(
        f"The service {service} does not answer. Try again soon; other services are not affected.", headers={"Retry-After": "5"}
    )


def credentials(settings: Settings, owner: str) -> dict[str, str]:
    """Return the headers for requests on behalf of `owner`, under the current quota.

    The quota is that of the current request's API key: it limits the jobs that the requests start.
    """
    access = CURRENT_ACCESS.get(None)
    return quota_credentials(settings, owner, max_jobs=access.max_jobs if access is not None and access.owner == owner else None)


def quota_credentials(settings: Settings, owner: str, *, max_jobs: int | None) -> dict[str, str]:
    """Return the headers for requests on behalf of `owner`, under a given quota.

    `max_jobs`: unfinished jobs that the owner may have; None: any number.
    """
    if owner == PUBLIC:
        return {}
    return {"Authorization": f"Bearer {internal_token(settings.data_dir, owner, max_jobs=max_jobs)}"}
