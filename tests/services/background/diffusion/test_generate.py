"""`background.generate` and the studio's painting, with tiny networks."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_diffusion import write_control, write_depth, write_pipeline, write_sdxl

from gateway.pipelines.cli.local_run import check_locally, run_steps
from gateway.pipelines.cli.pipeline_file import load_pipeline, with_params
from gateway.pipelines.placeholders import filled
from reelwright import ROOMS
from services.background.diffusion.offload import Parts, Plan
from services.background.diffusion.pipeline import Painting, Pipeline, _load, pipeline
from services.background.diffusion.pipeline import _plan as planned
from services.background.diffusion.schedulers import SCHEDULERS
from services.background.diffusion.table import PAINTERS_BY_NAME
from services.background.generate import GENERATE, GenerateParams, GenerateResult, generate
from services.background.parallax import depth
from services.background.params import PaintParams, missing_for_painting, painting_bytes
from services.background.studio import STUDIO, StudioParams, studio
from shared.models.cache import model_cache
from shared.models.devices.device import CPU, Device
from shared.operation import Progress, Silent
from shared.settings import Settings
from shared.video import probe
from tests.services.background.scenes import Clip, Shoot
from tests.services.matting.made_networks import make_rvm

# The first import of diffusers takes long on a busy machine.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"), pytest.mark.timeout(400)]

SMALL = {"steps": 3, "seed": 7, "resolution": 96}
opened: list[str] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
    elif event == "socket.connect":
        opened.append("the network")


sys.addaudithook(_note)


class Listener:
    """A Progress that records warnings and cancels after some steps."""

    def __init__(self, stop_at: float | None = None) -> None:
        self.warnings: list[str] = []
        self.steps: list[tuple[float, float]] = []
        self._stop_at = stop_at

    def __call__(self, done: float, total: float) -> None:
        self.steps.append((done, total))
        if self._stop_at is not None and done >= self._stop_at:
            raise KeyboardInterrupt

    def part(self, stage: str, start: float, end: float) -> Progress:
        return Silent()

    def warn(self, message: str) -> None:
        self.warnings.append(message)


class Counting(Listener):
    """A Listener that also records the steps of each part."""

    def part(self, stage: str, start: float, end: float) -> Progress:
        return self


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Write a models folder with tiny diffusion and depth networks.

    Beside each file lies a pickle that must not be opened.
    """
    folder = tmp_path_factory.mktemp("models")
    write_pipeline(folder / "sd15-inpainting")
    write_control(folder / "controlnet-depth-sd15")
    write_sdxl(folder / "sdxl-inpainting", folder / "controlnet-depth-sdxl-small")
    write_depth(folder / "depth-anything-v2-small")
    for part in folder.rglob("*.fp16.safetensors"):
        (part.parent / part.name.replace(".fp16.safetensors", ".bin")).write_bytes(b"\x80not to be opened")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("REELWRIGHT_MODELS_DIR", str(folder))
        patched.setenv("REELWRIGHT_DEVICE", "cpu")
        patched.setattr("shared.settings._Process.settings", Settings())
        # Threads that wait for each other at every tiny layer take most of the time on a busy machine.
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield folder
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    clip = Clip(Shoot(frames=6, width=160, height=96, seed=41, tilt=0, pan=0.1))
    return clip.write(tmp_path_factory.mktemp("shot"))


def painted(shot: tuple[Path, Path], folder: Path, progress: Listener | None = None, **params: object) -> tuple[GenerateResult, np.ndarray]:
    output = folder / "background.png"
    values = GenerateParams(**({"prompt": "a beach", "keep_outside": False} | SMALL | params))  # type: ignore[arg-type]
    result = generate(values, video=shot[0], alpha=shot[1], output=output, progress=progress or Listener())
    return result, np.asarray(Image.open(output))


def test_the_same_seed_gives_the_same_picture(models: Path, shot: tuple[Path, Path], tmp_path: Path) -> None:
    opened.clear()
    listener = Listener()
    result, first = painted(shot, tmp_path, listener)
    loaded = [name for name in opened if str(models) in name]
    assert loaded, "the networks are loaded from the models folder"
    assert not [name for name in opened if name.endswith((".bin", ".pt", ".ckpt")) or name == "the network"]
    assert first.shape == (96, 160, 3)
    assert (painted(shot, tmp_path)[1] == first).all()
    assert (painted(shot, tmp_path, seed=8)[1] != first).any()
    assert (result.seed, result.device, result.painted_share) == (7, "cpu", 1)
    assert [(model.name, model.commercial_use) for model in result.models] == [("sd15-inpainting", True)]
    assert "OpenRAIL" in result.models[0].licence
    assert any("One step on the CPU took" in warning for warning in listener.warnings)
    assert [done for done, total in listener.steps if total == 2] == [1, 2]


