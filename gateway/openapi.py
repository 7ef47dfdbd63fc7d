"""The merged OpenAPI document of the gateway and all services."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from gateway.routing.upstream import Upstreams
from shared.errors import ReelwrightError

# Paths that every service has. Clients see only those of the gateway.
INTERNAL = frozenset({"/health", "/ready", "/metrics", "/docs", "/openapi.json", "/models"})

# Tags at the top and at the bottom of the API page. A newcomer starts with media.
FIRST = ("media",)
LAST = ("jobs", "webhooks", "pipelines", "operations", "models", "uploads", "service")


async def merged(own: dict[str, Any], upstreams: Upstreams, *, keys_needed: bool) -> dict[str, Any]:
    """Merge the gateway's document `own` with the services' documents.

    Services that do not answer are listed in the description. `keys_needed` adds the security scheme, so that the API page asks for an API
    key.
    """
    document = copy.deepcopy(own)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    silent = []
    for service in upstreams.clients:
        try:
            described = await upstreams.ask(service, "GET", "/openapi.json")
        except ReelwrightError:
            silent.append(service)
            continue
        described = _rename_clashes(described, schemas, service)
        schemas |= described.get("components", {}).get("schemas", {})
        document["paths"] |= {f"/v1/{service}{path}": item for path, item in described["paths"].items() if path not in INTERNAL}
    for operation in _operations(document):
        _set_problem_type(operation)
    tag_names = list(dict.fromkeys(tag for operation in _operations(document) for tag in operation.get("tags", [])))
    of_services = [tag for tag in tag_names if tag not in FIRST and tag not in LAST]
    document["tags"] = [{"name": tag} for tag in (*FIRST, *of_services, *LAST) if tag in tag_names]
    if keys_needed:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
        document["security"] = [{"key": []}]
    if silent:
        document["info"]["description"] += f"\n\n**Not answering:** {', '.join(silent)}."
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the operation object of each method of each path."""
    for item in document["paths"].values():
        yield from (operation for operation in item.values() if isinstance(operation, dict))


def _set_problem_type(operation: dict[str, Any]) -> None:
    """Give error responses the media type `application/problem+json`.

    The `responses` argument of FastAPI cannot express it.
    """
    for response in operation.get("responses", {}).values():
        content = response.get("content", {})
        for kind in [kind for kind, body in content.items() if body.get("schema", {}).get("$ref", "").endswith("/Problem")]:
            content["application/problem+json"] = content.pop(kind)  # `kind`: the media type of the route's other responses


def _rename_clashes(document: dict[str, Any], existing: dict[str, Any], service: str) -> dict[str, Any]:
    """Rename the schemas of `document` whose names `existing` uses for different schemas.

    A schema that both have is renamed, too, if it refers to a renamed schema. `ModelUsed` of the service `speed-ramp` becomes
    `SpeedRampModelUsed`.
    """
    prefix = "".join(part.capitalize() for part in service.split("-"))
    schemas = document.get("components", {}).get("schemas", {})
    common = {name for name in schemas if name in existing}
    texts = {name: json.dumps(schemas[name]) for name in common}
    clashing: set[str] = set()
    more = {name for name in common if existing[name] != schemas[name]}
    while more:
        clashing |= more
        references = [f'"#/components/schemas/{name}"' for name in more]
        more = {name for name in common - clashing if any(reference in texts[name] for reference in references)}
    text = json.dumps(document)
    for name in clashing:
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{prefix}{name}"')
    renamed: dict[str, Any] = json.loads(text)
    own = renamed.get("components", {}).get("schemas", {})
    for name in clashing:
        own[f"{prefix}{name}"] = own.pop(name) | {"title": f"{prefix}{name}"}
    return renamed
