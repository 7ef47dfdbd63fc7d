"""Job inputs that are given as URLs.

When the job is accepted, each URL gets the id of its future medium, so that the job is stored with ids only. A fetch that is repeated after
a restart makes the same medium.
"""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from shared.errors import FieldError, Invalid, ReelwrightError
from shared.jobs.record import UrlInput
from shared.media.ids import new_id
from shared.net.addresses import check_address
from shared.net.download import check_url
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class UrlFetch:
    """A URL to fetch for an accepted job, and its future media id.

    `field`: the first input that names it. `kinds`: kinds of media that the input takes; empty: unknown here.
    """

    media_id: str
    url: str
    name: str | None
    field: str
    kinds: tuple[str, ...] = ()
    done: bool = False

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "UrlFetch":
        """Convert stored JSON to a fetch."""
        return cls(**dict(stored) | {"kinds": tuple(stored["kinds"])})

    def dump(self) -> dict[str, Any]:
        """Convert the fetch to JSON for storage."""
        return asdict(self) | {"kinds": list(self.kinds)}


class Reservation:
    """A reservation of media ids for the URLs of one request.

    The same URL gets the same id.
    """

    def __init__(self) -> None:
        self._fetches: dict[UrlInput, UrlFetch] = {}

    @property
    def fetches(self) -> list[UrlFetch]:
        """The URLs to fetch, with their reserved media ids."""
        return list(self._fetches.values())

    def inputs(self, inputs: Mapping[str, Any], kinds: Mapping[str, tuple[str, ...]], field: str = "inputs") -> dict[str, Any]:
        """Return the inputs with a reserved media id in place of each URL.

        `kinds`: accepted kinds of each input. `field`: name of the field that holds the inputs.
        """
        return {name: self._value(source, f"{field}.{name}", kinds.get(name, ())) for name, source in inputs.items()}

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a pipeline's params with a media id in place of each URL.

        The URLs are inputs of its steps.
        """
        if not isinstance(params.get("steps"), list):
            return dict(params)
        return dict(params) | {
            "steps": [
                step | {"inputs": self.inputs(step.get("inputs", {}), {}, f"steps.{number}.inputs")}
                for number, step in enumerate(params["steps"])
            ]
        }

    def _value(self, source: Any, field: str, kinds: tuple[str, ...]) -> Any:
        if isinstance(source, list):
            return [self._value(item, field, kinds) for item in source]
        if isinstance(source, dict):
            source = UrlInput.model_validate(source)
        if not isinstance(source, UrlInput):
            return source
        if source not in self._fetches:
            self._fetches[source] = UrlFetch(media_id=new_id(), url=source.url, name=source.name, field=field, kinds=kinds)
        return self._fetches[source].media_id


def with_urls(value: Any, fetches: Mapping[str, UrlFetch]) -> Any:
    """Restore the URLs of unfetched media in stored inputs or params.

    `fetches`: pending fetches by media id.
    """
    if isinstance(value, dict):
        return {name: with_urls(item, fetches) for name, item in value.items()}
    if isinstance(value, list):
        return [with_urls(item, fetches) for item in value]
    fetch = fetches.get(value) if isinstance(value, str) else None
    return value if fetch is None else UrlInput(url=fetch.url, name=fetch.name).model_dump()


def check_url_input(source: UrlInput, field: str, settings: Settings) -> None:
    """Raise Invalid or ForbiddenAddress for a URL that may not be fetched.

    The error names the field. Host names are resolved and checked when the URL is fetched.
    """
    try:
        host = check_url(source.url).host
        with suppress(ValueError):
            check_address(str(ipaddress.ip_address(host)), host=host, allowed=settings.url_allow_networks)
    except ReelwrightError as error:
        raise at_field(error, field) from None


def at_field(error: ReelwrightError, field: str) -> ReelwrightError:
    """Return `error` as an error about one field of a request."""
    return type(error)(f"{field}: {error.detail}", errors=[FieldError(field=field, detail=error.detail)], headers=error.headers)


def has_urls(inputs: Mapping[str, Any]) -> bool:
    """Return whether any input is a URL."""
    return any(isinstance(item, UrlInput) for source in inputs.values() for item in (source if isinstance(source, list) else [source]))


def refuse_urls(inputs: Mapping[str, Any], reason: str) -> None:
    """Raise Invalid if any input is a URL."""
    for name, source in inputs.items():
        if has_urls({name: source}):
            raise Invalid(f"inputs.{name}: {reason}.", errors=[FieldError(field=f"inputs.{name}", detail=reason)])


def without_urls(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return only the inputs that are media ids."""
    return {name: source for name, source in inputs.items() if not has_urls({name: source})}
