"""Shot detection on clips that mislead detectors.

The clips have punch-ins, blank frames, flashes, overlays, plain backgrounds or black.
"""

import cv2
import numpy as np
import pytest

from tests.services.keyframes.found_shots import shots_of
from tests.services.keyframes.shot_clips import HEIGHT, WIDTH, dissolve, frames_of, write


def zoomed(picture, factor):
    w, h = int(WIDTH / factor), int(HEIGHT / factor)
    x, y = (WIDTH - w) // 2, (HEIGHT - h) // 3
    return cv2.resize(picture[y : y + h, x : x + w], (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def plain(color, count):
    return [np.full((HEIGHT, WIDTH, 3), color, np.uint8)] * count


@pytest.mark.parametrize("speed", ["full", "fast"])
def test_punch_in_cuts_of_one_take_are_found(speed, tmp_path):
    take = frames_of(5, 90)
    frames = [zoomed(picture, factor) for part, factor in ((take[:30], 1), (take[30:62], 1.15), (take[62:], 1.4)) for picture in part]
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path, speed=speed) == [(30, "cut"), (62, "cut")]


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (200, 20, 20)])
def test_blank_frames_between_shots_are_one_cut(color, tmp_path):
    frames = frames_of(1, 30) + plain(color, 1) + frames_of(2, 30) + plain(color, 4) + frames_of(3, 30)
    (first, _), (second, _) = shots_of(write(tmp_path / "clip.mp4", frames), tmp_path)
    assert first in (30, 31)
    assert 61 <= second <= 65


def test_blank_frames_within_a_shot_are_no_cut(tmp_path):
    take = frames_of(1, 60)
    assert shots_of(write(tmp_path / "clip.mp4", take[:30] + plain((0, 0, 0), 3) + take[30:]), tmp_path) == []


@pytest.mark.parametrize("ink", [None, (180, 30, 40)])
def test_plain_grounds_of_changing_brightness_are_no_cuts(ink, tmp_path):
    frames = []
    for frame in range(90):
        picture = np.full((HEIGHT, WIDTH, 3), 130 + 100 * np.sin(frame / 8), np.uint8)
        frames.append(picture if ink is None else cv2.putText(picture, "LOGO", (90, 105), cv2.FONT_HERSHEY_DUPLEX, 1.7, ink, 4))
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path) == []


def test_exposure_that_settles_is_no_transition(tmp_path):
    frames = [cv2.convertScaleAbs(picture, alpha=min(0.4 + max(at - 25, 0) / 40, 1)) for at, picture in enumerate(frames_of(4, 80))]
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path) == []


@pytest.mark.parametrize("kind", ["caption", "letterbox"])
def test_overlays_that_pop_in_are_no_cuts(kind, tmp_path):
    frames = frames_of(6, 60) + frames_of(7, 40)
    for picture in frames[20:42]:
        if kind == "caption":
            picture[140:] = (20, 20, 70)
        else:
            picture[:20] = picture[-20:] = 0
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path) == [(60, "cut")]


def test_the_length_of_a_flash_is_measured_in_seconds(tmp_path):
    frames = frames_of(8, 120)
    for at in (*range(40, 50), *range(80, 91)):
        frames[at] = dissolve(frames[at], np.full_like(frames[at], 255), 0.85)
    path = write(tmp_path / "clip.mp4", frames, ticks=[round(at * 1000 / 60) for at in range(120)])
    assert shots_of(path, tmp_path) == []


@pytest.mark.parametrize(
    ("first", "shares"), [(38, [0.9] * 4), (38, [0.95, 1, 0.95, 0.85]), (39, [0.99, 0.9, 0.85]), (40, [0.8, 0.99, 0.9, 0.8])]
)
def test_a_cut_under_a_flash_is_one_cut(first, shares, tmp_path):
    frames = frames_of(1, 40) + frames_of(2, 40)
    for at, share in enumerate(shares, first):
        frames[at] = dissolve(frames[at], np.full_like(frames[at], 255), share)
    ((start, _),) = shots_of(write(tmp_path / "clip.mp4", frames), tmp_path)
    assert first <= start <= first + len(shares)


@pytest.mark.parametrize("speed", [1.5, 3])
def test_exposure_that_settles_while_the_camera_moves_is_no_dissolve(speed, tmp_path):
    source = drawn_place()
    frames = [source[:, round(speed * at) : round(speed * at) + WIDTH] for at in range(80)]
    frames = [cv2.convertScaleAbs(picture, alpha=min(0.4 + max(at - 20, 0) / 30, 1)) for at, picture in enumerate(frames)]
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path) == []


@pytest.mark.parametrize("speed", [8, 12])
def test_exposure_that_settles_while_the_camera_leaves_the_place_is_no_dissolve(speed, tmp_path):
    source = drawn_place(width=4 * WIDTH)
    frames = [source[:, speed * at : speed * at + WIDTH] for at in range(70)]
    frames = [cv2.convertScaleAbs(picture, alpha=min(0.4 + max(at - 15, 0) / 66, 1)) for at, picture in enumerate(frames)]
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path) == []


