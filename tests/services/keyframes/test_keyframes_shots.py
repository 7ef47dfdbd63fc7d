"""Shot detection on clips whose transitions are known to the exact frame."""

from dataclasses import replace
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from services.keyframes.analysis import seek
from services.keyframes.analysis.comparison.frame_changes import lagged_distances
from services.keyframes.analysis.comparison.frame_distance import frame_distance
from services.keyframes.analysis.packet_prescan import quiet_spans
from services.keyframes.analysis.scanner import scan_video
from services.keyframes.analysis.thumbnail_film import ThumbnailFile
from services.keyframes.detect import DetectParams, detect
from services.keyframes.detectors.cuts.refinement import refine_cuts, refined
from services.keyframes.detectors.gradual.fades import find_fades
from services.keyframes.detectors.transition import Transition
from services.keyframes.output.report import VideoReport
from shared.operation import Silent
from shared.video import probe, timeline
from tests.services.keyframes.shot_clips import cut_together, scene, write, write_with_keys


def report_of(path, tmp_path, **params) -> VideoReport:
    outputs = {"gallery": tmp_path / "gallery.html", "keyframes": tmp_path / "keyframes.zip", "files": tmp_path / "files.zip"}
    return detect(DetectParams(**params), video=path, outputs=outputs).videos[0]


def starts(report: VideoReport) -> list[tuple[int, str]]:
    return [(shot.start_frame, shot.kind) for shot in report.shots[1:]]


@pytest.mark.parametrize(
    ("method", "threshold"), [("auto", None), ("content", None), ("adaptive", None), ("histogram", 0.12), ("difference", 15)]
)
def test_hard_cuts_are_found_to_the_frame(method, threshold, tmp_path):
    frames, truths = cut_together([(30, "cut", 0), (22, "cut", 0), (41, "cut", 0), (30, None, 0)])
    report = report_of(write(tmp_path / "clip.mp4", frames), tmp_path, method=method, threshold=threshold)
    assert starts(report) == [(start, "cut") for start, _ in truths]
    assert report.frames == len(frames)
    assert report.shots[-1].end_frame == len(frames)


def test_frame_numbers_and_times_are_exact_where_the_rate_varies(tmp_path):
    frames, truths = cut_together([(30, "cut", 0), (22, "cut", 0), (30, None, 0)])
    ticks = np.cumsum(np.random.default_rng(1).choice([20, 40, 60, 110], len(frames))).tolist()
    ticks = [tick - ticks[0] for tick in ticks]
    report = report_of(write(tmp_path / "clip.mp4", frames, ticks=ticks), tmp_path)
    assert report.variable_frame_rate
    assert starts(report) == [(start, "cut") for start, _ in truths]
    assert [shot.start_s for shot in report.shots] == pytest.approx([ticks[shot.start_frame] / 1000 for shot in report.shots], abs=1e-9)
    assert all(keyframe.timestamp_s == pytest.approx(ticks[keyframe.frame] / 1000, abs=1e-9) for keyframe in report.keyframes)


@pytest.mark.parametrize("kind", ["dissolve", "wipe", "fade"])
@pytest.mark.parametrize("length", [8, 16, 32])
def test_gradual_transitions_are_found_with_their_ends(kind, length, tmp_path):
    frames, ((start, end),) = cut_together([(50, kind, length), (50, None, 0)])
    report = report_of(write(tmp_path / "clip.mp4", frames), tmp_path)
    assert len(report.shots) == 2
    shot = report.shots[1]
    assert shot.kind == ("fade" if kind == "fade" else "dissolve")
    assert start <= shot.start_frame <= end
    # The ends cannot be exact: the first and last steps are too small to see.
    assert shot.transition_start_frame == pytest.approx(start, abs=2 + length / 4)
    assert shot.transition_end_frame == pytest.approx(end, abs=2 + length / 4)


def test_flashes_and_fast_pans_are_not_cuts(tmp_path):
    still, fast = scene(3), scene(4, speed=24)
    frames = [next(still) for _ in range(60)]
    for at in (20, 21, 40):
        frames[at] = cv2.addWeighted(frames[at], 0.2, np.full_like(frames[at], 255), 0.8, 0)
    path = write(tmp_path / "flashes.mp4", frames)
    assert starts(report_of(path, tmp_path)) == []
    assert starts(report_of(path, tmp_path, method="difference")) != []
    assert starts(report_of(write(tmp_path / "pan.mp4", [next(fast) for _ in range(40)]), tmp_path)) == []


def test_cuts_are_found_in_a_dark_letterboxed_film(tmp_path):
    frames, truths = cut_together([(40, "cut", 0), (40, "dissolve", 12), (40, "cut", 0), (30, None, 0)])
    dark = [cv2.convertScaleAbs(frame, alpha=0.2) for frame in frames]
    for frame in dark:
        frame[:24] = frame[-24:] = 0
    report = report_of(write(tmp_path / "dark.mp4", dark), tmp_path)
    assert [kind for _, kind in starts(report)] == ["cut", "dissolve", "cut"]
    assert [report.shots[1].start_frame, report.shots[3].start_frame] == [truths[0][0], truths[2][0]]


