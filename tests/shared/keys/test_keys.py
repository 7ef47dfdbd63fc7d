"""API keys: created, limited and revoked while the suite runs."""

import json
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.errors import Invalid, ScopeMissing, TooManyRequests, Unauthorized
from shared.http.request_rates import RequestRates
from shared.keys import Access, KeyRing
from shared.keys.adoptions import Adoption, AdoptionFile
from shared.keys.internal import internal_access, internal_token
from shared.keys.key_file import KeyFile
from shared.keys.record import KeyRecord, hash_of, now
from shared.keys.sealing import seal, unseal
from shared.keys.secret_file import derived_key
from shared.log import AUDIT
from shared.media.store import MediaStore, NewMedium
from shared.operation import Kind
from shared.sample_ids import SAMPLES
from shared.settings import PUBLIC, Settings, owner_of
from shared.testing import suite
from tests.waiting import within

OLD = "a-key-of-the-settings-of-old"


def keys(data_dir: Path, *arguments: str) -> str:
    """Run `reelwright keys`; return its output."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
    done = subprocess.run(
        [sys.executable, "-m", "reelwright", "keys", *arguments],
        env=env | {"REELWRIGHT_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def get(client: httpx.Client, path: str, key: str = "", method: str = "GET", **more: Any) -> httpx.Response:
    return client.request(method, path, headers={"Authorization": f"Bearer {key}"} if key else {}, **more)


@pytest.mark.slow
def test_keys_change_while_the_suite_runs(tmp_path: Path, picture: Path) -> None:
    # A public suite gets keys with scopes and quotas; one is revoked.
    data = tmp_path / "data"
    with suite(data, METRICS_KEY="metrics-metrics-metrics-metrics", CORS_ORIGINS="https://app.example.com") as running:
        client = running.client
        with picture.open("rb") as file:
            before = client.post("/v1/media", files={"file": ("before.png", file)}).json()["id"]
        first = keys(data, "add", "first", "--max-requests", "40", "--max-bytes", "10000")
        assert get(client, "/v1/jobs").status_code == 401
        assert get(client, "/v1/jobs", first).status_code == 200
        assert get(client, f"/v1/media/{before}", first).status_code == 404
        keys(data, "adopt", "first")
        adopted = re.compile(rf"operator: key 'first' \({hash_of(first)[:8]}\) got 0 jobs and \d media of public")
        assert get(client, "/v1/jobs", first).status_code == 200
        within(5, lambda: any(map(adopted.search, running.log)), "an audit line of the adoption")
        assert get(client, f"/v1/media/{before}", first).status_code == 200
        with picture.open("rb") as file:
            answer = get(client, "/v1/media", first, "POST", files={"file": ("after.png", file)})
        assert (answer.status_code, answer.json()["type"]) == (429, "/problems/quota-exceeded")

        reader = keys(data, "add", "reader", "--scope", "read", "--like", "first")
        assert get(client, f"/v1/media/{before}", reader).status_code == 200
        answer = get(client, f"/v1/media/{before}", reader, "DELETE")
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/scope-missing")
        assert get(client, "/metrics", first).status_code == 403
        assert get(client, "/metrics", "metrics-metrics-metrics-metrics").status_code == 200
        assert get(client, "/v1/jobs", "metrics-metrics-metrics-metrics").status_code == 401

        # A service checks the key itself, and the gateway acts for an owner whose key it does not know.
        deadline = time.monotonic() + 60
        while get(client, f"/v1/media/{next(iter(SAMPLES.values()))}", first).status_code != 200 and time.monotonic() < deadline:
            time.sleep(1)
        keys(data, "add", "second", "--key", "second-second-second-second")
        assert get(client, "/v1/operations", "second-second-second-second").json()
        assert any("public: POST /v1/media 201" in line for line in running.log), "an audit line"

        preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PATCH"}
        preflight["Access-Control-Request-Headers"] = "authorization,tus-resumable,upload-offset,content-type"
        allowed = client.options("/v1/uploads/x", headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example.com"
        assert (
            "access-control-allow-origin"
            not in client.options("/v1/uploads/x", headers=preflight | {"Origin": "https://evil.test"}).headers
        )
        answer = client.get("/v1/jobs", headers={"Origin": "https://app.example.com", "X-API-Key": reader})
        assert "Upload-Offset" in answer.headers["access-control-expose-headers"]

        keys(data, "revoke", "first")
        assert "revoked" in get(client, "/v1/jobs", first).json()["detail"]
        listed = json.loads(keys(data, "list", "--json"))
        assert [key["name"] for key in listed] == ["first", "reader", "second"]
        assert not any("hash" in key for key in listed)
    assert data.stat().st_mode & 0o777 == 0o700
    assert {(data / name).stat().st_mode & 0o777 for name in ("keys.json", "secret.key", "jobs.sqlite")} == {0o600}
    assert first not in (data / "keys.json").read_text()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path


def record(name: str, key: str, **more: Any) -> KeyRecord:
    return KeyRecord(id=hash_of(key)[:8], name=name, hash=hash_of(key), owner=owner_of(key), created_at=now(), **more)


def test_the_keys_of_the_settings_stay_valid(data: Path) -> None:
    ring = KeyRing(Settings(data_dir=data, api_keys=OLD))
    assert ring.required
    access = ring.find(OLD)
    assert access is not None
    assert (access.owner, access.scopes) == (owner_of(OLD), ("read", "run"))
    assert ring.find("another") is None
    assert ring.owners() == [owner_of(OLD)]


def test_every_change_of_the_key_file_takes_effect_at_once(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", AUDIT)
    ring, file = KeyRing(Settings(data_dir=data)), KeyFile(data)
    assert not ring.required
    assert ring.owners() == [PUBLIC]
    key = "k" * 30
    file.change(lambda _keys: (record("one", key, max_bytes=10),))
    assert ring.required
    assert ring.max_bytes(owner_of(key)) == 10
    file.change(lambda _keys: (record("one", key, expires_at=now() - timedelta(seconds=1)),))
    with pytest.raises(Unauthorized, match="expired"):
        ring.find(key)
    file.change(lambda _keys: (record("one", key, revoked_at=now()),))
    with pytest.raises(Unauthorized, match="revoked"):
        ring.find(key)
    assert ring.required, "without a valid key nobody gets in, rather than everybody"
    key_id = hash_of(key)[:8]
    assert [entry.getMessage() for entry in caplog.records if entry.name == AUDIT] == [
        f"operator: key 'one' ({key_id}) was {change}" for change in ("added", "revoked")
    ]
    assert key not in caplog.text
    file.path.write_text("{")
    with pytest.raises(Unauthorized, match="revoked"):
        ring.find(key)


def test_an_adoption_is_logged_once(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", AUDIT)
    file = AdoptionFile(data)
    adoption = Adoption(at=now(), key_id="abcd1234", name="first", source=PUBLIC, jobs=3, media=2)
    file.add(adoption)
    ring = KeyRing(Settings(data_dir=data))
    assert ring.required is False
    file.add(adoption.model_copy(update={"name": "second"}))
    for _ in range(2):
        assert ring.required is False
    assert [entry.getMessage() for entry in caplog.records if entry.name == AUDIT] == [
        "operator: key 'second' (abcd1234) got 3 jobs and 2 media of public"
    ]
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_key_adopts_what_belonged_to_a_lost_key(data: Path) -> None:
    lost = keys(data, "add", "lost")
    store = MediaStore(data / "media", ttl_s=1000)
    with store.incoming() as incoming:
        incoming.content.write_text("{}")
        new = NewMedium(
            owner=owner_of(lost),
            name="a.json",
            kind=Kind.JSON,
            content_type="application/json",
            suffix=".json",
            source="upload",
            media=None,
        )
        medium = store.publish(incoming, new).id
    (data / "keys.json").unlink()
    found = keys(data, "add", "found")
    keys(data, "adopt", "found", "--from", owner_of(lost))
    assert store.get(owner_of(found), medium).name == "a.json"
    assert AdoptionFile(data).path.read_text().count(owner_of(lost)) == 1


def test_the_first_key_is_made_before_a_published_suite_starts(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In a container whose port is published on every address.
    published = {"REELWRIGHT_HOST": "0.0.0.0", "REELWRIGHT_PUBLISHED_HOST": "0.0.0.0"}
    for name, value in published.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="reelwright keys add"):
        Settings(data_dir=data)
    env = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
    command = [sys.executable, "-m", "reelwright", "keys", "add", "first"]
    done = subprocess.run(command, env=env | published | {"REELWRIGHT_DATA_DIR": str(data)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Settings(data_dir=data)


def test_a_changed_secret_file_takes_effect_without_a_restart(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.settings.SECRETS", data)
    path = data / "reelwright_api_keys"
    path.write_text(f"{OLD}\n")
    ring = KeyRing(Settings(data_dir=data / "var", _secrets_dir=data))
    path.write_text("b" * 30 + "," + "c" * 31)
    assert ring.find(OLD) is None
    assert ring.find("c" * 31) is not None
    path.write_text("short")
    assert ring.find("short") is None
    assert ring.find("c" * 31) is not None, "a key that is too short changes nothing"


def test_short_keys_are_refused(data: Path) -> None:
    from typer.testing import CliRunner

    from shared.cli.keys import keys_group

    group = keys_group(lambda: Settings(data_dir=data))
    refused = CliRunner().invoke(group, ["add", "x", "--key", "short"])
    assert isinstance(refused.exception, Invalid)
    assert "24" in refused.exception.detail
    assert isinstance(CliRunner().invoke(group, ["add", "x", "--scope", "write"]).exception, Invalid)
    assert isinstance(CliRunner().invoke(group, ["revoke", "x"]).exception, Invalid)


def test_a_public_server_starts_only_with_keys(data: Path) -> None:
    with pytest.raises(ValueError, match="reelwright keys add"):
        Settings(host="0.0.0.0", data_dir=data)
    KeyFile(data).change(lambda _keys: (record("one", "k" * 30),))
    assert Settings(host="0.0.0.0", data_dir=data)


def test_scopes_include_the_lesser_ones() -> None:
    Access(owner="k", scopes=("admin",)).require("run")
    Access(owner="k", scopes=("run",)).require("read")
    with pytest.raises(ScopeMissing):
        Access(owner="k", scopes=("read",)).require("run")
    with pytest.raises(ScopeMissing):
        Access(owner="k", scopes=("read", "run")).require("admin")


def test_requests_are_counted_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    rates, access = RequestRates(), Access(owner="k", max_requests=2)
    monkeypatch.setattr(time, "time", lambda: 90.0)
    rates.count(access)
    rates.count(access)
    with pytest.raises(TooManyRequests) as refused:
        rates.count(access)
    assert refused.value.headers["Retry-After"] == "31"
    monkeypatch.setattr(time, "time", lambda: 120.0)
    rates.count(access)


def test_an_internal_token_acts_for_its_owner_only_and_not_for_long(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = internal_token(data, "k" + "1" * 16)
    access = internal_access(data, token)
    assert access is not None
    assert access.internal
    assert internal_access(data, token.replace("1", "2", 1)) is None
    assert internal_access(data / "other", token) is None
    assert internal_access(data, "rwi.public.x.y") is None
    monkeypatch.setattr(time, "time", lambda: 2**34)
    assert internal_access(data, token) is None


def test_webhook_secrets_are_sealed(data: Path) -> None:
    key = derived_key(data, "webhooks")
    assert derived_key(data, "webhooks") == key != derived_key(data, "others")
    sealed = seal("whsec_c2VjcmV0", key)
    assert "whsec" not in sealed
    assert seal("whsec_c2VjcmV0", key) != sealed
    assert unseal(sealed, key) == "whsec_c2VjcmV0"
    for wrong in (sealed[:-6] + "AAAAA=", "whsec_c2VjcmV0"):
        with pytest.raises(ValueError):
            unseal(wrong, key)
    with pytest.raises(ValueError):
        unseal(sealed, derived_key(data / "elsewhere", "webhooks"))
    assert (data / "secret.key").stat().st_mode & 0o777 == 0o600
