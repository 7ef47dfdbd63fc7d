"""The valid API keys of the settings and of the key file."""

import logging
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from shared.errors import Unauthorized
from shared.keys.access import Access
from shared.keys.adoptions import Adoption, AdoptionFile
from shared.keys.internal import internal_access
from shared.keys.key_file import KeyFile
from shared.keys.record import KeyRecord, hash_of, now
from shared.log import AUDIT, fields
from shared.settings import LEAST_KEY_CHARS, PUBLIC, Settings, owner_of, secret_file

OF_SETTINGS = "settings"
"""Name that all keys in the settings have. Their scopes are `read` and `run`."""
log = logging.getLogger(__name__)
audit = logging.getLogger(AUDIT)


class KeyRing:
    """Lookup of the access that an API key grants.

    The key file, and the secret file that holds the setting `api_keys`, are read again when they change: a new or revoked key counts at
    once in every process.
    """

    def __init__(self, settings: Settings, *, ignored: bool = False):
        """Read all keys from the settings and the key file.

        `ignored`: no request needs a key, whatever keys there are; for checks within one process.
        """
        self._ignored = ignored
        self._data_dir = settings.data_dir
        self._metrics_key = settings.metrics_key.get_secret_value() if settings.metrics_key else ""
        self._file = KeyFile(settings.data_dir)
        self._adoptions = AdoptionFile(settings.data_dir)
        self._file_state: object = ()
        self._records: OrderedDict[str, KeyRecord] = OrderedDict()
        self._setting_keys = tuple(key.get_secret_value() for key in settings.api_keys)
        path = secret_file("api_keys")
        # Only keys that came from the secret file change with it: an environment variable has precedence.
        self._secret = path if path is not None and _keys_in(path) == self._setting_keys else None
        self._secret_state = _state(self._secret)

    @property
    def required(self) -> bool:
        """Whether requests need a key.

        Revoked keys count, too.
        """
        self._refresh()
        return not self._ignored and bool(self._setting_keys or self._records)

    def find(self, key: str) -> Access | None:
        """Return the access that a key grants; None for an unknown key.

        Raises Unauthorized for a revoked or expired key.
        """
        self._refresh()
        if (record := self._records.get(hash_of(key))) is not None:
            if (reason := record.refusal(now())) is not None:
                raise Unauthorized(reason, headers={"WWW-Authenticate": "Bearer"})
            return record.access
        if any(secrets.compare_digest(key.encode(), valid.encode()) for valid in self._setting_keys):
            return Access(owner=owner_of(key), name=OF_SETTINGS, scopes=("read", "run"))
        return internal_access(self._data_dir, key)

    def opens_metrics(self, key: str) -> bool:
        """Return whether `key` is the metrics key."""
        return bool(self._metrics_key) and secrets.compare_digest(key.encode(), self._metrics_key.encode())

    def owners(self) -> list[str]:
        """Return the owners of all valid keys; without keys, only the public owner."""
        self._refresh()
        valid = [record.owner for record in self._records.values() if record.refusal(now()) is None]
        owners = list(dict.fromkeys([*map(owner_of, self._setting_keys), *valid]))
        return owners if self._setting_keys or self._records else [PUBLIC]

    def max_bytes(self, owner: str) -> int | None:
        """Return an owner's storage quota in bytes; None without a quota."""
        return _largest(record.max_bytes for record in self._valid(owner))

    def max_jobs(self, owner: str) -> int | None:
        """Return an owner's quota of unfinished jobs; None without a quota.

        If the owner has several keys, it is the largest quota.
        """
        return _largest(record.max_jobs for record in self._valid(owner))

    def _valid(self, owner: str) -> list[KeyRecord]:
        """Return the records of an owner's valid keys."""
        self._refresh()
        return [record for record in self._records.values() if record.owner == owner and record.refusal(now()) is None]

    def _refresh(self) -> None:
        if (state := self._file.state()) != self._file_state:
            try:
                records = OrderedDict((record.hash, record) for record in self._file.read())
                if self._file_state != ():  # not at the start
                    _log_changes(self._records, records)
                self._records, self._file_state = records, state
            except (OSError, ValidationError) as error:  # the keys that were read last stay in force
                log.warning("the key file cannot be read: %s", error)
        try:
            _log_adoptions(self._adoptions.read_new())
        except (OSError, ValidationError) as error:
            log.warning("the file of adoptions cannot be read: %s", error)
        if self._secret is not None and (secret_state := _state(self._secret)) != self._secret_state:
            try:
                keys = _keys_in(self._secret)
                if any(len(key) < LEAST_KEY_CHARS for key in keys):
                    log.warning("the keys of %s stay as they were: each needs at least %s characters", self._secret, LEAST_KEY_CHARS)
                else:
                    self._setting_keys = keys
                self._secret_state = secret_state
            except OSError as error:
                log.warning("the secret file of the API keys cannot be read: %s", error)


def _largest(limits: Iterable[int | None]) -> int | None:
    """Return the largest limit; None without a limit.

    A limit of None means no limit.
    """
    all_limits = list(limits)
    return None if None in all_limits else max((limit for limit in all_limits if limit is not None), default=None)


def _log_changes(before: Mapping[str, KeyRecord], after: Mapping[str, KeyRecord]) -> None:
    """Log changes of the key file to the audit log.

    `reelwright keys` made them. Names and ids are logged, never a key.
    """
    for digest, record in after.items():
        earlier = before.get(digest)
        change = "added" if earlier is None else "revoked" if record.revoked_at and not earlier.revoked_at else None
        if change is not None:
            more = fields(key_id=record.id, name=record.name, scopes=",".join(record.scopes), event=f"key {change}")
            audit.info("operator: key %r (%s) was %s", record.name, record.id, change, extra=more)


def _log_adoptions(adoptions: Iterable[Adoption]) -> None:
    """Log transfers of media and jobs to the audit log.

    `reelwright keys adopt` made them.
    """
    for adoption in adoptions:
        detail = f"{adoption.jobs} jobs and {adoption.media} media of {adoption.source}"
        more = fields(**adoption.model_dump(mode="json", exclude={"at"}), event="key adopted")
        audit.info("operator: key %r (%s) got %s", adoption.name, adoption.key_id, detail, extra=more)


def _keys_in(path: Path) -> tuple[str, ...]:
    return tuple(part.strip() for part in path.read_text().split(",") if part.strip())


def _state(path: Path | None) -> tuple[int, int] | None:
    try:
        about = path.stat() if path is not None else None
    except OSError:
        return None
    return (about.st_mtime_ns, about.st_size) if about is not None else None