def test_a_single_frame_is_one_shot_with_one_keyframe(tmp_path):
    report = report_of(write(tmp_path / "one.mp4", [next(scene(1))]), tmp_path)
    assert [(shot.start_frame, shot.end_frame) for shot in report.shots] == [(0, 1)]
    assert [keyframe.frame for keyframe in report.keyframes] == [0]


def test_short_shots_are_joined_to_the_one_before(tmp_path):
    frames, truths = cut_together([(30, "cut", 0), (5, "cut", 0), (30, None, 0)])
    path = write(tmp_path / "clip.mp4", frames)
    assert len(report_of(path, tmp_path, method="content").shots) == 3
    assert starts(report_of(path, tmp_path, method="content", min_shot=0.5)) == [(truths[0][0], "cut")]


def test_fast_skips_still_stretches_and_finds_the_same_shots(tmp_path):
    first, second = scene(1, speed=0.2), scene(2, speed=0.2)
    frames = [next(first) for _ in range(260)] + [next(second) for _ in range(60)]
    path = write(tmp_path / "clip.mp4", frames)
    full, fast = (
        scan_video(path, probe(path), tmp_path / "thumbnails", Silent(), skip_unreferenced=True, skip_quiet=fast) for fast in (False, True)
    )
    assert len(fast.film) < 0.6 * len(full.film)
    assert fast.pts.tolist() == full.pts.tolist()
    assert starts(report_of(path, tmp_path, speed="fast")) == starts(report_of(path, tmp_path)) == [(260, "cut")]


def test_fast_finds_cuts_at_keyframes(tmp_path):
    frames, truths = cut_together([(70, "cut", 0), (60, "cut", 0), (80, "cut", 0), (90, None, 0)])
    path = write(tmp_path / "clip.mp4", frames)
    cuts = [start for start, _ in truths]
    assert quiet_spans(path, timeline(path), tmp_path / "keys") == [*pairwise([0, *cuts])]
    fast = scan_video(path, probe(path), tmp_path / "thumbnails", Silent(), skip_unreferenced=True, skip_quiet=True)
    inner = set(fast.film.frames.tolist()) & set(range(cuts[2]))
    assert inner == {at + step for at in [0, *cuts[:2]] for step in range(5)} | {at - step for at in cuts for step in range(1, 5)}
    report = report_of(path, tmp_path, speed="fast")
    assert starts(report) == [(cut, "cut") for cut in cuts]
    assert all(shot.start_frame < keyframe.frame < shot.end_frame for shot, keyframe in zip(report.shots, report.keyframes, strict=True))


def test_fast_finds_the_exact_frame_of_a_cut_before_its_keyframe(tmp_path):
    frames, truths = cut_together([(70, "cut", 0), (60, "cut", 0), (90, None, 0)])
    path = encoded(tmp_path / "clip.ts", frames, "mpeg2video", "yuv420p", g="15", bf="2")
    cuts = [start for start, _ in truths]
    # B-frames of the second shot are shown before its keyframe.
    assert cuts[0] not in np.flatnonzero(timeline(path).key)
    assert starts(report_of(path, tmp_path, speed="fast")) == [(cut, "cut") for cut in cuts]


def test_fast_finds_a_title_card_between_similar_keyframes(tmp_path):
    standing = scene(1, speed=0.2)
    frames = [next(standing) for _ in range(150)]
    card = cv2.putText(np.full((180, 320, 3), 40, np.uint8), "Title", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 2, (230, 230, 230), 3)
    # The encoder sets no keyframe so soon after one: the card's packet is small, and the next keyframe shows the scene again.
    frames[10:40] = [card] * 30
    path = encoded(tmp_path / "clip.mp4", frames, "libx264", "yuv420p")
    assert np.flatnonzero(timeline(path).key).tolist() == [0, 40]
    assert starts(report_of(path, tmp_path, speed="fast")) == [(10, "cut"), (40, "cut")]


def test_fast_decodes_where_keyframes_do_not_mark_cuts(tmp_path):
    frames, _ = cut_together([(30, "cut", 0), (45, "dissolve", 12), (63, None, 0)])
    path = write_with_keys(tmp_path / "clip.mp4", frames, 50)
    assert quiet_spans(path, timeline(path), tmp_path / "keys") == []
    assert starts(report_of(path, tmp_path, speed="fast")) == starts(report_of(path, tmp_path))
    # A flash at a keyframe starts no shot.
    still = scene(3, speed=0.2)
    frames = [next(still) for _ in range(150)]
    frames[50] = cv2.addWeighted(frames[50], 0.1, np.full_like(frames[50], 255), 0.9, 0)
    path = write_with_keys(tmp_path / "flash.mp4", frames, 50)
    assert 50 in np.flatnonzero(timeline(path).key)
    assert starts(report_of(path, tmp_path, speed="fast")) == []


