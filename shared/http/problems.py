"""Errors as HTTP responses with problem details (RFC 9457)."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from shared.errors import ReelwrightError


class Problem(BaseModel):
    """The reason why a request was refused (RFC 9457)."""

    type: str = Field(examples=["/problems/invalid"])
    title: str = Field(examples=["Invalid request"])
    status: int = Field(examples=[422])
    detail: str = Field(description="What was wrong, with the value, and what to do.")
    errors: list[dict[str, str]] | None = Field(None, description="One entry per field: `field`, its path, and `detail`.")


def problems(**texts: str) -> dict[int | str, dict[str, Any]]:
    """Describe error responses to FastAPI, one for each argument such as `_404="description"`."""
    return {int(code[1:]): {"model": Problem, "description": text} for code, text in texts.items()}


NOT_JSON = problems(_413="The body is too large", _415="The content type is not JSON")


def problem_response(error: ReelwrightError) -> JSONResponse:
    """Convert an error to an `application/problem+json` response."""
    return JSONResponse(error.problem(), error.status, headers=error.headers, media_type="application/problem+json")
