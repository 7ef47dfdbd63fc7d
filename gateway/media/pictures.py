"""Routes that list, send and take out the pictures in a zip file.

A picture that is taken out becomes a medium.
"""

import hashlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, suppress
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as PathParam
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from gateway.media.file_responses import is_known
from gateway.media.requests import REFUSED, MediaId, owner_of
from gateway.media.services import MediaServices
from shared.errors import NotFound, UnknownMedia
from shared.http.json_route import JsonRoute
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.media.disk import on_disk
from shared.media.ingestion import ingest
from shared.media.names import content_disposition
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.media.types import IMAGES
from shared.media.zip_files.picture_zip import open_picture, read_chunks, zip_contents
from shared.operation import Kind

CHUNK_BYTES = 1024 * 1024
UNKNOWN = problems(_404="Unknown media or picture, or media of another owner")
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {kind.content_type: BINARY for kind in IMAGES.values()}},
    304: {"description": "Unchanged since the ETag in If-None-Match"},
}
TAKEN: dict[int | str, dict[str, Any]] = {200: {"model": MediaRecord, "description": "Your medium with the same bytes"}, **REFUSED}

Name = Annotated[str, PathParam(description="Name of the picture, as in the list.")]


class PictureInfo(BaseModel):
    """A picture in a zip file."""

    name: str
    bytes: int
    content_type: str
    url: str = Field(description="URL of the picture, relative to the server.")


class PictureList(BaseModel):
    """List of the pictures in a zip file, sorted by name."""

    items: list[PictureInfo]


def picture_routes(services: MediaServices) -> APIRouter:
    """Return the routes for the pictures in zip files."""
    router = APIRouter(
        prefix="/v1/media/{media_id}/files",
        tags=["media"],
        responses=UNKNOWN,
        route_class=JsonRoute,
        dependencies=[Depends(refuse_unknown_query)],
    )
    _add_reading(router, services)
    _add_taking_out(router, services)
    return router


def _add_reading(router: APIRouter, services: MediaServices) -> None:
    """Add the routes that list and send the pictures."""

    @router.get("", summary="List the pictures in a zip file")
    async def list_pictures(media_id: MediaId, request: Request) -> PictureList:
        return PictureList(items=await on_disk(_listed, services, owner_of(request), media_id))

    @router.get("/{name:path}", summary="Download one picture", response_class=Response, responses=PICTURE)
    @router.head("/{name:path}", include_in_schema=False)
    async def picture(media_id: MediaId, name: Name, request: Request) -> Response:
        record, path = await on_disk(_zip_file, services.store, owner_of(request), media_id)
        with ExitStack() as stack:
            kind, file = await on_disk(stack.enter_context, open_picture(path, name))
            headers = {"ETag": f'"{record.sha256}"', "Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
            if is_known(request.headers.get("if-none-match"), headers["ETag"]):
                return Response(status_code=304, headers=headers)
            # Read the whole picture first, so that a damaged picture is answered with a problem instead of a truncated body.
            headers["Content-Length"] = str(await on_disk(_read_through, file))
            headers["Content-Disposition"] = content_disposition(name.rpartition("/")[2], download=False)
            if request.method == "HEAD":
                return Response(media_type=kind.content_type, headers=headers)
            return StreamingResponse(_rest_of(file, stack.pop_all()), media_type=kind.content_type, headers=headers)


def _add_taking_out(router: APIRouter, services: MediaServices) -> None:
    """Add the route that copies one picture out of a zip file."""

    @router.post("/{name:path}", status_code=201, summary="Make a medium of one picture", responses=TAKEN)
    async def take_out(media_id: MediaId, name: Name, request: Request, response: Response) -> MediaRecord:
        """Copy a picture out of a zip file as a new medium.

        It can then be an input of jobs. If you have a medium with the same bytes, it is answered, and nothing is copied.
        """
        owner = owner_of(request)
        record, path = await on_disk(_zip_file, services.store, owner, media_id)
        with ExitStack() as stack:
            _, file = await on_disk(stack.enter_context, open_picture(path, name))
            with suppress(UnknownMedia):
                twin = await services.by_hash(owner, await on_disk(_digest_of, file))
                response.status_code = 200
                return twin
            async with aclosing(_chunks_of(file)) as chunks:
                picture = await ingest(
                    chunks,
                    store=services.store,
                    probe=services.probe,
                    owner=owner,
                    name=name.rpartition("/")[2],
                    source=record.source,
                    max_bytes=services.settings.max_upload_bytes,
                )
        response.headers["Location"] = picture.urls.self_
        return picture


def _zip_file(store: MediaStore, owner: str, media_id: str) -> tuple[MediaRecord, Path]:
    """Return the record and the path of a zip file of pictures.

    Raises NotFound for other media.
    """
    record = store.get(owner, media_id)
    if record.kind is not Kind.IMAGES:
        raise NotFound(f"{record.name} is of kind {record.kind}: only media of kind images contain files.")
    return record, store.content_path(owner, media_id)


def _listed(services: MediaServices, owner: str, media_id: str) -> list[PictureInfo]:
    """List the pictures in a zip file."""
    _, path = _zip_file(services.store, owner, media_id)
    return [
        PictureInfo(
            name=picture.name,
            bytes=picture.size,
            content_type=picture.kind.content_type,
            url=f"/v1/media/{media_id}/files/{quote(picture.name)}",
        )
        for picture in zip_contents(path, services.settings.max_upload_bytes).pictures
    ]


def _read_through(file: IO[bytes]) -> int:
    """Read a whole file, rewind it and return its size in bytes.

    Raises an error if the file is damaged.
    """
    size = sum(map(len, read_chunks(file)))
    file.seek(0)
    return size


def _digest_of(file: IO[bytes]) -> str:
    """Return the SHA-256 of a whole file, and rewind it."""
    digest = hashlib.sha256()
    for chunk in read_chunks(file):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


async def _chunks_of(file: IO[bytes]) -> AsyncGenerator[bytes]:
    """Yield the bytes of a file, which is read in threads."""
    while chunk := await on_disk(file.read, CHUNK_BYTES):
        yield chunk


def _rest_of(file: IO[bytes], stack: ExitStack) -> Iterator[bytes]:
    with stack:
        yield from read_chunks(file)
