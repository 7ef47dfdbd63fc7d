"""The media store: publishing, listing, owners, deletion, sweeps."""

import hashlib
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Invalid, UnknownMedia
from shared.media.ids import new_id
from shared.media.record import MediaRecord
from shared.media.store import BY_HASH, MediaStore, NewMedium
from shared.operation import Kind

DATA = b"not really a video"
KEY_OWNER = "k0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media", ttl_s=3600)


def described(**changes: Any) -> NewMedium:
    """Make the description of a new video, with `changes`."""
    new = NewMedium(owner="public", name="x.mp4", kind=Kind.VIDEO, content_type="video/mp4", suffix=".mp4", source="j", media=None)
    return replace(new, **changes)


def put(store: MediaStore, *, owner: str = "public", name: str = "clip.mp4", kind: Kind = Kind.VIDEO, data: bytes = DATA) -> MediaRecord:
    with store.incoming() as incoming:
        incoming.content.write_bytes(data)
        new = described(owner=owner, name=name, kind=kind, source="upload", media=None)
        return store.publish(incoming, new)


def leftovers(store: MediaStore) -> list[Path]:
    return [path for name in (".incoming", ".trash") for path in (store.root / name).glob("*")]


def test_a_published_medium_is_read_back_unchanged(store: MediaStore) -> None:
    record = put(store)
    assert store.get("public", record.id) == record
    assert store.content_path("public", record.id).read_bytes() == DATA
    assert store.content_path("public", record.id).suffix == ".mp4"
    assert (record.bytes, record.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert record.expires_at == record.created_at + timedelta(hours=1)
    assert leftovers(store) == []


def test_a_record_has_the_fields_of_the_api(store: MediaStore) -> None:
    record = put(store)
    body = json.loads(record.model_dump_json())
    assert list(body) == [
        "id", "name", "kind", "content_type", "bytes", "sha256", "created_at", "expires_at", "listed", "source", "media", "urls",
    ]  # fmt: skip
    assert body["urls"] == {
        "self": f"/v1/media/{record.id}",
        "content": f"/v1/media/{record.id}/content",
        "files": None,
        "thumbnail": f"/v1/media/{record.id}/thumbnail",
        "download": f"/v1/media/{record.id}/content?download=1",
    }
    assert MediaRecord.model_validate(body) == record
    assert put(store, kind=Kind.JSON).urls.thumbnail is None


def test_an_unpublished_file_is_removed_with_its_folder(store: MediaStore) -> None:
    with pytest.raises(RuntimeError), store.incoming() as incoming:
        incoming.content.write_bytes(DATA)
        raise RuntimeError
    assert leftovers(store) == []
    assert store.list("public") == ([], None)


def test_a_file_elsewhere_can_be_published(store: MediaStore, tmp_path: Path) -> None:
    output = tmp_path / "output.mp4"
    output.write_bytes(DATA)
    with store.incoming() as incoming:
        record = store.publish(incoming, described(name="o.mp4"), file=output)
    assert not output.exists()
    assert store.content_path("public", record.id).read_bytes() == DATA


def test_a_repeated_publish_under_one_id_makes_one_medium(store: MediaStore) -> None:
    media_id = new_id()

    def publish(number: int) -> MediaRecord:
        with store.incoming() as incoming:
            incoming.content.write_bytes(b"attempt %d" % number)
            return store.publish(incoming, described(media_id=media_id))

    with ThreadPoolExecutor(8) as pool:
        records = {record.sha256 for record in pool.map(publish, range(8))}
    assert records == {store.get("public", media_id).sha256}
    assert [record.id for record in store.list("public")[0]] == [media_id]
    assert leftovers(store) == []


def test_a_wrong_announced_size_is_refused(store: MediaStore) -> None:
    with pytest.raises(ValueError, match="17 was announced"), store.incoming() as incoming:
        incoming.content.write_bytes(DATA)
        store.publish(incoming, described(bytes=17))
    assert store.list("public") == ([], None)


def test_media_are_listed_newest_first_in_pages_and_by_kind(store: MediaStore) -> None:
    ids = [put(store, kind=Kind.VIDEO if number % 2 else Kind.IMAGE).id for number in range(7)]
    put(store, owner=KEY_OWNER)
    listed_ids, cursor = [], None
    while True:
        page, cursor = store.list("public", limit=3, cursor=cursor)
        assert len(page) <= 3
        listed_ids += [record.id for record in page]
        if cursor is None:
            break
    assert listed_ids == ids[::-1]
    assert [record.id for record in store.list("public", kind=Kind.VIDEO)[0]] == ids[1::2][::-1]
    assert store.list("public", limit=7)[1] is None
    with pytest.raises(Invalid, match="not a cursor"):
        store.list("public", cursor="../..")
    with pytest.raises(ValueError, match="limit = 0 must be at least 1"):
        store.list("public", limit=0)


def test_another_owners_medium_is_unknown(store: MediaStore) -> None:
    record = put(store)
    for call in (store.get, store.content_path, store.thumbnail_path, store.delete):
        with pytest.raises(UnknownMedia):
            call(KEY_OWNER, record.id)
    assert store.get("public", record.id) == record


@pytest.mark.parametrize("media_id", ["", ".", "..", "../public", "a" * 25, "A" * 26, "u" * 26, "\x00" * 26, "a" * 26 + "\n", "é" * 26])
def test_an_invalid_id_never_reaches_the_disk(store: MediaStore, media_id: str) -> None:
    with pytest.raises(UnknownMedia):
        store.get("public", media_id)
    with pytest.raises(UnknownMedia):
        store.content_path(media_id, new_id())


def test_a_deleted_medium_leaves_no_files_and_open_readers_go_on(store: MediaStore) -> None:
    record = put(store)
    with store.content_path("public", record.id).open("rb") as file:
        store.delete("public", record.id)
        assert file.read() == DATA
    with pytest.raises(UnknownMedia):
        store.delete("public", record.id)
    assert leftovers(store) == []


def test_a_sweep_removes_expired_media_that_nothing_refers_to(store: MediaStore) -> None:
    used, unused, other = put(store), put(store), put(store, owner=KEY_OWNER)
    assert store.sweep(datetime.now(UTC), set()) == []
    assert set(store.sweep(datetime.now(UTC) + timedelta(hours=2), {used.id})) == {unused.id, other.id}
    assert [record.id for record in store.list("public")[0]] == [used.id]


def test_unlisted_media_used_longest_ago_are_removed_first(store: MediaStore) -> None:
    stored = put(store)
    views = []
    for age_s in (4000, 3000, 2000, 0):
        with store.incoming() as incoming:
            incoming.content.write_bytes(DATA)
            views.append(store.publish(incoming, described(listed=False)).id)
        folder = store.content_path("public", views[-1]).parent
        os.utime(folder, (folder.stat().st_mtime - age_s,) * 2)
    store.mark_used("public", views[0])
    assert [record.id for record in store.list("public")[0]] == [stored.id]
    assert store.by_hash("public", stored.sha256).id == stored.id
    assert store.sweep_unlisted(most_bytes=3 * len(DATA), free_bytes=0) == [views[1]]
    assert store.sweep_unlisted(most_bytes=0, free_bytes=0) == [views[2]], "what was used just now stays"
    with pytest.raises(UnknownMedia):
        store.by_hash(KEY_OWNER, stored.sha256)


def test_known_content_is_found_until_its_last_medium_is_deleted(store: MediaStore) -> None:
    records = [put(store)]
    sha256 = records[0].sha256
    note = store.root / "public" / BY_HASH / sha256
    note.write_text(records[0].id, encoding="ascii")  # as an earlier release wrote it
    records += [put(store), put(store)]
    for record in reversed(records):
        assert store.by_hash("public", sha256).id == record.id
        store.delete("public", record.id)
        store.sweep(datetime.now(UTC), set())
    with pytest.raises(UnknownMedia):
        store.by_hash("public", sha256)
    assert not note.exists()


def test_a_note_of_content_that_is_published_during_a_sweep_stays(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = put(store)
    store.delete("public", first.id)
    publishing = threading.Thread(target=put, args=(store,))
    exists = Path.exists

    def publish_meanwhile(path: Path) -> bool:
        found = exists(path)
        if path.name == first.id:
            publishing.start()
            publishing.join(0.2)
        return found

    monkeypatch.setattr(Path, "exists", publish_meanwhile)
    store.sweep(datetime.now(UTC), set())
    publishing.join(5)
    assert store.by_hash("public", first.sha256).id == store.list("public")[0][0].id


def test_a_sweep_removes_files_of_dead_processes_but_not_files_being_written(store: MediaStore) -> None:
    stale, fresh = store.root / ".incoming" / new_id(), store.root / ".incoming" / new_id()
    for folder in (stale, fresh, store.root / ".trash" / new_id()):
        folder.mkdir(parents=True)
        (folder / "content").write_bytes(DATA)
    long_ago = datetime.now().timestamp() - 2 * 86400
    os.utime(stale / "content", (long_ago, long_ago))
    os.utime(stale, (long_ago, long_ago))
    store.sweep(datetime.now(UTC), set())
    assert leftovers(store) == [fresh]


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(200)]
    assert len(set(ids)) == 200
    # Two within the same microsecond have no order; the clock's reading alone is what has to be sorted.
    assert [i[:11] for i in ids] == sorted(i[:11] for i in ids)


def test_several_sweeps_at_once_do_not_disturb_each_other(store: MediaStore) -> None:
    ids = {put(store, data=b"%d" % n).id for n in range(30)}  # different contents, so that each has its own note
    later = datetime.now(UTC) + timedelta(hours=2)
    with ThreadPoolExecutor(4) as pool:
        removed = [media_id for ids in pool.map(lambda _: store.sweep(later, set()), range(4)) for media_id in ids]
    assert sorted(removed) == sorted(ids)
    assert leftovers(store) == []
