"""`GET /v1/models`: every model that is known, as the services that use it have it."""

import asyncio

from fastapi import APIRouter, Request

from gateway.routing.upstream import Upstreams, credentials
from shared.errors import ReelwrightError, UnknownModel
from shared.http.problems import problems
from shared.models.folder import ModelFolder
from shared.models.info import ModelInfo, describe_model
from shared.settings import Settings


def model_routes(upstreams: Upstreams, settings: Settings) -> APIRouter:
    """Everything under /v1/models."""
    router = APIRouter(prefix="/v1/models", tags=["models"])

    @router.get("", summary="Every model: licence, commercial use, size, where it comes from, whether it is installed")
    async def models(request: Request) -> list[ModelInfo]:
        return await known_models(upstreams, settings, request.state.owner)

    @router.get("/{name}", summary="One model", responses=problems(_404="Unknown model"))
    async def model(name: str, request: Request) -> ModelInfo:
        for one in await known_models(upstreams, settings, request.state.owner):
            if one.name == name:
                return one
        raise UnknownModel(f"No model is called {name[:64]!r}. GET /v1/models lists them.")

    return router


async def known_models(upstreams: Upstreams, settings: Settings, owner: str) -> list[ModelInfo]:
    """Every model of the catalog. Whether one is installed is what a service that uses it says: each may have a folder of its own.

    Of a model that no running service uses, the gateway's own models folder is looked into.
    """
    headers = credentials(settings, owner)
    asked = [upstreams.ask(service, "GET", "/models", headers=headers) for service in upstreams.clients]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    told: dict[str, ModelInfo] = {}
    for answer in answers:
        if isinstance(answer, BaseException):
            if not isinstance(answer, ReelwrightError):
                raise answer
            continue  # a service that is down says nothing
        told |= {one["name"]: ModelInfo.model_validate(one) for one in answer if one["name"] not in told}
    folder = ModelFolder(settings.models_folder)
    missing = [model for model in folder.catalog if model.name not in told]
    told |= {model.name: await asyncio.to_thread(describe_model, folder, model) for model in missing}
    return [told[model.name] for model in folder.catalog]