def test_a_dissolve_between_pans_is_found(tmp_path):
    first, second = drawn_place(), drawn_place(seed=5)
    frames = [first[:, at : at + WIDTH] for at in range(55)] + [second[:, at : at + WIDTH] for at in range(20, 60)]
    for at in range(20):
        frames[35 + at] = dissolve(frames[35 + at], second[:, at : at + WIDTH], (at + 1) / 21)
    ((start, kind),) = shots_of(write(tmp_path / "clip.mp4", frames), tmp_path)
    assert kind == "dissolve"
    assert 35 <= start <= 55


def drawn_place(width=2 * WIDTH, seed=3):
    """Draw a wide picture of boxes with distinguishable corners."""
    random = np.random.default_rng(seed)
    wide = np.full((HEIGHT, width, 3), (120, 130, 110), np.uint8)
    for _ in range(width // 4):
        x, y = int(random.integers(0, width)), int(random.integers(0, HEIGHT))
        size = random.integers(6, 40, 2)
        cv2.rectangle(wide, (x, y), (x + int(size[0]), y + int(size[1])), random.integers(0, 255, 3).tolist(), -1)
    return wide


def test_a_hard_cut_to_black_and_the_fade_in_after_it_are_two_transitions(tmp_path):
    bright = frames_of(2, 56)
    faded = [dissolve(np.zeros_like(picture), picture, (at + 1) / 17) for at, picture in enumerate(bright[:16])]
    path = write(tmp_path / "clip.mp4", frames_of(1, 30) + plain((0, 0, 0), 15) + faded + bright[16:])
    (cut, kind), (start, fade) = shots_of(path, tmp_path)
    assert (cut, kind, fade) == (30, "cut", "fade")
    assert 45 <= start <= 61


def test_fades_to_long_black_are_fades(tmp_path):
    first, second = frames_of(1, 50), frames_of(2, 50)
    for at in range(16):
        first[34 + at] = dissolve(first[34 + at], np.zeros_like(first[0]), (at + 1) / 17)
        second[at] = dissolve(np.zeros_like(first[0]), second[at], (at + 1) / 17)
    path = write(tmp_path / "clip.mp4", first + plain((0, 0, 0), 70) + second)
    (fade_out, kind), (fade_in, other) = shots_of(path, tmp_path)
    assert kind == other == "fade"
    assert 34 <= fade_out <= 50
    assert 120 <= fade_in <= 136


@pytest.mark.parametrize("kind", ["caption", "letterbox", "banner"])
@pytest.mark.parametrize("color", [(0, 0, 0), (250, 250, 250), (30, 60, 140)])
def test_overlays_before_plain_grounds_are_no_cuts(kind, color, tmp_path):
    bar = (20, 20, 70) if sum(color) > 100 else (230, 230, 230)
    frames = [np.full((HEIGHT, WIDTH, 3), color, np.uint8) for _ in range(80)]
    for picture in frames[25:55]:
        if kind == "caption":
            picture[140:] = bar
        elif kind == "banner":
            picture[10:45, 30:-30] = bar
        else:
            picture[:20] = picture[-20:] = bar
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path) == []


def text_slides(lines):
    """Draw slides of dark text, 25 frames each.

    `lines`: the text lines of each slide.
    """
    frames = []
    for texts in lines:
        picture = np.full((HEIGHT, WIDTH, 3), 250, np.uint8)
        for row, text in enumerate(texts):
            place = (int(0.05 * WIDTH), int((0.2 + 0.14 * row) * HEIGHT))
            cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, WIDTH / 500, (20, 20, 25), 1, cv2.LINE_AA)
        frames += [picture] * 25
    return frames


def test_content_says_whether_text_alone_begins_a_shot(tmp_path):
    texts = [["Results of the year", "costs fell", "sales rose", "more people"], ["What is next", "a new house", "two machines"]]
    short = [["A", "B"], ["A", "C"]]
    path = write(tmp_path / "slides.mp4", text_slides(texts))
    assert shots_of(path, tmp_path) == shots_of(path, tmp_path, content="slides") == [(25, "cut")]
    line_added = write(tmp_path / "added.mp4", text_slides(short))
    assert shots_of(line_added, tmp_path) == []
    take = frames_of(3, 30) + frames_of(4, 30)
    film = write(tmp_path / "film.mp4", take)
    assert [shots_of(film, tmp_path, content=content) for content in ("auto", "film", "slides")] == [[(30, "cut")]] * 3


def test_a_brighter_shot_that_moves_is_no_flash(tmp_path):
    dark = [(picture * 0.35).astype(np.uint8) for picture in frames_of(5, 30)]
    light = [(picture // 2 + 127).astype(np.uint8) for picture in frames_of(6, 30, speed=6)]
    assert shots_of(write(tmp_path / "clip.mp4", dark + light), tmp_path) == [(30, "cut")]
