"""Names of the jobs that make views of media: proxies, strips, peaks."""

PROXY = "proxy"
"""The view that previews run on."""


def view_key(view: str, media_id: str, alpha: str | None = None) -> str:
    """Return the idempotency key of the job that makes a view.

    By it the gateway and the previews find the job again. `alpha`: id of the matte in the view.
    """
    return f"view/{view}/{media_id}" + (f"/{alpha}" if alpha else "")
