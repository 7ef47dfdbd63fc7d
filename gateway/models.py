"""Routes that list the machine-learning models and whether they are installed."""

import asyncio

from fastapi import APIRouter, Depends, Request

from gateway.routing.upstream import Upstreams, credentials
from shared.errors import ReelwrightError, UnknownModel
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.models.folder import ModelFolder
from shared.models.info import ModelInfo, describe_model
from shared.settings import Settings


def model_routes(upstreams: Upstreams, settings: Settings) -> APIRouter:
    """Return the routes under /v1/models."""
    router = APIRouter(prefix="/v1/models", tags=["models"], dependencies=[Depends(refuse_unknown_query)])

    @router.get("", name="list", summary="List all models with licence, size, source and whether they are installed")
    async def models(request: Request) -> list[ModelInfo]:
        return await known_models(upstreams, settings, request.state.owner)

    @router.get("/{name}", name="read", summary="Read one model", responses=problems(_404="Unknown model"))
    async def model(name: str, request: Request) -> ModelInfo:
        for info in await known_models(upstreams, settings, request.state.owner):
            if info.name == name:
                return info
        raise UnknownModel(f"No model is called {name[:64]!r}. GET /v1/models lists them.")

    return router


async def known_models(upstreams: Upstreams, settings: Settings, owner: str) -> list[ModelInfo]:
    """Return all models of the catalog, and whether each is installed.

    Each service may have its own models folder, so the state of a model comes from a service that uses it. For a model that no running
    service uses, the state comes from the gateway's models folder.
    """
    headers = credentials(settings, owner)
    requests = [upstreams.ask(service, "GET", "/models", headers=headers) for service in upstreams.clients]
    answers = await asyncio.gather(*requests, return_exceptions=True)
    infos: dict[str, ModelInfo] = {}
    for answer in answers:
        if isinstance(answer, BaseException):
            if not isinstance(answer, ReelwrightError):
                raise answer
            continue  # the service is down
        infos |= {model["name"]: ModelInfo.model_validate(model) for model in answer if model["name"] not in infos}
    folder = ModelFolder(settings.models_folder)
    missing = [model for model in folder.catalog if model.name not in infos]
    infos |= {model.name: await asyncio.to_thread(describe_model, folder, model) for model in missing}
    return [infos[model.name] for model in folder.catalog]