@pytest.mark.usefixtures("models")
def test_what_lies_outside_the_subject_stays_bit_by_bit(shot: tuple[Path, Path], tmp_path: Path) -> None:
    result, picture = painted(shot, tmp_path, keep_outside=True, reference=0.08, grow=2)
    from services.background.stage.reference import reference_frame, subject_mask

    frame = reference_frame(*shot, time=2 / 25, size=(160, 96))  # type: ignore[arg-type]
    mask = subject_mask(frame.matte, 2) > 0
    assert (picture[~mask] == frame.rgb[~mask]).all()
    assert np.abs(picture[mask].astype(int) - frame.rgb[mask]).mean() > 5
    assert result.painted_share == pytest.approx(mask.mean(), abs=1e-3)


@pytest.mark.usefixtures("models")
def test_cancelling_ends_the_painting_within_a_step(shot: tuple[Path, Path], tmp_path: Path) -> None:
    listener = Listener(stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        painted(shot, tmp_path, listener, steps=20)
    assert listener.steps[-1][0] == 2
    assert not (tmp_path / "background.png").exists()


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", [row.name for row in SCHEDULERS])
def test_every_scheduler_takes_its_steps(name: str) -> None:
    steps: list[int] = []
    painting = Painting(
        prompt="a wall",
        negative_prompt="",
        strength=1,
        steps=3,
        guidance=2,
        seed=1,
        scheduler=name,  # type: ignore[arg-type]
    )
    picture = np.full((64, 64, 3), 90, np.uint8)
    mask = np.full((64, 64), 255, np.uint8)
    with pipeline(PAINTERS_BY_NAME["sd15"], Silent()) as ready:
        first, second = (ready.run(painting, picture, mask, None, lambda: steps.append(1)) for _ in range(2))
    assert (first == second).all()
    assert len(steps) in (6, 8), "PNDM takes one step more"


@pytest.mark.usefixtures("models")
def test_the_scheduler_of_an_earlier_job_does_not_change_a_picture() -> None:
    picture, mask = np.full((64, 64, 3), 90, np.uint8), np.full((64, 64), 255, np.uint8)

    def painted_by(scheduler: str) -> np.ndarray:
        painting = Painting(prompt="a wall", negative_prompt="", strength=1, steps=4, guidance=2, seed=1, scheduler=scheduler)
        with pipeline(PAINTERS_BY_NAME["sd15"], Silent()) as ready:
            return ready.run(painting, picture, mask, None, lambda: None)

    names = ("euler", "dpm++2m", "unipc")
    model_cache().drop()
    fresh = {}
    for name in names:
        fresh[name] = painted_by(name)
        model_cache().drop()
    for name in names:
        painted_by("dpm++2m-karras")
        assert (painted_by(name) == fresh[name]).all(), name


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("steps", "strength"), [(1, 0.95), (1, 0.01), (30, 0.001), (49, 0.02)])
def test_at_least_one_step_runs(shot: tuple[Path, Path], tmp_path: Path, steps: int, strength: float) -> None:
    listener = Listener()
    painted(shot, tmp_path, listener, steps=steps, strength=strength)
    assert listener.steps[0] == (1, 1)


@pytest.mark.usefixtures("models")
def test_the_studio_paints_with_one_step(shot: tuple[Path, Path], tmp_path: Path) -> None:
    outputs = {name: tmp_path / file for name, file in (("video", "out.mp4"), ("background", "bg.png"), ("depth", "depth.png"))}
    params = StudioParams(prompt="a hall", **(SMALL | {"steps": 1, "duration": 0.08}))  # type: ignore[arg-type]
    listener = Counting()
    studio(params, video=shot[0], alpha=shot[1], background=None, outputs=outputs, progress=listener)
    assert any("all 1 steps take" in warning for warning in listener.warnings)


@pytest.fixture
def small_painting() -> Callable[[Pipeline], np.ndarray]:
    """Return a function that paints a 64x64 wall with a pipeline."""
    painting = Painting(prompt="a wall", negative_prompt="", strength=0.9, steps=3, guidance=2, seed=1, scheduler="ddim")
    picture, mask = np.full((64, 64, 3), 90, np.uint8), np.full((64, 64), 255, np.uint8)
    return lambda ready: ready.run(painting, picture, mask, None, lambda: None)


def whole_painting(small_painting: Callable[[Pipeline], np.ndarray]) -> np.ndarray:
    with pipeline(PAINTERS_BY_NAME["sd15"], Silent()) as ready:
        return small_painting(ready)


