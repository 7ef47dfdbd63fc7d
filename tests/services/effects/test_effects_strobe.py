"""The strobe effect: copies (stamps) of the subject in video and still."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from services.effects.strobe import StrobeParams, StrobeResult, strobe
from shared.errors import Invalid
from shared.video import probe
from tests.services.effects.effect_clips import HEIGHT, WIDTH, RecordingProgress, ground, lumas, psnr, scene, still, view, with_disc, write


def rolling(i):
    return 40 + 4.0 * i, 90.0


@pytest.fixture(scope="module")
def tripod(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tripod") / "clip.mp4", scene(still, rolling), frames=60, sound=True)


def run(
    video: Path, folder: Path, *, matte: Path | None = None, progress: RecordingProgress | None = None, **params
) -> tuple[StrobeResult, list, np.ndarray]:
    outputs = {"video": folder / "video.mp4", "picture": folder / "picture.png"}
    request = StrobeParams.model_validate({"quality": 95} | params)
    result = strobe(request, video=video, matte=matte, outputs=outputs, progress=progress or RecordingProgress())
    return result, lumas(outputs["video"]), cv2.imread(str(outputs["picture"]), cv2.IMREAD_UNCHANGED)


def test_stamps_gather_behind_the_subject(tripod, tmp_path):
    progress = RecordingProgress()
    result, after, picture = run(tripod, tmp_path, interval=0.4, progress=progress)
    before = lumas(tripod)
    assert result.stamped == pytest.approx([0, 0.4, 0.8, 1.2, 1.6])
    assert result.frames == len(after) == 60
    assert progress.fractions[-1] == 1
    for index in (20, 59):
        for number in range(5):
            x = round(40 + 4.0 * 12 * number)
            level = after[index][84:96, x - 6 : x + 6].mean()
            assert (level > 215) == (12 * number <= index), (index, number)
    # Between two stamps there is the scene.
    assert np.abs(after[59][84:96, 60:68].astype(int) - before[0][84:96, 60:68]).mean() < 4
    assert psnr(after[59][:60], before[59][:60]) > 40
    assert picture.shape == (HEIGHT, WIDTH, 3)
    for number in range(5):
        x = round(40 + 4.0 * 12 * number)
        assert picture[84:96, x - 6 : x + 6].mean() > 215
    # The subject after the last stamp is not in the picture, the scene behind it is.
    assert picture[84:96, 270:282].mean() < 190
    assert probe(tmp_path / "video.mp4").audio[0].channels == 2


def slow(camera):
    """Return a function that draws the frames of a slowly moving disc.

    It moves by less than its width between two stamps, so that only its edges differ.
    """
    ground_of = scene(camera, None)
    return lambda i: with_disc(ground_of(i), (50 + 1.2 * i - (camera(i)[0] - camera(0)[0]), 90.0), radius=28)


@pytest.mark.parametrize("step", [0.0, -0.6])
def test_a_slow_subject_is_stamped_whole(step, tmp_path):
    def camera(i):
        return 300 + step * i, 200.0

    source = write(tmp_path / "clip.mp4", slow(camera), frames=150)
    result, after, picture = run(source, tmp_path, interval=1.0)
    assert len(result.stamped) == 5
    for seconds in result.stamped:
        for picture_part, left in ((after[149], -step * 149), (picture[:, :, 1], picture.shape[1] - WIDTH)):
            rows, columns = np.mgrid[0:HEIGHT, 0 : picture_part.shape[1]]
            inside = np.hypot(columns - (left + 50 + 1.2 * 30 * seconds), rows - 90) < 25
            # All but the rims of the stamps on top of it.
            assert (picture_part[inside] > 190).mean() > 0.88, seconds
    last_luma = lumas(source)[149]
    assert psnr(after[149][:50, 40:280], last_luma[:50, 40:280]) > 36


def test_a_subject_that_never_uncovers_the_scene_is_found_by_its_edges(tmp_path):
    ground_of = scene(still, None)
    source = write(tmp_path / "clip.mp4", lambda i: with_disc(ground_of(i), (160 + 0.6 * i, 90.0), radius=40), frames=40)
    result, after, _ = run(source, tmp_path, interval=0.5)
    assert len(result.stamped) >= 2
    assert psnr(after[39][:40], lumas(source)[39][:40]) > 36


def test_opacity_and_the_maximum_number_of_stamps(tripod, tmp_path):
    result, after, _ = run(tripod, tmp_path, interval=0.4, opacity=0.5, stamps=2)
    assert result.stamped == pytest.approx([1.2, 1.6])
    spot = [after[59][84:96, x - 6 : x + 6].mean() for x in (136, 184, 232)]
    assert spot[0] < 150 < spot[1] < 195
    assert 150 < spot[2] < 195


def test_a_panning_camera_gives_a_panorama(tmp_path):
    source = write(tmp_path / "clip.mp4", scene(lambda i: (150 + 4 * i, 200), lambda i: (100 + 1.0 * i, 90)), frames=60)
    result, after, picture = run(source, tmp_path, interval=0.5)
    assert picture.shape[1] == pytest.approx(WIDTH + 4 * 59, abs=3)
    assert picture.shape[0] == pytest.approx(HEIGHT, abs=3)
    assert (picture.shape[1], picture.shape[0]) == (result.picture_width, result.picture_height)
    for number in range(4):
        x = round(100 + 5.0 * 15 * number)
        assert picture[84:96, x - 6 : x + 6, :3].mean() > 210, number
    truth = view(ground(), (150, 200), width=500, height=HEIGHT)
    away = slice(120, 170)
    assert (
        np.abs(picture[away, 20:480, 1].astype(int) - truth[away, 20:480]).mean()
        < 8 + np.abs(truth[away, 20:480].astype(int) - picture[away, 20:480, 1]).min()
    )
    # In the video, stamps stay where they are in the scene, not in the frame.
    x = round(100 + 5.0 * 30 - 4 * 50)
    assert after[50][84:96, x - 6 : x + 6].mean() > 205


def test_the_picture_grows_no_further_than_the_canvas(tmp_path):
    source = write(tmp_path / "clip.mp4", scene(lambda i: (100 + 12 * i, 200), lambda i: (100, 90)), frames=50)
    progress = RecordingProgress()
    result, _, picture = run(source, tmp_path, canvas=1.5, progress=progress)
    assert picture.shape[1] <= 1.5 * WIDTH
    assert result.picture_width == picture.shape[1]
    assert any("Raise canvas" in sentence for sentence in progress.warnings)


def test_a_shot_without_motion_gives_a_warning(tmp_path):
    source = write(tmp_path / "clip.mp4", scene(still, None), frames=12)
    progress = RecordingProgress()
    result, after, picture = run(source, tmp_path, progress=progress)
    assert result.stamped == []
    assert any("No moving subject was found" in sentence for sentence in progress.warnings)
    assert psnr(after[11], lumas(source)[11]) > 40
    assert picture.shape == (HEIGHT, WIDTH, 3)


def test_each_shot_starts_anew_and_the_one_with_most_stamps_is_the_picture(tmp_path):
    first, second = scene(still, rolling), scene(lambda i: (700, 400), rolling, seed=5)
    source = write(tmp_path / "clip.mp4", lambda i: first(i) if i < 14 else 255 - second(i - 14) // 2, frames=60)
    result, after, _ = run(source, tmp_path, interval=0.3)
    assert result.cuts == pytest.approx([14 / 30])
    assert min(result.stamped) >= 14 / 30 - 0.01
    assert psnr(after[14], lumas(source)[14]) > 36


def test_a_matte_defines_the_subject(tripod, tmp_path):
    def matte(i):
        plane = np.full((HEIGHT, WIDTH), 16, np.uint8)
        return cv2.circle(plane, (round(40 + 4 * i), 90), 17, 235, -1)

    matte_file = write(tmp_path / "matte.mp4", matte, frames=60)
    _, after, _ = run(tripod, tmp_path, matte=matte_file, interval=0.4)
    assert all(after[59][84:96, x - 6 : x + 6].mean() > 215 for x in (40, 88, 136, 184, 232))


def test_a_failed_picture_leaves_no_video(tripod, tmp_path, monkeypatch):
    monkeypatch.setattr("services.effects.strobe._save", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        run(tripod, tmp_path)
    assert list(tmp_path.iterdir()) == []


def gray_clip(path, luma, *, frames):
    """Write a lossless clip without chroma, whose frame i is `luma(i)`.

    Decoded H.264 always has chroma.
    """
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray"
        for index in range(frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(luma(index), format="gray")))
        file.mux(stream.encode())
    return path


@pytest.mark.parametrize("frames", [1, 60])
def test_a_gray_clip_is_stamped_like_a_coloured_one(frames, tmp_path):
    source, folders = scene(still, rolling), [tmp_path / "gray", tmp_path / "colored"]
    gray = gray_clip(tmp_path / "gray.mkv", source, frames=frames)
    assert probe(gray).pixel_format == "gray"
    for folder in folders:
        folder.mkdir()
    result, after, _ = run(gray, folders[0], interval=0.4)
    colored, colored_picture, _ = run(write(tmp_path / "colored.mp4", source, frames=frames), folders[1], interval=0.4)
    assert result.stamped == pytest.approx(colored.stamped, abs=1e-3)
    assert len(result.stamped) == (0 if frames == 1 else 5)
    # Gray has the full range.
    assert psnr(after[-1], colored_picture[-1] * (219 / 255) + 16) > 36


def test_a_single_frame_is_processed(tmp_path):
    source = write(tmp_path / "clip.mp4", scene(still, rolling), frames=1)
    result, after, picture = run(source, tmp_path)
    assert result.frames == len(after) == 1
    assert picture.shape == (HEIGHT, WIDTH, 3)


def test_jobs_that_need_too_much_memory_are_refused(tripod, tmp_path, use_settings):
    large = write(tmp_path / "large.mp4", scene(still, None, width=1280, height=720), frames=1)
    use_settings(job_memory_bytes=128 * 1024 * 1024)
    with pytest.raises(Invalid, match="Lower stamps or canvas") as refused:
        run(large, tmp_path, stamps=100, canvas=6)
    assert [error.field for error in refused.value.errors] == ["params.stamps", "params.canvas"]
    with pytest.raises(Invalid, match="has no part that starts at"):
        run(tripod, tmp_path, start=60)


def test_hollow_stamps_are_reported_and_a_matte_fills_them(tmp_path):
    # A large disc sways in place, so motion shows only its edges.
    ground_of = scene(still, None)

    def place(i):
        return (150 + 8 * np.sin(i / 4), 90.0)

    source = write(tmp_path / "clip.mp4", lambda i: with_disc(ground_of(i), place(i), radius=70), frames=50)
    black = np.full((HEIGHT, WIDTH), 16, np.uint8)
    matte = write(tmp_path / "matte.mp4", lambda i: with_disc(black, place(i), radius=70), frames=50)
    progress = RecordingProgress()
    result, *_ = run(source, tmp_path, progress=progress)
    assert result.mask == "motion"
    assert result.subject_seen < 0.8
    assert set(result.hollow) <= set(result.stamped)
    assert any("hollow" in warning and "matte" in warning for warning in progress.warnings)
    for mask, used in (("auto", "matte"), ("matte", "matte"), ("motion", "motion")):
        progress = RecordingProgress()
        result, *_ = run(source, tmp_path, matte=matte, mask=mask, progress=progress, duration=1)
        assert result.mask == used
        assert (result.hollow == []) == (used == "matte")
        assert any("hollow" in warning for warning in progress.warnings) == (used == "motion")
    with pytest.raises(Invalid, match="needs a matte, and none is given"):
        run(source, tmp_path, mask="matte")


def test_whole_stamps_need_no_matte(tripod, tmp_path):
    progress = RecordingProgress()
    result, *_ = run(tripod, tmp_path, interval=0.4, progress=progress)
    assert result.hollow == []
    assert result.subject_seen > 0.9
    assert progress.warnings == []


def test_a_black_matte_is_not_used_and_a_warning_says_so(tripod, tmp_path):
    matte = write(tmp_path / "matte.mp4", lambda _: np.zeros((HEIGHT, WIDTH), np.uint8), frames=60)
    progress = RecordingProgress()
    result, *_ = run(tripod, tmp_path, matte=matte, interval=0.4, progress=progress)
    assert result.mask == "motion"
    assert len(result.stamped) == 5
    assert [warning for warning in progress.warnings if "matte is black" in warning]
    stubborn, *_ = run(tripod, tmp_path, matte=matte, interval=0.4, mask="matte")
    assert (stubborn.mask, stubborn.stamped) == ("matte", [])
