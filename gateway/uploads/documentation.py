"""OpenAPI descriptions of the tus 1.0 headers."""

from typing import Any

VERSION = "1.0.0"
BODY_TYPE = "application/offset+octet-stream"

INTEGER: dict[str, Any] = {"type": "integer", "minimum": 0}
TEXT: dict[str, Any] = {"type": "string"}
TUS: dict[str, Any] = {"type": "string", "enum": [VERSION]}

_REQUEST: dict[str, tuple[str, dict[str, Any]]] = {
    "Tus-Resumable": ("Version of the protocol.", TUS),
    "Upload-Length": ("Size of the whole file in bytes.", INTEGER),
    "Upload-Offset": ("Number of bytes that the server already has. The body continues after them.", INTEGER),
    "Upload-Metadata": ("Comma-separated pairs of a key and a base64 value: `filename` is the name of the file.", TEXT),
    "Upload-Checksum": ("Algorithm and base64 digest of the body, such as `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`.", TEXT),
}
_ANSWER: dict[str, tuple[str, dict[str, Any]]] = {
    "Tus-Resumable": ("Version of the protocol.", TUS),
    "Location": ("Address of the upload.", TEXT),
    "Upload-Offset": ("Number of bytes that the server has.", INTEGER),
    "Upload-Length": ("Size of the whole file in bytes.", INTEGER),
    "Upload-Metadata": ("The same value as at the creation of the upload.", TEXT),
    "Upload-Expires": ("Time at which the upload is deleted if it is unfinished.", TEXT),
    "Reelwright-Media-Id": ("Id of the medium; only after the upload is complete.", TEXT),
    "Content-Location": ("Address of the medium; only after the upload is complete.", TEXT),
    "Tus-Version": ("Versions of the protocol.", TEXT),
    "Tus-Extension": ("Extensions of the protocol.", TEXT),
    "Tus-Max-Size": ("Maximum size of a file in bytes.", INTEGER),
    "Tus-Checksum-Algorithm": ("Algorithms of `Upload-Checksum`.", TEXT),
}


def request_headers(*required: str, optional: tuple[str, ...] = (), body: bool = False) -> dict[str, Any]:
    """Return the `openapi_extra` of a route whose requests have tus headers.

    `body`: whether the requests carry bytes of the file.
    """
    parameters = [
        {"name": name, "in": "header", "required": name not in optional, "description": _REQUEST[name][0], "schema": _REQUEST[name][1]}
        for name in ("Tus-Resumable", *required, *optional)
    ]
    binary = {"requestBody": {"content": {BODY_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}
    return {"parameters": parameters} | (binary if body else {})


def answer_headers(status: int, description: str, *names: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route whose answer has tus headers and no body."""
    headers = {name: {"description": _ANSWER[name][0], "schema": _ANSWER[name][1]} for name in ("Tus-Resumable", *names)}
    return {status: {"description": description, "headers": headers}}
