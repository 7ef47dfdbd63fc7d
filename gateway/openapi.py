"""One OpenAPI document over the gateway and every service behind it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from gateway.routing.upstream import Upstreams
from shared.errors import ReelwrightError

# What every service has for itself; from outside, the gateway's own count.
INTERNAL = frozenset({"/health", "/ready", "/metrics", "/docs", "/openapi.json", "/models"})

# The order of the API page: what a newcomer needs first stands first.
FIRST = ("media",)
LAST = ("jobs", "pipelines", "operations", "models", "uploads", "service")


async def merged(own: dict[str, Any], upstreams: Upstreams, *, keys_needed: bool) -> dict[str, Any]:
    """The gateway's document `own` with the paths and schemas of the services that answer, and a button for the key where one is needed."""
    document = copy.deepcopy(own)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    silent = []
    for service in upstreams.clients:
        try:
            theirs = await upstreams.ask(service, "GET", "/openapi.json")
        except ReelwrightError:
            silent.append(service)
            continue
        theirs = _with_own_names(theirs, schemas, service)
        schemas |= theirs.get("components", {}).get("schemas", {})
        document["paths"] |= {f"/v1/{service}{path}": item for path, item in theirs["paths"].items() if path not in INTERNAL}
    for operation in _operations(document):
        _tell_problems_apart(operation)
    used = list(dict.fromkeys(tag for operation in _operations(document) for tag in operation.get("tags", [])))
    of_services = [tag for tag in used if tag not in FIRST and tag not in LAST]
    document["tags"] = [{"name": tag} for tag in (*FIRST, *of_services, *LAST) if tag in used]
    if keys_needed:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
        document["security"] = [{"key": []}]
    if silent:
        document["info"]["description"] += f"\n\n**Not answering at the moment:** {', '.join(silent)}."
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every method of every path."""
    for item in document["paths"].values():
        yield from (operation for operation in item.values() if isinstance(operation, dict))


def _tell_problems_apart(operation: dict[str, Any]) -> None:
    """Refusals are `application/problem+json`, which FastAPI's `responses` cannot say."""
    for response in operation.get("responses", {}).values():
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/Problem"):
            content["application/problem+json"] = content.pop("application/json")


def _with_own_names(document: dict[str, Any], taken: dict[str, Any], service: str) -> dict[str, Any]:
    """The document with those schemas renamed whose name means something else already."""
    schemas = document.get("components", {}).get("schemas", {})
    clashing = {name for name, schema in schemas.items() if name in taken and taken[name] != schema}
    text = json.dumps(document)
    for name in clashing:
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{service}.{name}"')
    renamed: dict[str, Any] = json.loads(text)
    if clashing:
        found = renamed["components"]["schemas"]
        renamed["components"]["schemas"] = {f"{service}.{name}" if name in clashing else name: schema for name, schema in found.items()}
    return renamed
