"""Settings: environment variables named REELWRIGHT_*, or files of those names in /run/secrets, checked once at start.

Only the composition root (the `reelwright` command) and the start of a worker process read them, with `Settings()`, and hand them to
`use`. Library code asks `current`: without `use`, as in a notebook, that gives the defaults.
"""

import hashlib
import ipaddress
from base64 import b64decode
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import sqlalchemy as sa
from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024
DAY = 24 * 3600.0
SECRETS = Path("/run/secrets")
"""Where container engines put secrets. A file there that has a setting's name, in lower case, is that setting."""


class Settings(BaseSettings):
    """Every setting, its default, and what it is for. Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="REELWRIGHT_",
        env_ignore_empty=True,  # an empty line in .env must not take the place of a secret file
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    host: str = Field("127.0.0.1", description="Address the gateway (or a service served alone) listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port it listens on; 0 takes a free one.")
    data_dir: Path = Field(Path("var"), description="Folder of media, work files, sockets and the embedded database.")
    database_url: str = Field("", description="Postgres URL for several machines; empty: an SQLite file in the data folder.")
    database_password: SecretStr | None = Field(None, description="Password for `database_url`, where that has none.")
    models_dir: Path | None = Field(None, description="Folder of model weights; empty: `models` in the data folder.")
    models_mirror: str = Field(
        "", description="Base URL that models are pulled from instead: a web server over another machine's models folder."
    )
    models_auto_pull: bool = Field(
        False,
        validation_alias=AliasChoices("REELWRIGHT_MODELS_AUTO_PULL", "MODELS_AUTO_PULL"),
        description="Jobs may download the models they need; otherwise only `reelwright models pull` does.",
    )
    model_idle_s: float = Field(120, ge=0, description="A loaded model that no job has used for this long is dropped.")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d{1,3})?)$",
        validation_alias=AliasChoices("REELWRIGHT_DEVICE", "DEVICE"),
        description="What models run on: `auto`, `cpu`, `cuda` or `cuda:N`.",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field((), description="Comma-separated API keys; empty: no keys, loopback only.")
    published_host: str = Field(
        "", description="In a container: the address of the host machine that its port is published on; empty: `host` is what counts."
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated names besides localhost under which this server may be asked while there are no API keys."
    )
    service_urls: dict[str, str] = Field({}, description="JSON object of service name to base URL, for `reelwright serve gateway`.")

    log_format: Literal["text", "json"] = Field("text", description="Lines for people, or one JSON object a line.")

    concurrency: int = Field(2, ge=1, le=64, description="Jobs that one service runs at once, each in its own process.")
    queue_limit: int = Field(1000, ge=1, description="Jobs that may wait in one service's queue; more are answered 429.")
    job_timeout_s: float = Field(6 * 3600, gt=0, description="A job that runs longer is ended.")
    job_memory_bytes: int = Field(4096 * MIB, ge=128 * MIB, description="A job whose processes together hold more memory is ended.")
    worker_idle_s: float = Field(60, ge=0, description="A warm worker process without work for this long is ended.")
    job_ttl_s: float = Field(7 * DAY, gt=0, description="An ended job is forgotten after this long.")
    media_ttl_s: float = Field(7 * DAY, gt=0, description="Media that no remembered job refers to is deleted after this long.")
    upload_ttl_s: float = Field(DAY, gt=0, description="A resumable upload that nobody continues is deleted after this long.")
    gc_interval_s: float = Field(600, gt=0, description="How often expired jobs and media are cleared away.")

    min_free_bytes: int = Field(100 * MIB, ge=0, description="With less free on the disk of the data folder, the suite is not ready.")
    max_upload_bytes: int = Field(16 * 1024 * MIB, ge=1, description="Largest file taken.")
    max_pixels: int = Field(8192 * 4320, ge=1, description="Most pixels in one frame or image.")
    max_duration_s: float = Field(6 * 3600, gt=0, description="Longest video taken.")
    max_streams: int = Field(64, ge=1, description="Most streams in one file.")
    probe_timeout_s: float = Field(30, gt=0, description="Longest time that looking at an uploaded file may take.")
    url_timeout_s: float = Field(300, gt=0, description="Longest time that fetching a URL may take, all hops together.")
    url_allow_networks: Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode] = Field(
        (),
        description="Comma-separated private networks that URL fetches and webhooks may reach all the same, such as 10.1.0.0/16.",
    )
    webhook_secret: SecretStr | None = Field(None, description="Signing secret of webhooks that name none: `whsec_` and base64.")

    @field_validator("api_keys", "trusted_hosts", "url_allow_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("service_urls")
    @classmethod
    def _addresses(cls, urls: dict[str, str]) -> dict[str, str]:
        for name, url in urls.items():
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{name}: {url!r} has to begin with http:// or https://")
        return urls

    @field_validator("webhook_secret")
    @classmethod
    def _signs(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            try:
                b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
            except ValueError:
                raise ValueError("a secret is `whsec_` followed by base64") from None
        return secret

    @model_validator(mode="after")
    def _keys_or_loopback(self) -> Self:
        host = self.published_host or self.host
        if not self.api_keys and not is_loopback(host):
            raise ValueError(f"REELWRIGHT_HOST={host} can be reached by others: set REELWRIGHT_API_KEYS, or listen on 127.0.0.1")
        return self

    @property
    def models_folder(self) -> Path:
        """Where models lie."""
        return (self.models_dir or self.data_dir / "models").absolute()

    @cached_property
    def database(self) -> str:
        """`database_url` with its password; empty for SQLite in the data folder."""
        if not self.database_url or self.database_password is None:
            return self.database_url
        url = sa.make_url(self.database_url)
        return url.set(password=url.password or self.database_password.get_secret_value()).render_as_string(hide_password=False)

    @cached_property
    def owners(self) -> dict[str, str]:
        """API key -> the owner name that its jobs and media are kept under."""
        return {key.get_secret_value(): owner_of(key.get_secret_value()) for key in self.api_keys}


class _Process:
    """The settings of this process. One value for all threads: decoders and models run in threads of their own."""

    settings: Settings | None = None


def use(settings: Settings) -> None:
    """Make `settings` those of this process."""
    _Process.settings = settings


def current() -> Settings:
    """Return the settings of this process: those given to `use`, or the defaults."""
    return _Process.settings or _defaults()


@cache
def _defaults() -> Settings:
    return Settings.model_construct()


PUBLIC = "public"
"""The owner of everything while no API keys are set."""


def owner_of(key: str) -> str:
    """A name for an API key that does not give the key away."""
    return "k" + hashlib.sha256(key.encode()).hexdigest()[:16]


def is_loopback(host: str) -> bool:
    """Whether a server on `host` can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
