"""Stored measurements: bounded, per owner, and copied on reading."""

import os
import time
from pathlib import Path

from shared.media import measurements
from shared.media.measurements import MeasurementStore


def keep(store: MeasurementStore, key: str, text: str, *, owner: str = "public", used_s_ago: float = 0) -> Path:
    file = store.root.parent / "file"
    file.write_text(text)
    os.utime(file, (time.time() - used_s_ago,) * 2)
    store.keep(owner, key, file)
    return store.root / owner / key


def test_a_copy_is_handed_out_to_its_owner_only(tmp_path: Path) -> None:
    store, target = MeasurementStore.of(tmp_path, ttl_s=100), tmp_path / "target"
    file = keep(store, "a", "numbers", used_s_ago=50)
    assert not store.fetch("public", "b", target)
    assert not store.fetch("k0123456789abcdef", "a", target)
    assert store.fetch("public", "a", target)
    target.write_text("changed")
    assert file.read_text() == "numbers"
    assert time.time() - file.stat().st_mtime < 10, "it was used now"


def test_the_file_used_longest_ago_is_removed_first(tmp_path: Path, monkeypatch) -> None:
    store = MeasurementStore(tmp_path / "measured", ttl_s=100, most_bytes=10)
    old = keep(store, "old", "1234", used_s_ago=90)
    middle = keep(store, "middle", "1234", used_s_ago=50)
    new = keep(store, "new", "1234")
    assert (old.exists(), middle.exists(), new.exists()) == (False, True, True)
    MeasurementStore(store.root, ttl_s=40).sweep()
    assert (middle.exists(), new.exists()) == (False, True)
    monkeypatch.setattr(measurements, "LARGEST_BYTES", 3)
    assert not keep(store, "large", "1234").exists()
