"""Motion trails rendered to files, which are decoded and checked."""

from contextlib import closing
from fractions import Fraction

import cv2
import numpy as np
import pytest

from benchmarks.effects.naive_trails import naive_trails
from services.effects.motion_trails import MotionTrailsParams
from services.effects.scene.memory_budget import stored_bytes
from services.effects.scene.pixels import pixels_for
from services.effects.scene.readers import read_matted
from services.effects.scene.tracker import SceneTracker
from services.effects.trails.compositors import MaskedCompositor
from shared.errors import BrokenMedia, Invalid, UnsupportedMedia
from shared.video import probe, read_audio, read_frames
from shared.video.clip.part import ClipPart
from shared.video.frames.display import BLACK
from shared.video.frames.frame import Frame, Reformatters
from shared.video.frames.planes import picture_from
from tests.services.effects.effect_clips import HEIGHT, WIDTH, RecordingProgress, lumas, psnr, scene, still, trails_of, write


def rolling(i):
    return 30 + 6.0 * i, 90.0


@pytest.fixture(scope="module")
def tripod(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tripod") / "clip.mp4", scene(still, rolling), frames=40, sound=True)


@pytest.fixture(scope="module")
def panned(tmp_path_factory):
    """Write a clip with a pan and a moving disc.

    The camera moves by whole pixels, the disc twice as fast.
    """
    return write(
        tmp_path_factory.mktemp("panned") / "clip.mp4", scene(lambda i: (150 + 2 * i, 200 - i), lambda i: (30 + 4 * i, 90)), frames=40
    )


@pytest.mark.parametrize("clip", ["tripod", "panned"])
def test_normal_ghosts_agree_with_the_naive_reference_to_40_db(clip, request, tmp_path):
    source = request.getfixturevalue(clip)
    params = {"layers": 4, "decay": 0.7, "spacing": 3}
    trails_of(source, tmp_path / "out.mp4", ghost="normal", mask=False, quality=100, **params)
    step = (0, 0) if clip == "tripod" else (-2, 1)
    path = [(step[0] * i, step[1] * i) for i in range(40)]
    with read_frames(tmp_path / "out.mp4") as frames:
        ours = [frame.rgb() for frame in frames]
    naive = list(naive_trails(source, path, ghost="normal", **params))
    # Where a ghost covers nothing, the effect fades and the reference mirrors. Compared is the area that all ghosts cover, past the fade.
    inner = (slice(24, -24), slice(36, -36))
    for i in range(12, 40):
        assert psnr(ours[i][inner], naive[i][inner]) > 40, i
    if clip == "tripod":
        assert min(psnr(ours[i], naive[i]) for i in range(12, 40)) > 40


@pytest.mark.parametrize("ghost", ["normal", "glow", "shadow"])
def test_ghosts_are_where_the_subject_was_and_the_scene_stays(ghost, tripod, tmp_path):
    result = trails_of(tripod, tmp_path / "out.mp4", ghost=ghost, layers=3, spacing=6)
    assert result.frames == 40
    assert result.cuts == []
    assert result.unsure_frames == 0
    before, after = lumas(tripod)[30].astype(int), lumas(tmp_path / "out.mp4")[30].astype(int)
    ghosts = [(round(30 + 6.0 * (30 - 6 * number)), 90) for number in (1, 2, 3)]
    changes = [float((after - before)[y - 4 : y + 4, x - 4 : x + 4].mean()) for x, y in ghosts]
    if ghost == "shadow":
        assert changes[0] < changes[1] < changes[2] < -5
    else:
        assert changes[0] > changes[1] > changes[2] > 5
    away = np.abs(after - before)[:50]
    assert away.mean() < 1.2


@pytest.mark.parametrize("ghost", ["glow", "shadow"])
def test_the_subject_itself_stays_sharp_on_top(ghost, tripod, tmp_path):
    trails_of(tripod, tmp_path / "out.mp4", ghost=ghost, layers=6, spacing=1)
    before, after = lumas(tripod)[25].astype(int), lumas(tmp_path / "out.mp4")[25].astype(int)
    disc = (slice(82, 98), slice(172, 188))
    assert np.abs(after - before)[disc].mean() < 6


@pytest.mark.parametrize("ghost", ["normal", "glow", "shadow"])
def test_ghosts_do_not_appear_suddenly(ghost, tripod, tmp_path):
    trails_of(tripod, tmp_path / "out.mp4", ghost=ghost, layers=6, spacing=3)
    before, after = lumas(tripod), lumas(tmp_path / "out.mp4")
    effect = np.array([np.abs(a.astype(int) - b).mean() for a, b in zip(after, before, strict=True)])
    assert effect[0] < 1
    assert np.abs(np.diff(effect)).max() < 0.35 * effect.max() + 0.3


def test_a_moving_camera_leaves_no_trail_of_the_scene(tmp_path):
    source = write(tmp_path / "clip.mp4", scene(lambda i: (100 + 3.3 * i, 200 + 1.4 * i), None), frames=30)
    for params in ({"ghost": "normal", "mask": False}, {}, {"ghost": "glow"}, {"ghost": "shadow"}):
        trails_of(source, tmp_path / "out.mp4", layers=4, spacing=4, **params)
        inner = (slice(30, -30), slice(60, -60))
        worst = min(psnr(a[inner], b[inner]) for a, b in zip(lumas(source), lumas(tmp_path / "out.mp4"), strict=True))
        assert worst > 38, (params, worst)
    trails_of(source, tmp_path / "out.mp4", layers=4, spacing=4, ghost="normal", mask=False, camera_model="none")
    assert min(psnr(a[inner], b[inner]) for a, b in zip(lumas(source)[16:], lumas(tmp_path / "out.mp4")[16:], strict=True)) < 32


def test_the_default_is_an_echo_behind_a_sharp_subject(panned, tmp_path):
    assert MotionTrailsParams().ghost == "normal"
    assert MotionTrailsParams().mask
    trails_of(panned, tmp_path / "out.mp4", layers=3, spacing=8)
    difference = np.abs(lumas(tmp_path / "out.mp4")[34].astype(int) - lumas(panned)[34])
    x = 30 + 4 * 34
    assert difference[84:96, x - 8 : x + 8].mean() < 3, "the subject is sharp"
    assert difference[75:105, x - 3 * 32 : x - 24].mean() > 10, "the trail is behind it"
    assert difference[24:50, 36:-36].mean() < 2, "the scene is sharp while the camera moves"


@pytest.mark.parametrize("ghost", ["glow", "shadow"])
@pytest.mark.parametrize(("level", "contrast"), [(24, 0.12), (110, 0.4)])
def test_styles_are_visible_over_dark_and_gray_scenes(ghost, level, contrast, tmp_path):
    ground_of = scene(still, None)

    def picture(i):
        luma = np.clip(level + contrast * (ground_of(i).astype(float) - 126), 16, 235).astype(np.uint8)
        return cv2.circle(luma, (60 + 5 * i, 90), 28, 48, -1)

    source = write(tmp_path / "clip.mp4", picture, frames=30)
    trails_of(source, tmp_path / "out.mp4", ghost=ghost)
    difference = np.abs(lumas(tmp_path / "out.mp4")[28].astype(int) - lumas(source)[28])
    assert np.percentile(difference[75:105, 90:165], 90) > 8


def test_a_cut_resets_the_trail(tmp_path):
    first, second = scene(still, rolling), scene(lambda i: (700, 400), rolling, seed=5)
    source = write(tmp_path / "clip.mp4", lambda i: first(i) if i < 20 else 255 - second(i) // 2, frames=40)
    result = trails_of(source, tmp_path / "out.mp4", ghost="normal")
    assert result.cuts == pytest.approx([20 / 30])
    assert psnr(lumas(source)[20], lumas(tmp_path / "out.mp4")[20]) > 38


def test_ghosts_ahead_show_where_the_subject_will_be(tripod, tmp_path):
    trails_of(tripod, tmp_path / "out.mp4", ghost="glow", layers=2, spacing=6, direction="ahead")
    before, after = lumas(tripod)[10].astype(int), lumas(tmp_path / "out.mp4")[10].astype(int)
    x = round(30 + 6.0 * 16)
    assert (after - before)[86:94, x - 4 : x + 4].mean() > 10
    x = round(30 + 6.0 * 4)
    assert abs((after - before)[86:94, x - 4 : x + 4].mean()) < 6


def test_a_mask_keeps_the_scene_and_the_subject_as_they_are(tripod, tmp_path):
    trails_of(tripod, tmp_path / "out.mp4", ghost="normal", mask=True, layers=3, spacing=6)
    before, after = lumas(tripod)[30].astype(int), lumas(tmp_path / "out.mp4")[30].astype(int)
    assert np.abs(after - before)[82:98, 202:218].mean() < 4
    assert (after - before)[86:94, 170:178].mean() > 15
    assert np.abs(after - before)[:50].mean() < 1


@pytest.mark.parametrize("ghost", ["normal", "glow"])
def test_a_matte_replaces_the_motion_mask(ghost, tripod, tmp_path):
    def matte(i):
        plane = np.full((HEIGHT, WIDTH), 16, np.uint8)
        x = round(30 + 6 * i)
        plane[70:90, max(x - 20, 0) : x + 20] = 235  # the upper half of the disc only
        return plane

    matte_file = write(tmp_path / "matte.mp4", matte, frames=40)
    trails_of(tripod, tmp_path / "out.mp4", matte=matte_file, ghost=ghost, layers=2, spacing=7)
    before, after = lumas(tripod)[30].astype(int), lumas(tmp_path / "out.mp4")[30].astype(int)
    x = 30 + 6 * 23
    assert (after - before)[77:86, x - 5 : x + 5].mean() > 15
    assert abs((after - before)[96:103, x - 5 : x + 5].mean()) < (3 if ghost == "normal" else 12)


def test_tint_blur_and_linear_light_change_the_ghosts(tripod, tmp_path):
    x = round(30 + 6.0 * 24)
    spots = {}
    for name, more in {
        "plain": {},
        "tint": {"tint": "#ff2000"},
        "sharp": {"ghost": "normal", "mask": True},
        "blur": {"ghost": "normal", "blur": 10},
        "linear": {"linear_light": True},
        "linear mean": {"linear_light": True, "ghost": "normal"},
        "linear tint": {"linear_light": True, "tint": "#ff2000", "ghost": "normal"},
    }.items():
        trails_of(tripod, tmp_path / "out.mp4", **({"ghost": "glow", "layers": 1, "spacing": 6} | more))
        with read_frames(tmp_path / "out.mp4") as frames:
            rgb = next(frame for frame in frames if frame.index == 30).rgb()
        spots[name] = rgb[84:96, x - 6 : x + 6].mean(axis=(0, 1)), rgb[90, :].mean(axis=1)
    red, green, blue = spots["tint"][0]
    assert red > green + 20
    assert red > blue + 20
    assert np.ptp(spots["plain"][0]) < 6
    steep = {name: np.abs(np.diff(spots[name][1][x - 24 : x + 8])).max() for name in ("sharp", "blur")}
    assert steep["blur"] < 0.5 * steep["sharp"]
    assert spots["linear"][0].mean() > 100
    assert spots["linear tint"][0][0] > spots["linear tint"][0][1] + 15


def test_a_part_begins_at_zero_with_its_own_sound(tripod, tmp_path):
    progress = RecordingProgress()
    result = trails_of(tripod, tmp_path / "out.mp4", start=0.5, duration=0.5, progress=progress)
    info = probe(tmp_path / "out.mp4")
    assert result.frames == info.frames == 15
    assert result.duration_s == pytest.approx(0.5)
    assert info.audio[0].channels == 2
    with read_audio(tmp_path / "out.mp4") as blocks:
        samples = np.concatenate([block.samples for block in blocks], axis=1)
    assert samples.shape[1] == pytest.approx(24000, abs=1100)
    assert np.sqrt((samples[0, 2000:20000] ** 2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    with read_frames(tmp_path / "out.mp4") as frames:
        assert next(frames).time == 0
    assert any(sentence.startswith("The sound was re-encoded") for sentence in progress.warnings)
    assert psnr(lumas(tripod)[15], lumas(tmp_path / "out.mp4")[0]) > 38


def test_sound_is_copied_and_times_stay(tripod, tmp_path):
    trails_of(tripod, tmp_path / "out.mp4")
    with read_audio(tripod) as a, read_audio(tmp_path / "out.mp4") as b:
        before, after = (np.concatenate([block.samples for block in blocks], axis=1) for blocks in (a, b))
    assert np.array_equal(before, after)


def test_uneven_times_stay(tmp_path):
    times = [0, 4, 6, 14, 15, 30, 34, 38, 50, 51]
    source = write(tmp_path / "clip.mp4", scene(still, rolling), frames=10, times=lambda i: times[i])
    trails_of(source, tmp_path / "out.mp4", spacing=0.1, spacing_unit="seconds")
    with read_frames(tmp_path / "out.mp4") as frames:
        assert [frame.time for frame in frames] == [Fraction(time, 120) for time in times]


@pytest.mark.parametrize("size", [(97, 55), (33, 17)])
def test_odd_sizes_are_rounded_up_to_even_ones(size, tmp_path):
    source = write(tmp_path / "clip.mkv", scene(still, rolling, width=size[0], height=size[1]), frames=8, pixel_format="yuv444p")
    assert (probe(source).width, probe(source).height) == size
    for params in (
        {"ghost": "normal"},
        {"ghost": "glow"},
        {"ghost": "normal", "mask": True},
        {"ghost": "normal", "camera_model": "homography"},
    ):
        result = trails_of(source, tmp_path / "out.mp4", spacing=1, **params)
        assert result.frames == 8
        assert (probe(tmp_path / "out.mp4").width, probe(tmp_path / "out.mp4").height) == (size[0] + 1, size[1] + 1)


def test_a_single_frame_without_sound_is_rendered(tmp_path):
    source = write(tmp_path / "clip.mp4", scene(still, rolling), frames=1)
    for ghost in ("normal", "glow", "shadow"):
        progress = RecordingProgress()
        result = trails_of(source, tmp_path / "out.mp4", ghost=ghost, progress=progress)
        assert result.frames == 1
        assert progress.fractions[-1] == 1
        assert psnr(lumas(source)[0], lumas(tmp_path / "out.mp4")[0]) > 40


def test_ten_bits_and_transparency_give_warnings(tmp_path):
    deep = write(tmp_path / "deep.mp4", scene(still, rolling), frames=4, pixel_format="yuv420p10le")
    progress = RecordingProgress()
    trails_of(deep, tmp_path / "out.mp4", progress=progress)
    assert any("from 10 to 8 bits" in sentence for sentence in progress.warnings)
    clear = write(tmp_path / "clear.webm", scene(still, rolling), frames=4, pixel_format="yuva420p")
    progress = RecordingProgress()
    trails_of(clear, tmp_path / "out.mp4", progress=progress)
    assert any("transparency" in sentence for sentence in progress.warnings)


def test_progress_rises_to_one(tripod, tmp_path):
    progress = RecordingProgress()
    trails_of(tripod, tmp_path / "out.mp4", progress=progress, direction="both")
    assert progress.fractions == sorted(progress.fractions)
    assert progress.fractions[-1] == 1
    assert len(progress.fractions) >= 40


class Cancelled(Exception):
    pass


def test_cancelling_leaves_no_files(tripod, tmp_path):
    class Ends(RecordingProgress):
        def __call__(self, done, total):
            if done >= 5:
                raise Cancelled

    with pytest.raises(Cancelled):
        trails_of(tripod, tmp_path / "out.mp4", progress=Ends())
    assert list(tmp_path.iterdir()) == []


def test_a_full_size_ghost_keeps_a_matte_of_half_the_size_and_no_small_planes(tripod):
    tracker = SceneTracker(WIDTH, HEIGHT, model="none")
    with closing(read_matted(tracker, tripod, tripod, ClipPart(), background=BLACK, full_size=True)) as frames:
        frame = next(frames)
    _, ghost = MaskedCompositor(pixels_for(frame.frame, linear_light=False), tracker.size, decay=0.7, tint=None).prepare(frame)
    assert ghost.mask.shape == ghost.faded.shape == (HEIGHT // 2, WIDTH // 2)
    assert not hasattr(ghost, "small")


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (1920, 1080), (1080, 1920)])
def test_the_camera_sees_no_repeated_pixels(width, height, monkeypatch):
    tracker = SceneTracker(width, height, model="translation")
    waves = np.rint(126 + 90 * np.sin(np.arange(width) / 3)).astype(np.uint8)[None].repeat(height, axis=0)
    picture = picture_from((waves, *[np.full((height // 2, width // 2), 128, np.uint8)] * 2), width, height, "yuv420p")
    seen = []
    step = tracker._camera.step
    monkeypatch.setattr(tracker._camera, "step", lambda small: seen.append(small) or step(small))
    next(tracker.track([Frame(0, Fraction(1, 25), 1, 0, picture, Reformatters())]))
    averaged = cv2.resize(waves, tracker._camera.size, interpolation=cv2.INTER_AREA)
    assert seen[0].shape == averaged.shape
    assert np.abs(seen[0].astype(int) - averaged).max() <= 8


def test_changes_to_a_matte_give_warnings(tripod, tmp_path):
    def white(height, width):
        return lambda i: np.full((height, width), 235, np.uint8)

    width = -(-WIDTH // 2)
    fits = write(tmp_path / "fits.mp4", white(-(-HEIGHT // 2), width), frames=40)
    short = write(tmp_path / "short.mp4", white(width, width), frames=10)
    progress, warned = RecordingProgress(), RecordingProgress()
    trails_of(tripod, tmp_path / "out.mp4", matte=fits, progress=progress)
    assert progress.warnings == []
    trails_of(tripod, tmp_path / "out.mp4", matte=short, progress=warned, duration=0.3)
    assert [sentence for sentence in warned.warnings if "matte" in sentence] == [
        f"The matte ({width}x{width}) was stretched to the aspect ratio of the video ({WIDTH}x{HEIGHT})."
    ]
    warned.warnings.clear()
    trails_of(tripod, tmp_path / "out.mp4", matte=short, progress=warned)
    assert "The matte ends at 0.33 s: its last frame was held from there to 1.33 s." in warned.warnings


@pytest.mark.parametrize(
    ("pixel_format", "stored"), [("yuv420p", 1.5), ("nv12", 1.5), ("gray", 1.5), ("yuv422p10le", 2), ("yuva444p", 3), ("rgb24", 3)]
)
def test_stored_bytes_depend_on_the_chroma_format(pixel_format, stored):
    assert stored_bytes(pixel_format) == stored


def test_the_memory_of_mixing_masked_ghosts_is_counted(tmp_path, monkeypatch, use_settings):
    clip = write(tmp_path / "large.mp4", scene(still, None, width=1280, height=720), frames=2)
    monkeypatch.setattr("services.effects.scene.memory_budget.worker_count", lambda: 8)
    use_settings(job_memory_bytes=240 * 1024 * 1024)
    params = {"ghost": "normal", "layers": 2, "spacing": 2}
    with pytest.raises(Invalid, match="Lower layers or spacing"):
        trails_of(clip, tmp_path / "out.mp4", mask=True, **params)
    assert not (tmp_path / "out.mp4").exists()
    trails_of(clip, tmp_path / "out.mp4", mask=False, **params)


def test_impossible_jobs_are_refused(tripod, tmp_path, use_settings):
    with pytest.raises(Invalid, match=r"1\.33 s long"):
        trails_of(tripod, tmp_path / "out.mp4", start=5)
    use_settings(job_memory_bytes=128 * 1024 * 1024)
    with pytest.raises(Invalid, match=r"Lower layers or spacing") as refused:
        trails_of(tripod, tmp_path / "out.mp4", ghost="normal", layers=20, spacing=60)
    assert [error.field for error in refused.value.errors] == ["params.layers", "params.spacing"]
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises((UnsupportedMedia, BrokenMedia)):
        trails_of(tmp_path / "text.mp4", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"focus_block": 30}, "choose 29 or 31"),
        ({"layers": 20, "spacing": 240}, "at most 1200"),
        ({"layers": 20, "spacing": 10, "spacing_unit": "seconds"}, "at most 60"),
        ({"tint": "red"}, "tint"),
        ({"decay": 1.5}, "decay"),
    ],
)
def test_params_out_of_range_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        MotionTrailsParams.model_validate(params)