@pytest.mark.usefixtures("models")
def test_within_a_memory_limit_parts_are_loaded_one_after_the_other(
    small_painting: Callable[[Pipeline], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[str] = []
    listener = Listener()
    with monkeypatch.context() as patched:
        patched.setattr(Parts, "_load", lambda self, name, part: moves.append(f"+{name}"))
        patched.setattr(Parts, "_unload", lambda self, name, part: moves.append(f"-{name}"))
        patched.setattr("services.background.diffusion.pipeline._plan", lambda *_, **__: Plan(placement="parts"))
        with pipeline(PAINTERS_BY_NAME["sd15"], listener, max_vram=3.5) as ready:
            picture = small_painting(ready)
    assert moves == ["+text_encoder", "-text_encoder", "+vae", "-vae", "+unet", "-unet", "+vae", "-vae"]
    assert any("its parts" in warning for warning in listener.warnings)
    assert (picture == whole_painting(small_painting)).all()


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("sliced", "difference"), [(False, 0), (True, 1.5)])
def test_within_a_lower_memory_limit_layers_are_loaded_one_after_the_other(
    small_painting: Callable[[Pipeline], np.ndarray], monkeypatch: pytest.MonkeyPatch, sliced: bool, difference: float
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("services.background.diffusion.pipeline._plan", lambda *_, **__: Plan(placement="layers", sliced=sliced))
        with pipeline(PAINTERS_BY_NAME["sd15"], Silent(), max_vram=1) as ready:
            picture = small_painting(ready)
            assert next(ready.pipe.unet.parameters()).device.type == "meta", "weights wait elsewhere"
    # Slices of attention change the rounding, which in bf16 is coarse.
    assert np.abs(picture.astype(int) - whole_painting(small_painting)).mean() <= difference


@pytest.mark.parametrize(
    ("model", "gigabytes", "placement", "sliced"),
    [
        ("sd15", None, "whole", False),
        ("sd15", 8, "whole", False),
        ("sd15", 3.2, "whole", False),
        ("sd15", 3, "parts", True),
        ("sd15", 2, "layers", True),
        ("sdxl", 24, "whole", False),
        ("sdxl", 14.5, "parts", True),
        ("sdxl", 11.5, "parts", True),
        ("sdxl", 6, "layers", True),
    ],
)
def test_the_memory_limit_decides_how_a_model_is_loaded(model: str, gigabytes: float | None, placement: str, sliced: bool) -> None:
    plan = planned(PAINTERS_BY_NAME[model], Device(kind="cuda"), control=False, max_vram=gigabytes)
    assert (plan.placement, plan.sliced) == (placement, sliced)
    assert planned(PAINTERS_BY_NAME[model], CPU, control=False, max_vram=gigabytes) == Plan()


@pytest.mark.usefixtures("models")
def test_within_a_memory_limit_the_depth_network_and_the_painter_make_room_for_each_other(
    shot: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[tuple[str, list[str]]] = []

    def noting(name: str, load: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            loads.append((name, [str(key[0]) for key in model_cache().keys]))  # type: ignore[index]
            return load(*arguments)

        return noted

    model_cache().drop()
    monkeypatch.setattr(depth, "_load", noting("depth", depth._load))
    monkeypatch.setattr("services.background.diffusion.pipeline._load", noting("painter", _load))
    outputs = {name: tmp_path / file for name, file in (("video", "out.mp4"), ("background", "bg.png"), ("depth", "depth.png"))}
    params = StudioParams(prompt="a hall", max_vram=4, **SMALL)  # type: ignore[arg-type]
    studio(params, video=shot[0], alpha=shot[1], background=None, outputs=outputs, progress=Silent())
    assert loads == [("depth", []), ("painter", []), ("depth", [])]


@pytest.mark.usefixtures("models")
def test_the_studio_paints_a_place_with_the_depth_of_the_scene(shot: tuple[Path, Path], tmp_path: Path) -> None:
    outputs = {name: tmp_path / file for name, file in (("video", "out.mp4"), ("background", "bg.png"), ("depth", "depth.png"))}
    params = StudioParams(prompt="a neon studio", **SMALL)  # type: ignore[arg-type]
    result = studio(params, video=shot[0], alpha=shot[1], background=None, outputs=outputs, progress=Silent())
    assert result.background == "generated"
    assert result.prompt.startswith("a neon studio")
    assert result.seed == 7
    assert [model.name for model in result.models] == ["sd15-inpainting", "controlnet-depth-sd15", "depth-anything-v2-small"]
    plate = np.asarray(Image.open(outputs["background"]))
    assert plate.shape[1] >= 1.3 * 160 - 2
    assert np.asarray(Image.open(outputs["depth"])).shape == plate.shape[:2]
    assert result.frames == 6


@pytest.mark.usefixtures("models")
def test_sdxl_paints_with_and_without_depth(shot: tuple[Path, Path], tmp_path: Path) -> None:
    result, picture = painted(shot, tmp_path, sd_model="sdxl")
    assert [model.name for model in result.models] == ["sdxl-inpainting"]
    assert picture.std() > 1
    outputs = {name: tmp_path / file for name, file in (("video", "out.mp4"), ("background", "bg.png"), ("depth", "depth.png"))}
    params = StudioParams(prompt="a hall", sd_model="sdxl", duration=0.08, **SMALL)  # type: ignore[arg-type]
    staged = studio(params, video=shot[0], alpha=shot[1], background=None, outputs=outputs, progress=Silent())
    assert [model.name for model in staged.models] == ["sdxl-inpainting", "controlnet-depth-sdxl-small", "depth-anything-v2-small"]


def test_the_full_preset_runs_with_tiny_networks(models: Path, shot: tuple[Path, Path], tmp_path: Path) -> None:
    make_rvm(models / "rvm-resnet50/rvm_resnet50_fp32.onnx")  # the MobileNetV3 file has a known size
    changes = ["working.max_edge=144", "matte.backend=rvm-resnet50", "studio.resolution=80", "studio.steps=2", "trails.layers=2"]
    steps = filled(with_params(load_pipeline("matte-studio-trails").steps, changes), {"video": str(shot[0])})
    services = [room.service for room in ROOMS]
    operations = {operation.name: operation for service in services for operation in service.operations}
    checked = check_locally(steps, services, Settings(job_memory_bytes=16 * 2**30))  # the memory declared is that of the published networks
    finished = {step.id: done for step, done in run_steps(checked, operations, tmp_path, lambda _number, _step: None)}
    assert list(finished) == ["working", "matte", "studio", "trails"]
    assert finished["matte"].result["backend"]["name"] == "rvm-resnet50"
    assert [model["name"] for model in finished["studio"].result["models"]] == [
        "sd15-inpainting",
        "controlnet-depth-sd15",
        "depth-anything-v2-small",
    ]
    sizes = {name: probe(finished[name].files["video"]) for name in ("working", "studio", "trails")}
    assert {name: (info.width, info.height, info.frames) for name, info in sizes.items()} == {  # type: ignore[union-attr]
        "working": (144, 86, 6),
        "studio": (134, 80, 6),
        "trails": (134, 80, 6),
    }


def test_missing_models_are_named_with_their_commands(use_settings: Callable[..., None], tmp_path: Path) -> None:
    use_settings(models_dir=str(tmp_path))
    assert GENERATE.unavailable(GENERATE.example) == "reelwright models pull sd15-inpainting"
    both = STUDIO.unavailable(StudioParams(prompt="a beach", sd_model="sdxl"))
    assert both is not None
    assert all(name in both for name in ("sdxl-inpainting", "controlnet-depth-sdxl-small", "depth-anything-v2-small"))
    assert STUDIO.unavailable(StudioParams(depth="plane")) is None
    assert "lcm-lora-sd15" in str(missing_for_painting(GenerateParams(prompt="a beach", lcm=True)))
    with pytest.raises(ValueError, match="no LCM LoRA for sdxl"):
        GenerateParams(prompt="a beach", lcm=True, sd_model="sdxl")


def test_steps_beyond_the_schedule_of_lcm_are_refused() -> None:
    few = {"prompt": "a beach", "lcm": True, "scheduler": "lcm"}
    with pytest.raises(ValueError, match="scheduler `lcm` takes at most 50 `steps`"):
        GenerateParams.model_validate(few | {"steps": 51})
    assert GenerateParams.model_validate(few | {"steps": 50}).steps == 50
    assert GenerateParams(prompt="a beach", steps=150).steps == 150


def test_the_memory_of_painting_follows_the_models() -> None:
    def declared(**params: object) -> int:
        return painting_bytes(PaintParams.model_validate(params))

    assert declared() < declared(sd_model="sdxl")
    assert painting_bytes(PaintParams(), control=True) >= declared()
    assert painting_bytes(PaintParams(sd_model="sdxl"), control=True) > declared(sd_model="sdxl")
    plane, guided = (STUDIO.process_bytes(StudioParams(prompt="a beach", depth=name)) for name in ("plane", "model"))
    assert STUDIO.process_bytes(StudioParams(depth="plane")) < 0.2e9 < plane < guided
    assert GENERATE.process_bytes(GENERATE.example) == plane
