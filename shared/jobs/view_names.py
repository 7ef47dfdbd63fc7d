"""Idempotency keys of the jobs that make views of media.

A view is a small file that shows a medium to users: a proxy (small copy), a strip of pictures, or the peaks of the sound.
"""

PROXY = "proxy"
"""Name of the view that previews run on: a small copy of the video."""

VIEW_KEYS = "view/"
"""Prefix of the idempotency keys of jobs that make views."""


def view_key(view: str, media_id: str, alpha: str | None = None) -> str:
    """Return the idempotency key of the job that makes a medium's view.

    By this key, the gateway and the previews find the job. `alpha`: id of the matte in the view.
    """
    return f"{VIEW_KEYS}{view}/{media_id}" + (f"/{alpha}" if alpha else "")
