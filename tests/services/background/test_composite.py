"""`background.composite`, measured in its output files."""

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import Clip, Shoot, psnr, rgb_picture

from services.background.clip.backdrop import Backdrop
from services.background.composite import CompositeParams, composite
from services.background.plate import PlateParams, plate
from shared.errors import Invalid
from shared.media_info import ColorInfo
from shared.video import VideoWriter, list_pictures, probe, read_frames
from tests.warning_log import WarningLog

PLAIN = {"decontaminate": False, "light_wrap": 0, "match": 0, "grain": False, "blobs": 0, "quality": 95}


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, Path, Path]:
    folder = tmp_path_factory.mktemp("shot")
    clip = Clip(Shoot(frames=20, seed=21))
    return (clip, *clip.write(folder))


def frames_of(path: Path) -> list[np.ndarray]:
    with read_frames(path) as frames:
        return [frame.rgb() for frame in frames]


def written(
    shot: tuple[Clip, Path, Path], folder: Path, *, background: Path | None = None, plate: Path | None = None, **params: object
) -> list[np.ndarray]:
    output = folder / "out.mp4"
    composite(CompositeParams(**(PLAIN | params)), video=shot[1], alpha=shot[2], background=background, plate=plate, output=output)  # type: ignore[arg-type]
    return frames_of(output)


