"""Settings, read from environment variables named REELWRIGHT_*.

Files of those names in /run/secrets work, too. Values are checked once, at the start. Only the composition root (the `reelwright` command)
and the start of a worker process read them, with `Settings()`, and hand them to `use`. Library code calls `current`, which gives the
defaults without `use`, as in a notebook.
"""

import hashlib
import ipaddress
import os
import re
from base64 import b64decode
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024
DAY = 24 * 3600.0
SECRETS = Path("/run/secrets")
"""Folder for secrets of container engines. A file named after a setting, in lower case, holds its value."""
KEY_FILE = "keys.json"
"""File of API keys in the data folder. `reelwright keys add <name>` makes them."""
LEAST_KEY_CHARS = 24
"""Shortest API key or metrics key. Shorter ones can be guessed."""
ORIGIN = re.compile(r"https?://[\w.-]+(:\d{1,5})?|https?://\[[\da-f:]+\](:\d{1,5})?", re.ASCII | re.IGNORECASE)


class Settings(BaseSettings):
    """Every setting with its default and its purpose.

    Times are in seconds, sizes in bytes.
    """

    model_config = SettingsConfigDict(
        env_prefix="REELWRIGHT_",
        env_ignore_empty=True,  # an empty line in .env must not override a secret file
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    host: str = Field("127.0.0.1", description="Address on which the gateway, or a service that runs alone, listens.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    data_dir: Path = Field(Path("var"), description="Folder for media, work files, sockets and the embedded database.")
    database_url: str = Field("", description="Postgres URL, needed for several machines; empty: an SQLite file in the data folder.")
    database_password: SecretStr | None = Field(None, description="Password for `database_url`, if the URL has none.")
    models_dir: Path | None = Field(None, description="Folder of model weights; empty: `models` in the data folder.")
    models_mirror: str = Field(
        "", description="Base URL to pull models from instead of their publishers: a web server over another machine's models folder."
    )
    models_auto_pull: bool = Field(
        False,
        validation_alias=AliasChoices("REELWRIGHT_MODELS_AUTO_PULL", "MODELS_AUTO_PULL"),
        description="Let jobs download missing models; otherwise only `reelwright models pull` does.",
    )
    model_idle_s: float = Field(120, ge=0, description="Seconds without use after which a loaded model is dropped from memory.")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d{1,3})?)$",
        validation_alias=AliasChoices("REELWRIGHT_DEVICE", "DEVICE"),
        description="Device for models and for video decoding and encoding: `auto`, `cpu` (never a GPU), `cuda`, or `cuda:N` for the GPU "
        "with this number in `nvidia-smi`.",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description=f"Comma-separated API keys of at least {LEAST_KEY_CHARS} characters, besides those of `reelwright keys add <name>`. "
        "Without any key, only this machine can use the suite.",
    )
    metrics_key: SecretStr | None = Field(
        None,
        description=f"Key of `GET /metrics` while there are API keys, of at least {LEAST_KEY_CHARS} characters; without it only API keys "
        "with the scope `admin` read metrics.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated origins, such as https://app.example.com, whose pages may call the API. Empty: only the suite's own.",
    )
    published_host: str = Field(
        "", description="In a container: the host machine's address on which the port is published; empty: same as `host`."
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated host names, besides localhost, that requests may use while there are no API keys."
    )
    service_urls: dict[str, str] = Field(
        {}, description="JSON object of service names and their base URLs, for `reelwright serve gateway`."
    )

    log_format: Literal["text", "json"] = Field("text", description="Log format: lines of text, or one JSON object per line.")

    concurrency: int = Field(
        0,
        ge=0,
        le=64,
        description="Number of jobs that one service runs at once, each in its own process; 0: half the cores, at least 2 and at most 8.",
    )
    sandbox: Literal["auto", "require", "off"] = Field(
        "auto",
        description="Limits on the files and network that worker processes use. `auto`: all limits that the kernel supports; `require`: "
        "refuse jobs and uploads if the kernel lacks Landlock; `off`: no limits, for drivers that fail under them.",
    )
    sandbox_read: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Comma-separated files and folders that worker processes may read besides their inputs, the models and Python."
    )
    sandbox_write: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Comma-separated folders that worker processes may also write, such as a compiler's cache."
    )
    queue_limit: int = Field(1000, ge=1, description="Number of jobs that may wait in one service's queue; more are refused with 429.")
    job_timeout_s: float = Field(6 * 3600, gt=0, description="Time limit of a job.")
    job_memory_bytes: int = Field(4096 * MIB, ge=128 * MIB, description="Memory limit of a job: all its processes together.")
    worker_idle_s: float = Field(60, ge=0, description="Seconds after which an idle worker process is ended.")
    spare_workers: bool = Field(
        True, description="Keep an idle worker process ready for each service while memory is free, so that the first job begins at once."
    )
    job_ttl_s: float = Field(7 * DAY, gt=0, description="Seconds after which an ended job is deleted.")
    media_ttl_s: float = Field(7 * DAY, gt=0, description="Seconds after which media that no stored job refers to is deleted.")
    upload_ttl_s: float = Field(DAY, gt=0, description="Seconds after which an unfinished resumable upload is deleted.")
    gc_interval_s: float = Field(600, gt=0, description="Seconds between two removals of expired jobs and media.")

    min_free_bytes: int = Field(
        100 * MIB, ge=0, description="Free bytes on the disk of the data folder that uploads leave; below it the suite reports not ready."
    )
    view_bytes: int = Field(
        10 * 1024 * MIB,
        ge=0,
        description="Maximum total size of proxies, strips and previews. Above it, or when disk space is short, the least recently used "
        "are deleted.",
    )
    max_upload_bytes: int = Field(16 * 1024 * MIB, ge=1, description="Maximum size of an uploaded or fetched file.")
    max_pixels: int = Field(8192 * 4320, ge=1, description="Maximum number of pixels in one frame or image.")
    max_duration_s: float = Field(6 * 3600, gt=0, description="Maximum duration of a video.")
    max_streams: int = Field(64, ge=1, description="Maximum number of streams in one file.")
    probe_timeout_s: float = Field(30, gt=0, description="Time limit for probing an uploaded file.")
    url_timeout_s: float = Field(300, gt=0, description="Time limit for fetching a URL, all redirects together.")
    url_allow_networks: Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode] = Field(
        (),
        description="Comma-separated private networks that URL fetches and webhooks may reach, such as 10.1.0.0/16.",
    )
    webhook_secret: SecretStr | None = Field(None, description="Default signing secret of webhooks: `whsec_` followed by base64.")

    @field_validator("api_keys", "cors_origins", "trusted_hosts", "url_allow_networks", "sandbox_read", "sandbox_write", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("service_urls")
    @classmethod
    def _addresses(cls, urls: dict[str, str]) -> dict[str, str]:
        for name, url in urls.items():
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{name}: {url!r} must begin with http:// or https://")
        return urls

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"{origin!r} is not an origin: a scheme and a host, such as https://app.example.com")
        return origins

    @field_validator("api_keys")
    @classmethod
    def _long_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, key in enumerate(keys, 1):
            _check_key("REELWRIGHT_API_KEYS", key, f"key {number}")
        return keys

    @field_validator("metrics_key")
    @classmethod
    def _long_metrics_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            _check_key("REELWRIGHT_METRICS_KEY", key, "the key")
        return key

    @field_validator("webhook_secret")
    @classmethod
    def _signs(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            try:
                b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
            except ValueError:
                raise ValueError("a secret must be `whsec_` followed by base64") from None
        return secret

    @model_validator(mode="after")
    def _keys_or_loopback(self) -> Self:
        host = self.published_host or self.host
        if not self.api_keys and not is_loopback(host) and not self._has_key_file:
            raise ValueError(
                f"REELWRIGHT_HOST={host} can be reached by others: set REELWRIGHT_API_KEYS, make a key with `reelwright keys add`, "
                "or listen on 127.0.0.1"
            )
        return self

    @property
    def _has_key_file(self) -> bool:
        try:
            return (self.data_dir / KEY_FILE).stat().st_size > len('{"keys":[]}')
        except OSError:
            return False

    @property
    def jobs_at_once(self) -> int:
        """Number of jobs that one service runs at the same time.

        By default half the cores: one job keeps about two busy, since it decodes, computes and encodes at the same time. With fewer than
        two at once, a short job would wait for a long one.
        """
        return self.concurrency or min(max(usable_cores() // 2, 2), 8)

    @property
    def gpu_number(self) -> int | None:
        """Number of the GPU that `device` names; None if it names none."""
        number = self.device.partition(":")[2]
        return int(number) if number else None

    @property
    def models_folder(self) -> Path:
        """Absolute path of the folder with model weights."""
        return (self.models_dir or self.data_dir / "models").absolute()

    @cached_property
    def database(self) -> str:
        """URL of the database, completed by `database_password`.

        Empty for SQLite in the data folder.
        """
        if not self.database_url or self.database_password is None:
            return self.database_url
        from sqlalchemy import make_url  # imported here: it takes 0.2 s, and every worker process imports this module

        url = make_url(self.database_url)
        return url.set(password=url.password or self.database_password.get_secret_value()).render_as_string(hide_password=False)

    @cached_property
    def owners(self) -> dict[str, str]:
        """The owner that belongs to each API key of the settings."""
        return {key.get_secret_value(): owner_of(key.get_secret_value()) for key in self.api_keys}


def _check_key(setting: str, key: SecretStr, name: str) -> None:
    """Raise ValueError if a key is too short. The message contains the setting and `name`, never the key."""
    if (length := len(key.get_secret_value())) < LEAST_KEY_CHARS:
        make = "`openssl rand -hex 24` makes one"
        raise ValueError(f"{setting}: {name} has {length} characters; it needs at least {LEAST_KEY_CHARS} ({make})")


class _Process:
    """A holder of the settings of this process.

    One value for all threads: decoders and models run in threads of their own.
    """

    settings: Settings | None = None


def secret_file(name: str) -> Path | None:
    """Return the path of a setting's secret file.

    None if there is none.
    """
    path = SECRETS / f"reelwright_{name}"
    return path if path.is_file() else None


def use(settings: Settings) -> None:
    """Set the settings that `current` returns in this process."""
    _Process.settings = settings


def current() -> Settings:
    """Return the settings that `use` set in this process, or the defaults."""
    return _Process.settings or _defaults()


@cache
def _defaults() -> Settings:
    return Settings.model_construct()


PUBLIC = "public"
"""Owner of everything while no API keys are set."""


def owner_of(key: str) -> str:
    """Derive the owner name of an API key.

    The key cannot be derived from the name.
    """
    return "k" + hashlib.sha256(key.encode()).hexdigest()[:16]


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
