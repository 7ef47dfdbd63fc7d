"""The base of every HTTP app: guards, error handlers, health, metrics, API pages."""

from functools import partial
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from shared.http.guards import Guard
from shared.http.handlers import add_handlers
from shared.http.health import AskOthers, add_health
from shared.http.metrics import RequestMetrics
from shared.http.middleware.methods import Methods
from shared.http.problems import problems
from shared.runtime import Runtime

CORS: dict[str, Any] = {
    "allow_methods": ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
    "allow_headers": (
        *("Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "Prefer", "Last-Event-ID", "Range", "If-Range", "If-None-Match"),
        *(
            "Tus-Resumable",
            "Upload-Length",
            "Upload-Metadata",
            "Upload-Offset",
            "Upload-Checksum",
            "X-Request-ID",
            "X-HTTP-Method-Override",
        ),
    ),
    "expose_headers": (
        *("Location", "ETag", "Retry-After", "Preference-Applied", "Content-Range", "Content-Disposition", "X-Request-ID"),
        *("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"),
        *("Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires", "Reelwright-Media-Id"),
    ),
    "max_age": 600,
}
"""Methods and headers that pages of the allowed origins may use. They are those of this API and of tus."""


def create_api(
    *,
    title: str,
    description: str,
    runtime: Runtime,
    reachable_by_browsers: bool,
    ask_others: AskOthers | None = None,
    service: str = "",
    entrance: bool = False,
) -> FastAPI:
    """Create an app with the shared middlewares and routes.

    `reachable_by_browsers`: the app listens on TCP rather than on a Unix socket. `ask_others`: asks the services behind this app for their
    state, which `GET /ready` shows; the app is ready even if they are not. `service`: URL name of the service; empty for the gateway.
    `entrance`: this is the app through which clients enter the suite.
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=partial(_operation_id, service),
        redirect_slashes=False,  # a redirect would name this host, which clients of the gateway do not know
        responses=problems(
            _401="API key missing or invalid",
            _403="The API key lacks a scope. On a server without API keys: a request from another site's page",
            _422="Invalid request; each field is named",
        ),
    )
    add_handlers(app)
    app.add_middleware(Methods, router=app.router)
    registry = CollectorRegistry()
    app.add_middleware(Guard, settings=runtime.settings, keys=runtime.keys, reachable_by_browsers=reachable_by_browsers, entrance=entrance)
    if entrance and runtime.settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=runtime.settings.cors_origins, **CORS)
    app.add_middleware(RequestMetrics, registry=registry)
    add_health(app, runtime, registry, ask_others)
    _add_docs(app)
    return app


def _operation_id(service: str, route: APIRoute) -> str:
    """Return the `operationId` of an API route, such as `media.upload`.

    It has the service's name, or the route's tag in the gateway, and the name of the route's function.
    """
    return f"{service or next(map(str, route.tags), 'page')}.{route.name.replace('_', '-')}"


def _add_docs(app: FastAPI) -> None:
    """Serve Swagger UI from files in this installation.

    Addresses are relative, so that the page works behind the gateway, too.
    """
    app.mount("/docs/assets", StaticFiles(directory=str(files("fastapi_offline") / "static")))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            title=app.title,
            openapi_url="./openapi.json",
            swagger_js_url="./docs/assets/swagger-ui-bundle.js",
            swagger_css_url="./docs/assets/swagger-ui.css",
            swagger_favicon_url="./docs/assets/favicon.png",
            swagger_ui_parameters={"tryItOutEnabled": True, "displayRequestDuration": True, "defaultModelsExpandDepth": 0},
        )