def test_a_colour_and_a_picture_lie_behind_the_subject(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    clip = shot[0]
    rgb, alpha = clip.frame(10)
    weight = alpha[..., None] / 255
    over_color = written(shot, tmp_path, color="#2040c0")[10]
    assert psnr(over_color, (rgb * weight + np.array([0x20, 0x40, 0xC0]) * (1 - weight)).astype(np.uint8)) > 33
    picture = tmp_path / "wall.png"
    wall = np.zeros((270, 480, 3), np.uint8)
    wall[:, :240] = (200, 180, 160)
    Image.fromarray(wall).save(picture)
    over_picture = written(shot, tmp_path, background=picture)[10]
    assert psnr(over_picture, (rgb * weight + wall * (1 - weight)).astype(np.uint8)) > 30


@pytest.mark.parametrize(("end", "count", "last"), [("loop", 20, 3), ("hold", 20, 7), ("trim", 8, 7)])
def test_a_background_clip_loops_holds_or_ends(shot: tuple[Clip, Path, Path], tmp_path: Path, end: str, count: int, last: int) -> None:
    background = tmp_path / "levels.mp4"
    with VideoWriter(background, width=320, height=180, frame_rate=Fraction(25), quality=95) as writer:
        for k in range(8):
            writer.write(rgb_picture(np.full((180, 320, 3), 40 + 20 * k, np.uint8)), k)
    frames = written(shot, tmp_path, background=background, background_end=end)
    assert len(frames) == count
    assert abs(float(frames[count - 1][4:20, 4:20].mean()) - (40 + 20 * last)) < 4


def test_a_trimmed_background_with_a_short_last_frame_stays_over(tmp_path: Path) -> None:
    background = tmp_path / "uneven.mp4"
    with VideoWriter(background, width=64, height=36, frame_rate=Fraction(25)) as writer:
        for k in (0, 25):
            writer.write(rgb_picture(np.full((36, 64, 3), 90, np.uint8)), k)
    times = iter([Fraction(0), Fraction(11, 10), Fraction(12, 10)])
    clip = Backdrop(64, 36, "bt709").clip(background, fit="cover", end="trim", start_s=0.0, times=times)
    with closing(clip) as pictures:
        assert [picture is None for picture in pictures] == [False, True, True]


def test_times_and_sound_are_those_of_the_clip(clip: Path, samples: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    result = composite(CompositeParams(start=1, duration=1), video=clip, alpha=samples["matte"], background=None, plate=None, output=output)
    info = probe(output)
    assert info.kind == "video"
    assert info.duration_s == pytest.approx(1, abs=0.05)
    assert len(info.audio) == 1
    assert result.frames == 30
    assert result.background == "color"


def test_the_sound_ends_with_a_trimmed_picture(clip: Path, samples: dict[str, Path], tmp_path: Path) -> None:
    background, output = tmp_path / "gray.mp4", tmp_path / "out.mp4"
    with VideoWriter(background, width=64, height=36, frame_rate=Fraction(25), quality=95) as writer:
        for k in range(25):
            writer.write(rgb_picture(np.full((36, 64, 3), 90, np.uint8)), k)
    params = CompositeParams(**(PLAIN | {"background_end": "trim", "background_start": 0.4}))  # type: ignore[arg-type]
    composite(params, video=clip, alpha=samples["matte"], background=background, plate=None, output=output)
    info = probe(output)
    assert info.kind == "video"
    assert info.length_s == pytest.approx(0.6, abs=0.04)
    assert info.audio[0].duration_s == pytest.approx(0.6, abs=0.06)


def test_the_subject_alone_reads_no_background(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    background, output = tmp_path / "none.mp4", tmp_path / "out.zip"
    options = {"format": "png", "background_end": "trim", "background_start": 9, "shadow": "keep"}
    params = CompositeParams(**(PLAIN | options))  # type: ignore[arg-type]
    result = composite(params, video=shot[1], alpha=shot[2], background=background, plate=None, output=output)
    assert result.frames == 20


def test_with_a_plate_no_shadow_is_seen_where_none_is(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    clean = tmp_path / "plate.png"
    plate(PlateParams(), video=shot[1], alpha=shot[2], outputs={"plate": clean, "invented": tmp_path / "invented.png"})
    picture = tmp_path / "white.png"
    Image.new("RGB", (480, 270), (235, 235, 235)).save(picture)
    frame = written(shot, tmp_path, background=picture, plate=clean, decontaminate=True, shadow="keep", light_wrap=0.3, match=0.5)[15]
    assert frame.shape == (270, 480, 3)
    assert abs(float(frame[:, :40].mean()) - 235) < 8, "no shadow where none is"


def test_a_shadow_is_not_kept_without_a_plate(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="needs a clean plate of the clip") as refused:
        written(shot, tmp_path, shadow="keep")
    assert refused.value.errors[0].field == "params.shadow"
    with pytest.raises(ValueError, match="color"):
        CompositeParams(color="green")


@pytest.mark.parametrize("name", ["prores", "vp9", "png"])
def test_the_subject_alone_keeps_its_alpha(shot: tuple[Clip, Path, Path], tmp_path: Path, name: str) -> None:
    output = tmp_path / "out.mp4"
    params = CompositeParams(**(PLAIN | {"format": name, "duration": 0.2}))  # type: ignore[arg-type]
    result = composite(params, video=shot[1], alpha=shot[2], background=None, plate=None, output=output)
    assert result.background == "none"
    assert result.frames == 5
    rgb, alpha = shot[0].frame(3)
    if name == "png":
        picture = list_pictures([output])[3]
        rgba = np.asarray(picture.image())
        assert np.abs(picture.matte().astype(int) - alpha).mean() < 2
    else:
        with read_frames(output) as frames:
            decoded = list(frames)
        assert len(decoded) == 5
        assert np.abs(decoded[3].matte().astype(int) - alpha).mean() < 3
        rgba = decoded[3].rgb()
    inside = alpha == 255
    assert np.abs(rgba[..., :3][inside].astype(int) - rgb[inside]).mean() < 12


def test_tone_mapping_is_reported_wherever_an_hdr_clip_is_read(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    hdr = ColorInfo(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
    video, alpha = Clip(Shoot(width=160, height=90, frames=3, seed=4)).write(tmp_path, pixel_format="yuv420p10le", color=hdr)
    of_subject, behind, of_plate = WarningLog(), WarningLog(), WarningLog()
    composite(
        CompositeParams(format="vp9"),
        video=video,
        alpha=alpha,
        background=None,
        plate=None,
        output=tmp_path / "a.webm",
        progress=of_subject,
    )
    params = CompositeParams(duration=0.1)
    composite(params, video=shot[1], alpha=shot[2], background=video, plate=None, output=tmp_path / "b.mp4", progress=behind)
    outputs = {"plate": tmp_path / "plate.png", "invented": tmp_path / "invented.png"}
    plate(PlateParams(), video=video, alpha=alpha, outputs=outputs, progress=of_plate)
    for log in (of_subject, behind, of_plate):
        assert sum("tone-mapped" in sentence for sentence in log.warnings) == 1


def test_transparent_parts_of_a_picture_are_put_on_black(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    Image.new("RGBA", (480, 270), (255, 0, 0, 128)).save(tmp_path / "half.png")
    log = WarningLog()
    params = CompositeParams(**(PLAIN | {"duration": 0.1}))  # type: ignore[arg-type]
    output = tmp_path / "out.mp4"
    composite(params, video=shot[1], alpha=shot[2], background=tmp_path / "half.png", plate=None, output=output, progress=log)
    free = shot[0].frame(0)[1] == 0
    assert np.abs(np.median(frames_of(output)[0][free], axis=0) - (128, 0, 0)).max() < 4
    assert sum("filled with black" in sentence for sentence in log.warnings) == 1
