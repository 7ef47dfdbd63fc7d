"""`aesthetics.top-images` and `extract-frames`: decoded outputs, compared with the sources."""

import io
import json
import subprocess
import zipfile

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from services.aesthetics.best_frames import BestFramesParams, best_frames
from services.aesthetics.extract_frames import ExtractParams, extract_frames
from services.aesthetics.measures.near_duplicates import look_alikes, thumbnail
from services.aesthetics.top_images import TopImagesParams, top_images
from shared.errors import BrokenMedia, Invalid
from shared.video import ffmpeg_path, read_frames
from tests.services.aesthetics.aesthetic_clips import RecordingProgress, scenery
from tests.shared.video.color_spaces import PATCHES, SPACES, measured, patches


def technical(**more):
    return TopImagesParams(**({"scorer": "technical", "diversity": 0, "format": "png"} | more))


def pictures_in(path):
    with zipfile.ZipFile(path) as archive:
        return {name: np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist()}


@pytest.fixture
def ten_pictures(tmp_path):
    """Write ten pictures, each blurrier than the previous one."""
    files = []
    for number in range(10):
        picture = scenery(7, 200, 120)
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(cv2.GaussianBlur(picture, (0, 0), number / 3) if number else picture).save(files[-1])
    return files


def test_pictures_that_reach_the_percentile_are_written_unchanged(ten_pictures, outputs):
    result = top_images(technical(percent=75), images=ten_pictures, outputs=outputs)
    assert [item.image for item in result.items] == ["0.png", "1.png", "2.png"]
    assert [item.rank for item in result.items] == [1, 2, 3]
    with zipfile.ZipFile(outputs["scores"]) as archive:
        merits = [row["merit"] for row in json.loads(archive.read("scores.json"))]
    assert result.threshold == pytest.approx(np.percentile(merits, 75), abs=1e-5)
    for name, written in pictures_in(outputs["images"]).items():
        assert np.array_equal(written, np.asarray(Image.open(ten_pictures[int(name[0])])))
    assert len(top_images(technical(percent=0), images=ten_pictures, outputs=outputs).items) == 10
    assert len(top_images(technical(percent=100), images=ten_pictures, outputs=outputs).items) == 1


def test_pictures_in_the_requested_format_are_copied_with_their_transparency(tmp_path, outputs):
    scene = scenery(3, 200, 120)
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scene).save(turned, exif=exif)
    cut_out = tmp_path / "cut.png"
    alpha = np.zeros(scene.shape[:2], np.uint8)
    alpha[30:90, 40:160] = 255
    Image.fromarray(np.dstack([scene, alpha])).save(cut_out)
    result = top_images(technical(percent=0, format="png"), images=[turned, cut_out], outputs=outputs)
    with zipfile.ZipFile(outputs["images"]) as archive:
        assert archive.read("cut.png") == cut_out.read_bytes()
        assert Image.open(io.BytesIO(archive.read("turned.png"))).size == (120, 200)
    sheet = np.asarray(Image.open(outputs["sheet"]))
    assert (sheet == 255).all(axis=2).sum() > 320 * 192 * 0.5, "what is transparent is white on the sheet"
    scores = [item.technical.score for item in result.items]
    same = top_images(technical(percent=0, format="webp", quality=100), images=[turned, cut_out], outputs=outputs)
    assert [item.technical.score for item in same.items] == scores
    content = pictures_in(outputs["images"])["cut.webp"]
    assert np.array_equal(content[..., 3], alpha)
    assert np.abs(content[30:90, 40:160, :3].mean(axis=2) - scene[30:90, 40:160].mean(axis=2)).mean() < 10
    upright = tmp_path / "upright.jpg"
    Image.fromarray(scene).save(upright)
    top_images(technical(percent=0, format="jpg"), images=[turned, upright, cut_out], outputs=outputs)
    with zipfile.ZipFile(outputs["images"]) as archive:
        assert archive.read("upright.jpg") == upright.read_bytes()
        assert Image.open(io.BytesIO(archive.read("turned.jpg"))).size == (120, 200)
    on_white = pictures_in(outputs["images"])["cut.jpg"]
    assert on_white.shape == (120, 200, 3)
    assert on_white[:20].min() > 250


