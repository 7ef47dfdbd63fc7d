"""Exception handlers that answer with problem details (RFC 9457)."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.errors import Invalid, ReelwrightError, Unavailable
from shared.http.params_text import invalid
from shared.http.problems import problem_response

log = logging.getLogger(__name__)


def add_handlers(app: FastAPI) -> None:
    """Add an exception handler for each kind of error."""
    app.add_exception_handler(ReelwrightError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _no_database)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ReelwrightError)
    return problem_response(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid(error.errors()))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    titles = {404: "Not found", 405: "Method not allowed"}
    body = {"type": "about:blank", "title": titles.get(error.status_code, str(error.detail)), "status": error.status_code}
    body["detail"] = f"{request.method} {request.url.path}: {error.detail}. GET /docs lists all addresses."
    return JSONResponse(body, error.status_code, headers=error.headers, media_type="application/problem+json")


async def _no_database(request: Request, error: Exception) -> Response:
    """Answer 503 because the database is unreachable or locked.

    Accepted jobs are on disk already.
    """
    log.warning("%s %s: the database did not answer: %s", request.method, request.url.path, error)
    return problem_response(Unavailable("The database does not answer. Try again soon.", headers={"Retry-After": "5"}))


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """End a request whose client has disconnected.

    Nobody reads the answer.
    """
    return problem_response(Invalid("The connection was closed before the whole request had arrived."))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_response(ReelwrightError("Unexpected server error. The log of the server has the details."))
