"""Sources of settings, and invalid settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared import settings as module
from shared.settings import Settings, current, use

ONE, TWO = "one-key-of-enough-characters", "two-keys-of-enough-characters"


@pytest.mark.parametrize(("name", "field"), [("REELWRIGHT_API_KEYS", "api_keys"), ("REELWRIGHT_METRICS_KEY", "metrics_key")])
def test_short_keys_are_refused_with_the_setting(name: str, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "k" * 24)
    assert Settings()
    monkeypatch.setenv(name, "k" * 23)
    with pytest.raises(ValidationError) as refused:
        Settings()
    (error,) = refused.value.errors()
    assert error["loc"] == (field,)
    assert f"{name}: " in error["msg"]
    assert "has 23 characters; it needs at least 24" in error["msg"]
    assert "k" * 23 not in error["msg"]
    monkeypatch.delenv(name)
    (tmp_path / name.lower()).write_text("short\n")
    with pytest.raises(ValidationError, match=f"{name}: .* has 5 characters"):
        Settings(_secrets_dir=tmp_path)


def test_each_of_several_keys_is_checked() -> None:
    with pytest.raises(ValidationError, match="key 2 has 5 characters"):
        Settings(api_keys=f"{ONE},short,{TWO}")


def test_a_setting_may_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "reelwright_database_password").write_text("p@ss/word\n")
    (tmp_path / "reelwright_api_keys").write_text(f"{ONE},{TWO}")
    settings = Settings(_secrets_dir=tmp_path, database_url="postgresql://someone@db.internal:5433/reelwright")
    assert settings.database == "postgresql://someone:p%40ss%2Fword@db.internal:5433/reelwright"
    assert [key.get_secret_value() for key in settings.api_keys] == [ONE, TWO]
    assert "p@ss" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "whole"),
    [("", ""), ("postgresql://a:own@db/x", "postgresql://a:own@db/x"), ("postgresql://a@db/x", "postgresql://a:file@db/x")],
)
def test_the_password_is_added_to_a_url_without_one(url: str, whole: str) -> None:
    assert Settings(database_url=url, database_password="file").database == whole


@pytest.mark.parametrize(("host", "published"), [("0.0.0.0", ""), ("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "10.1.2.3")])
def test_without_keys_only_this_machine_has_access(host: str, published: str) -> None:
    with pytest.raises(ValidationError, match=f"REELWRIGHT_HOST={published or host} can be reached by others: set REELWRIGHT_API_KEYS"):
        Settings(host=host, published_host=published)
    assert Settings(host=host, published_host=published, api_keys=ONE).owners


def test_a_container_whose_port_is_published_on_this_machine_needs_no_keys() -> None:
    assert Settings(host="0.0.0.0", published_host="127.0.0.1").owners == {}


def test_an_empty_variable_does_not_take_the_place_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # For example `REELWRIGHT_API_KEYS=` in a file .env: without keys the suite would accept everybody.
    (tmp_path / "reelwright_api_keys").write_text(f"{ONE}\n")
    monkeypatch.setenv("REELWRIGHT_API_KEYS", "")
    assert [key.get_secret_value() for key in Settings(_secrets_dir=tmp_path).api_keys] == [ONE]
    monkeypatch.setenv("REELWRIGHT_API_KEYS", TWO)
    assert [key.get_secret_value() for key in Settings(_secrets_dir=tmp_path).api_keys] == [TWO]


def test_without_use_the_current_settings_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Process, "settings", None)
    monkeypatch.setenv("REELWRIGHT_DEVICE", "cpu")
    assert current().device == "auto"
    assert current().models_folder == Path("var/models").absolute()
    use(Settings(device="cuda"))
    assert current().device == "cuda"


def test_jobs_at_once_follow_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, jobs in ((1, 2), (4, 2), (6, 3), (64, 8)):
        monkeypatch.setattr("shared.settings.usable_cores", lambda cores=cores: cores)
        assert Settings().jobs_at_once == jobs
    assert Settings(concurrency=1).jobs_at_once == 1
