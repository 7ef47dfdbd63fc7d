"""Keys of view jobs, and names of inputs that other jobs make.

A view is a small file that shows a medium to users: a proxy (small copy), a strip of pictures, or the peaks of the sound.
"""

PROXY = "proxy"
"""The view that previews run on."""

VIEW_KEYS = "view/"
"""Prefix of the idempotency keys of jobs that make views."""

MAKING = "made:"
"""Prefix of an input that another job makes.

The input is written `made:<job id>.<output>`."""

IF_POSSIBLE = "?"
"""Suffix of an input that is left out if its job fails."""


def view_key(view: str, media_id: str, alpha: str | None = None) -> str:
    """Return the idempotency key of the job that makes a medium's view.

    By this key, the gateway and the previews find the job. `alpha`: id of the matte in the view.
    """
    return f"{VIEW_KEYS}{view}/{media_id}" + (f"/{alpha}" if alpha else "")


def made_by(source: object) -> str | None:
    """Return the id of the job that makes an input.

    None if the input is given.
    """
    if not isinstance(source, str) or not source.startswith(MAKING):
        return None
    return source.removeprefix(MAKING).partition(".")[0]
