"""A small HTTP client of a suite, for the command line."""

import mimetypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from shared.errors import OperationFailed

POLL_S = 0.3
OnProgress = Callable[[dict[str, Any]], None]


class Remote:
    """A running suite."""

    def __init__(self, url: str, key: str = ""):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=httpx.Timeout(30, read=None, write=None))

    def get(self, path: str, **query: Any) -> Any:
        """Send a GET; return the JSON answer."""
        return _json(self._client.get(path, params=query))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send a POST; return the JSON answer."""
        return _json(self._client.post(path, json=body))

    def upload(self, path: Path) -> str:
        """Upload a file; return its media id."""
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        with path.open("rb") as file:
            media_id: str = _json(self._client.post("/v1/media", files={"file": (path.name, file, content_type)}))["id"]
        return media_id

    def download(self, media_id: str, path: Path) -> None:
        """Download the file of a media item to `path`.

        It is renamed into place when complete.
        """
        partial = path.with_name(f".{path.name}.part")
        try:
            with self._client.stream("GET", f"/v1/media/{media_id}/content") as answer, partial.open("wb") as file:
                if answer.is_error:
                    answer.read()
                    _json(answer)
                for chunk in answer.iter_bytes():
                    file.write(chunk)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def run(self, path: str, body: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
        """Submit a job and wait for its end.

        Raises OperationFailed if it does not succeed; an interrupt cancels it.
        """
        job: dict[str, Any] = self.post(path, body)
        try:
            while job["status"] in ("queued", "running"):
                time.sleep(POLL_S)
                job = self.get(job["urls"]["self"])
                if job["progress"]:
                    on_progress(job["progress"])
        except KeyboardInterrupt:
            self.post(job["urls"]["cancel"], {})
            raise
        if job["status"] != "succeeded":
            raise OperationFailed((job["error"] or {}).get("detail", f"job {job['id']} was {job['status']}"))
        return job


def _json(answer: httpx.Response) -> Any:
    try:
        body = answer.json()
    except ValueError:
        raise OperationFailed(f"{answer.request.url} answered {answer.status_code}, which is not an answer of Reelwright.") from None
    if answer.is_error:
        raise OperationFailed(str(body.get("detail", body)))
    return body