def test_pictures_in_other_colour_spaces_are_written_in_srgb_or_copied_with_their_profile(tmp_path, outputs):
    files = []
    for name, orientation in (("AdobeRGB", 6), ("Display P3", 1), ("ProPhoto", 8)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        coded = np.rot90(patches(SPACES[name].coded(PATCHES)), {1: 0, 6: 1, 8: 3}[orientation])
        files.append(tmp_path / f"{name}.jpg")
        profile = SPACES[name].profile
        Image.fromarray(np.ascontiguousarray(coded)).save(files[-1], exif=exif, icc_profile=profile, quality=100, subsampling=0)
    Image.fromarray(patches(PATCHES)).save(tmp_path / "srgb.png")
    for format in ("png", "jpg", "webp"):
        result = top_images(technical(percent=0, format=format, quality=100), images=[*files, tmp_path / "srgb.png"], outputs=outputs)
        with zipfile.ZipFile(outputs["images"]) as archive:
            for item in result.items:
                data = archive.read(item.image)
                if format == "jpg" and item.image.startswith("Display"):
                    assert data == files[1].read_bytes(), "an upright JPEG is copied, and keeps its profile"
                    continue
                with Image.open(io.BytesIO(data)) as written:
                    assert "icc_profile" not in written.info
                    assert np.abs(measured(np.asarray(written.convert("RGB")), len(PATCHES)).astype(int) - PATCHES).max() <= 16
        scores = [item.technical.exposure for item in result.items]
        assert max(scores) - min(scores) < 0.02, "scores are those of the colours that are shown"
        sheet = np.asarray(Image.open(outputs["sheet"]).convert("RGB"))
        shown = [sheet[12 + 105 : 12 + 135, 12 + 332 * column : 12 + 332 * column + 320] for column in range(4)]
        assert max(np.abs(measured(row, len(PATCHES)).astype(int) - PATCHES).max() for row in shown) <= 16


def test_pictures_of_a_zip_file_keep_their_names_in_every_script(tmp_path, outputs):
    names = [
        "photos/été.png",
        "photos/Отпуск на море.webp",
        "photos/夏の海.jpg",
        "photos/휴가.jpg",
        "ภาพ 1.png",
        "می‌روم.png",
        "1/a.png",
        "2/A.png",
    ]
    with zipfile.ZipFile(tmp_path / "names.zip", "w") as archive:
        for number, name in enumerate(names):
            data = io.BytesIO()
            Image.fromarray(scenery(number, 64, 48)).save(data, {"png": "PNG", "jpg": "JPEG", "ebp": "WEBP"}[name[-3:]])
            archive.writestr(name, data.getvalue())
        archive.writestr("anim.gif", b"GIF89a")
        archive.writestr("scan.jp2", b"\0\0\0\x0cjP  ")
    progress = RecordingProgress()
    result = top_images(technical(percent=0), images=[tmp_path / "names.zip"], outputs=outputs, progress=progress)
    assert {item.source for item in result.items} == {f"names.zip/{name}" for name in names}
    images = {item.source.removeprefix("names.zip/"): item.image for item in result.items}
    assert images["photos/été.png"] == "été.png"
    assert images["photos/Отпуск на море.webp"] == "Отпуск-на-море.png"
    assert images["photos/夏の海.jpg"] == "夏の海.png"
    assert images["ภาพ 1.png"] == "ภาพ-1.png"
    assert images["می‌روم.png"] == "می‌روم.png"
    assert {images["1/a.png"], images["2/A.png"]} == {"a.png", "A-2.png"}, "apart on systems that ignore capitals, too"
    with zipfile.ZipFile(outputs["images"]) as archive:
        assert sorted(archive.namelist()) == sorted(images.values())
    with zipfile.ZipFile(outputs["scores"]) as archive:
        assert {row["picture"] for row in json.loads(archive.read("scores.json"))} == set(names)
    (warning,) = progress.warnings
    assert "2 files were left out of 'names.zip'" in warning
    assert "'anim.gif', 'scan.jp2'" in warning


def test_names_on_the_sheet_are_drawn_in_letters(tmp_path, outputs):
    # Two names of equal length must look different; signs for missing letters would look the same.
    drawn = []
    for names in (
        ("été.png", "ñýž.png"),
        ("Море.png", "Лето.png"),
        ("夏海.png", "写真.png"),
        ("휴가.png", "사진.png"),
        ("ελλ.png", "άδα.png"),
    ):
        for name in names:
            Image.fromarray(scenery(1, 64, 48)).save(tmp_path / name)
            top_images(technical(), images=[tmp_path / name], outputs=outputs)
            caption = np.asarray(Image.open(outputs["sheet"]).convert("L"))[12 + 240 + 22 : 12 + 240 + 42, 12:80].astype(int)
            drawn.append(caption)
    for first, other in zip(drawn[::2], drawn[1::2], strict=True):
        assert np.abs(first - other).max() > 60


def test_heic_and_avif_are_scored_and_written_as_jpeg(tmp_path, outputs):
    picture = Image.fromarray(cv2.GaussianBlur(scenery(3, 200, 120), (0, 0), 2))
    pillow_heif.from_pillow(picture).save(tmp_path / "IMG_1.heic", quality=95)
    picture.save(tmp_path / "IMG_2.avif", quality=95)
    picture.save(tmp_path / "IMG_3.png")
    files = [tmp_path / name for name in ("IMG_1.heic", "IMG_2.avif", "IMG_3.png")]
    result = top_images(technical(percent=0, format="jpg"), images=files, outputs=outputs)
    assert [item.image for item in result.items] == ["IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg"]
    scores = [item.technical.score for item in result.items]
    assert max(scores) - min(scores) < 0.3
    for written in pictures_in(outputs["images"]).values():
        assert np.abs(written.astype(int) - np.asarray(picture)).mean() < 6


def test_a_file_too_large_to_be_read_whole_is_encoded_anew(tmp_path, outputs, monkeypatch):
    monkeypatch.setattr("services.aesthetics.reading.picture_files.MOST_PICTURE_BYTES", 100_000)
    scene = scenery(3, 200, 120)
    padded = tmp_path / "padded.png"
    Image.fromarray(scene).save(padded)
    padded.write_bytes(padded.read_bytes() + bytes(100_000))
    top_images(technical(percent=0, format="png"), images=[padded], outputs=outputs)
    with zipfile.ZipFile(outputs["images"]) as archive:
        assert archive.getinfo("padded.png").file_size < 100_000
    assert np.array_equal(pictures_in(outputs["images"])["padded.png"], scene)


def test_a_transparent_picture_is_scored_on_white(tmp_path, outputs):
    scene = scenery(3, 200, 120)
    alpha = np.zeros(scene.shape[:2], np.uint8)
    alpha[30:90, 40:160] = 255
    white = np.where(alpha[..., None] == 255, scene, 255).astype(np.uint8)
    hidden = np.dstack(
        [np.random.default_rng(0).integers(0, 256, scene.shape, np.uint8) * (alpha[..., None] == 0) + scene * (alpha[..., None] > 0), alpha]
    )
    files = [tmp_path / "white.png", tmp_path / "hidden.png"]
    for file, picture in zip(files, (white, hidden.astype(np.uint8)), strict=True):
        Image.fromarray(picture).save(file)
    first, other = top_images(technical(percent=0), images=files, outputs=outputs).items
    assert first.technical == other.technical


def test_a_damaged_picture_is_recorded_and_skipped(ten_pictures, outputs):
    data = ten_pictures[4].read_bytes()
    ten_pictures[4].write_bytes(data[: len(data) // 2])
    ten_pictures[5].write_bytes(b"not a picture")
    result = top_images(technical(percent=0), images=ten_pictures, outputs=outputs)
    assert len(result.items) == 8
    assert [source.processed for source in result.sources] == [number not in (4, 5) for number in range(10)]
    with pytest.raises(BrokenMedia):
        top_images(technical(), images=[ten_pictures[4]], outputs=outputs)


def test_pictures_are_upright_and_two_of_the_same_name_are_kept(tmp_path, outputs):
    picture, exif = scenery(3, 120, 80), Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    Image.fromarray(picture).save(tmp_path / "a" / "same.png", exif=exif)
    Image.fromarray(scenery(4, 90, 60)).save(tmp_path / "b" / "same.png")
    files = [tmp_path / "a" / "same.png", tmp_path / "b" / "same.png"]
    top_images(technical(percent=0), images=files, outputs=outputs)
    written = pictures_in(outputs["images"])
    assert list(written) == ["same.png", "same-2.png"]
    assert np.array_equal(written["same.png"], np.rot90(picture, -1))


@pytest.mark.parametrize("percent", [0, 90])
def test_the_best_frames_of_a_video_are_read_again_unchanged(ten_seconds, outputs, percent):
    # Many frames are read in a second pass, few frames by seeking.
    result = top_images(technical(percent=percent, sample_rate=2), video=ten_seconds, outputs=outputs)
    assert len(result.items) == (20 if percent == 0 else 2)
    written = pictures_in(outputs["images"])
    for item in result.items:
        with read_frames(ten_seconds, start=item.timestamp_s, prefetch=1, to_sdr8=True) as frames:
            frame = next(frames)
        assert float(frame.time) == item.timestamp_s
        assert np.array_equal(written[item.image], frame.rgb())


def test_a_frame_that_cannot_be_decoded_again_is_left_out(ten_seconds, outputs, monkeypatch):
    starts = []

    def seek(path, *, start, **options):
        starts.append(start)
        return read_frames(path, start=99 if len(starts) == 1 else start, **options)

    monkeypatch.setattr("services.aesthetics.top_images.read_frames", seek)
    progress = RecordingProgress()
    result = top_images(technical(percent=90, sample_rate=2), video=ten_seconds, outputs=outputs, progress=progress)
    assert [item.timestamp_s for item in result.items] == [float(starts[1])]
    assert "1 of the chosen frames" in progress.warnings[0]


def test_videos_and_pictures_are_not_mixed(ten_seconds, ten_pictures, outputs):
    with pytest.raises(Invalid, match="not both"):
        top_images(technical(), images=ten_pictures, video=ten_seconds, outputs=outputs)


def test_extracted_frames_are_those_of_the_video(ten_seconds, tmp_path):
    output = tmp_path / "frames.zip"
    result = extract_frames(ExtractParams(format="png", sample_rate=4, start=1, duration=2), video=ten_seconds, output=output)
    assert [item.timestamp_s for item in result.items] == pytest.approx([1, 1.3, 1.5, 1.8, 2, 2.3, 2.5, 2.8])
    written = pictures_in(output)
    with read_frames(ten_seconds, start=1, duration=2, per_second=4) as frames:
        for item, frame in zip(result.items, frames, strict=True):
            assert np.array_equal(written[item.image], frame.rgb())


@pytest.mark.parametrize(("form", "kind"), [("jpg", "JPEG"), (".JPEG", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
def test_files_have_the_requested_format(ten_seconds, tmp_path, form, kind):
    extract_frames(ExtractParams(format=form, duration=1), video=ten_seconds, output=tmp_path / "frames.zip")
    with zipfile.ZipFile(tmp_path / "frames.zip") as archive:
        (name,) = archive.namelist()
        assert Image.open(io.BytesIO(archive.read(name))).format == kind


CLIPS = {
    "odd.mkv": ("-f lavfi -i testsrc=s=161x91:r=10:d=2 -c:v libx264 -pix_fmt yuv444p", (161, 91)),
    "one.mp4": ("-f lavfi -i testsrc2=s=64x48:r=10:d=0.1 -c:v libx264 -pix_fmt yuv420p", (64, 48)),
    "ten.mkv": ("-f lavfi -i testsrc2=s=160x90:r=10:d=2 -c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le", (160, 90)),
    "alpha.mov": ("-f lavfi -i testsrc2=s=160x90:r=10:d=1,format=yuva444p10le -c:v prores_ks -profile:v 4444", (160, 90)),
    "vfr.mkv": ("-f lavfi -i testsrc2=s=160x90:r=30:d=3 -vf select='not(mod(n\\,7))+lt(n\\,30)' -fps_mode vfr -c:v libx264", (160, 90)),
    "turned.mp4": ("-display_rotation 90 -f lavfi -i testsrc2=s=160x90:r=10:d=1 -c:v libx264 -pix_fmt yuv420p", (90, 160)),
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_kind_of_clip_is_processed(name, tmp_path, outputs):
    options, size = CLIPS[name]
    path = tmp_path / name
    subprocess.run([ffmpeg_path(), "-v", "error", *options.replace("'", "").split(), str(path)], check=True)
    params = BestFramesParams(scorer="technical", diversity=0, format="png", sample_rate=2)
    result = best_frames(params, video=path, outputs=outputs)
    assert result.items
    assert result.sources[0].processed
    for picture in pictures_in(outputs["images"]).values():
        assert picture.shape == (size[1], size[0], 3)


def test_near_duplicates_are_recognized():
    first, two = scenery(1), scenery(2)
    near = cv2.GaussianBlur(first, (0, 0), 1)
    assert look_alikes([thumbnail(first), thumbnail(near), thumbnail(two)], [1.0, 2.0, 0.5], 0.03) == [1, None, None]
    assert look_alikes([thumbnail(first)] * 3, [1.0, 1.0, 1.0], 0.01) == [None, 0, 0]
    assert look_alikes([thumbnail(first)] * 3, [1.0, 1.0, 1.0], 0) == [None] * 3
    assert look_alikes([], [], 0.5) == []


def test_a_view_before_which_somebody_passes_is_one_view():
    random = np.random.default_rng(5)
    view = cv2.resize(random.integers(120, 250, (9, 16, 3)).astype(np.uint8), (320, 180), interpolation=cv2.INTER_CUBIC)
    left, right = view.copy(), view.copy()
    left[:, 100:116], right[:, 240:256] = 15, 15
    other = cv2.resize(random.integers(120, 250, (9, 16, 3)).astype(np.uint8), (320, 180), interpolation=cv2.INTER_CUBIC)
    pictures, merits = [thumbnail(picture) for picture in (left, right, other)], [2.0, 1.0, 0.5]
    # The passer-by alone makes more than 0.7 of the difference of unrelated pictures.
    before, after = (picture.reshape(-1, 3).astype(float) for picture in pictures[:2])
    assert ((before - after) ** 2).mean() > 0.7**2 * (before.var(axis=0).mean() + after.var(axis=0).mean())
    assert look_alikes(pictures, merits, 0.7) == [None, 0, None]
    assert look_alikes(pictures, merits, 0.1) == [None, None, None]