def test_fast_decodes_ffv1_in_full(tmp_path):
    frames = [next(source) for source in (scene(1), scene(2)) for _ in range(10)]
    path = encoded(tmp_path / "clip.mkv", frames, "ffv1", "yuv420p")
    assert starts(report_of(path, tmp_path, speed="fast")) == starts(report_of(path, tmp_path)) == [(10, "cut")]
    still = encoded(tmp_path / "still.mkv", frames[:1] * 20, "ffv1", "yuv420p")
    assert starts(report_of(still, tmp_path, speed="fast")) == []


def test_fast_skips_nothing_of_intra_only_video(tmp_path):
    frames = [next(source) for source in (scene(1, speed=0), scene(2, speed=0)) for _ in range(10)]
    path = encoded(tmp_path / "clip.mkv", frames, "mjpeg", "yuvj420p")
    line = timeline(path)
    assert line is not None
    assert line.key.all()
    assert quiet_spans(path, line, tmp_path / "keys") == []
    assert starts(report_of(path, tmp_path, speed="fast")) == [(10, "cut")]


def test_a_fade_ends_before_slow_changes_of_the_full_picture():
    down, up, grows = [20.0, 15, 10, 5], [0.0, 5, 10, 15, 20], [20 + 0.7 * step for step in range(1, 20)]
    (fade,) = find_fades(np.array([20.0] * 40 + down[1:] + [0.0] * 4 + up[1:] + grows, np.float32), set(), 0.7)
    assert (fade.before, fade.after) == (39, 50)


def encoded(path, frames, codec, pixel_format, **options):
    """Encode frames at 25 fps with a codec's defaults and `options`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("length", [4, 6, 9])
def test_a_quick_fade_is_one_transition(length, tmp_path):
    frames, [(start, end)] = cut_together([(40, "fade", length), (40, None, 0)])
    [(at, _)] = starts(report_of(write(tmp_path / "clip.mp4", frames), tmp_path))
    assert start <= at <= end


def test_a_cut_soon_after_a_dissolve_keeps_its_frame(tmp_path):
    frames, [(_, _), (cut, _)] = cut_together([(40, "dissolve", 14), (12, "cut", 0), (40, None, 0)])
    assert (cut, "cut") in starts(report_of(write(tmp_path / "clip.mp4", frames), tmp_path))


def test_refinement_keeps_cuts_and_drops_whip_pans():
    wide = next(scene(3))
    at = [tiny_of(np.ascontiguousarray(np.roll(wide, -60 * step, axis=1))) for step in range(4)]
    other = tiny_of(np.ascontiguousarray(next(scene(8))))
    cut = Transition(13, 13, "cut", 0.95)
    assert refined(cut, 10, [at[0], at[0], other, other]) == Transition(12, 12, "cut", 0.95)
    assert refined(cut, 10, at).confidence < 0.5, "a whip pan spreads over all frames"


def test_refinement_decodes_the_video_once(tmp_path, monkeypatch):
    frames, truths = cut_together([(30, "cut", 0), (3, "cut", 0), (2, "cut", 0), (41, "cut", 0), (30, None, 0)])
    path = write_with_keys(tmp_path / "clip.mp4", frames, 1000)
    measured = scan_video(path, probe(path), tmp_path / "thumbnails", Silent())
    # As if the scan had skipped three of four frames, or two of three where cuts are close.
    places = sorted({*range(0, 30, 4), 32, *range(34, len(frames), 4), len(frames) - 1})
    rough = replace(measured, film=replace(measured.film, planes=measured.film.planes[:][places], frames=np.array(places)))
    after = [next(number for number in places if number >= start) for start, _ in truths]
    calls, read = [], seek.read_frames
    monkeypatch.setattr(seek, "read_frames", lambda *args, **options: calls.append(1) or read(*args, **options))
    exact = refine_cuts(path, rough, [Transition(at, at, "cut", 0.95) for at in after])
    assert [cut.start for cut in exact] == [start for start, _ in truths]
    assert len(calls) == 1


def test_a_slight_change_of_exposure_is_a_small_distance():
    picture = tiny_of(np.ascontiguousarray(next(scene(3))))
    brighter, other = np.clip(picture.astype(int) + 3, 0, 255).astype(np.uint8), tiny_of(np.ascontiguousarray(next(scene(8))))
    assert frame_distance(picture, brighter).total < 0.35 * frame_distance(picture, other).total
    assert frame_distance(picture, picture).total == 0


def test_lagged_distances_reach_across_blocks(tmp_path, monkeypatch):
    pictures = np.random.default_rng(1).integers(16, 236, (11, 3, 18, 32), dtype=np.uint8)
    monkeypatch.setattr("services.keyframes.analysis.comparison.frame_changes._BLOCK", 4)
    with ThumbnailFile(tmp_path / "thumbnails") as store:
        for number, picture in enumerate(pictures):
            store.add(picture, number)
        film = store.film()
    for lag in (1, 2):
        distances = [frame_distance(*pair).total for pair in zip(pictures[:-lag], pictures[lag:], strict=True)]
        assert lagged_distances(film, lag).tolist() == pytest.approx(distances)
    assert lagged_distances(film, 11).shape == lagged_distances(film, 12).shape == (0,)


def tiny_of(rgb):
    planes = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV))
    return np.stack([cv2.resize(plane, (32, 18), interpolation=cv2.INTER_AREA) for plane in planes])
