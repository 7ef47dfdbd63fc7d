"""Painting by diffusion: steps, tiles, sizes, kept parts of the picture, and depth."""

import numpy as np
import pytest

from services.background.diffusion.paint import Plan as PaintPlan
from services.background.diffusion.paint import _Steps, kept_outside, paint
from services.background.diffusion.pipeline import Painting, Pipeline
from services.background.diffusion.sizes import feather, painted_size, tiles
from services.background.stage.painting import described_scene, scene_depth
from shared.operation import Silent
from tests.warning_log import WarningLog

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"), pytest.mark.timeout(400)]


def test_the_encoders_do_not_count_as_a_step() -> None:
    clock = iter([100.0, 104.0])
    listener = WarningLog()
    steps = _Steps(30, listener, timed=True, clock=lambda: next(clock))
    steps.begin()
    steps()
    steps()
    assert [warning.split(". ")[0] for warning in listener.warnings] == [
        "One step on the CPU took 4.0 s: all 30 steps take about 2 minutes"
    ]


class FlatPipe(Pipeline):
    """A pipeline that paints one colour and records its inputs' sizes."""

    def __init__(self) -> None:
        super().__init__(None, True, "cpu", "f32")
        object.__setattr__(self, "sizes", [])

    def run(self, painting, picture, mask, depth, on_step, on_first_step=lambda: None):  # type: ignore[no-untyped-def]
        self.sizes.append((mask.shape[::-1], painting.strength, None if depth is None else depth.shape))  # type: ignore[attr-defined]
        on_step()
        return np.full_like(picture, 200)


def test_large_pictures_are_painted_once_whole_and_then_in_tiles() -> None:
    painting = Painting(prompt="", negative_prompt="", strength=1, steps=3, guidance=1, seed=0, scheduler="ddim")
    picture = np.zeros((1081, 1925, 3), np.uint8)
    mask = np.zeros((1081, 1925), np.uint8)
    mask[300:900, 200:700] = 255
    pipe = FlatPipe()
    painted = paint(
        pipe, PaintPlan(painting=painting, side=512, detail=True), picture, mask, Silent(), depth=np.zeros((1081, 1925), np.float32)
    )
    assert painted.shape == picture.shape
    assert (painted[310:890, 210:690] == 200).all()
    first, *others = pipe.sizes  # type: ignore[attr-defined]
    assert first[0][0] * first[0][1] <= 1.55 * 512 * 512
    assert 2 <= len(others) < len(tiles(1928, 1088, 512))
    assert all(size == (512, 512) and depth == (512, 512) and strength < 0.5 for size, strength, depth in others)
    plain = FlatPipe()
    paint(plain, PaintPlan(painting=painting, side=512, detail=False), picture, mask, Silent())
    assert len(plain.sizes) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(("width", "height"), [(640, 360), (1920, 1080), (333, 777), (50, 3000)])
def test_sizes_divide_by_eight_and_tiles_cover_everything(width: int, height: int) -> None:
    small = painted_size(width, height, 512)
    assert all(side % 8 == 0 for side in small)
    full = -(-width // 8) * 8, -(-height // 8) * 8
    weight = np.zeros(full[::-1])
    for tile in tiles(*full, 512):
        assert tile.left % 8 == tile.top % 8 == tile.width % 8 == tile.height % 8 == 0
        weight[tile.place] += feather(tile, *full)
    assert weight.min() > 0


def test_the_kept_picture_is_exact_outside_and_the_edge_is_soft() -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 20:60] = 255
    original, new = np.full((60, 80, 3), 10, np.uint8), np.full((60, 80, 3), 210, np.uint8)
    mixed = kept_outside(original, new, mask, 5)
    assert (mixed[mask == 0] == 10).all()
    assert (mixed[28:32, 30:50] == 210).all()
    assert 10 < mixed[21, 40, 0] < 210


def test_the_scenes_depth_has_no_subject_and_is_extended_beyond_the_frame() -> None:
    inverse = np.repeat(np.linspace(0, 0.5, 90, dtype=np.float32)[:, None], 160, axis=1)
    matte = np.zeros((90, 160), np.uint8)
    matte[20:80, 60:100] = 255
    inverse[matte > 0] = 1.0
    depth = scene_depth(inverse, matte, (240, 136))
    assert depth.shape == (136, 240)
    middle, side = depth[70, 120], depth[70, 50]
    assert abs(middle - side) < 0.15
    assert depth[100].mean() > depth[30].mean()
    assert described_scene("a hall ", "left", "low") == "a hall, light from the left, low camera angle"
    assert described_scene("a hall", "front", "unknown") == "a hall"


@pytest.mark.slow
def test_diffusers_builds_networks_of_the_published_sizes() -> None:
    """Stable Diffusion 1.5's UNet and depth ControlNet have the published numbers of parameters."""
    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(in_channels=9, cross_attention_dim=768, sample_size=64)
        control = ControlNetModel(cross_attention_dim=768)
    counts = [sum(values.numel() for values in network.parameters()) for network in (unet, control)]
    # The files hold two bytes for each: 1.72 GB and 0.72 GB, as published.
    assert counts[0] == pytest.approx(859_535_364, rel=1e-4)
    assert counts[1] * 2 == pytest.approx(722_600_000, rel=0.01)
