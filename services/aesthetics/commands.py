"""The PerfectFrameAI commands `best_frames_extractor` and `top_images_extractor`.

The commands work on folders of this machine, without a server.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from services.aesthetics.best_frames import BestFramesParams, best_frames
from services.aesthetics.extract_frames import ExtractParams, extract_frames
from services.aesthetics.folders.folder_files import PICTURE_SUFFIXES, PROCESSED, VIDEO_SUFFIXES, check_originals, deliver, files_in, mark
from services.aesthetics.nima.models import NIMA_MODELS
from services.aesthetics.params import missing_weights
from services.aesthetics.selection.scorers import SCORERS
from services.aesthetics.top_images import TopImagesParams, top_images
from shared.errors import Invalid, ModelMissing, ReelwrightError
from shared.http.params_text import params_from_text
from shared.settings import Settings

Folder = Annotated[Path, typer.Option("--input_dir", "--input-dir", "-i", help="Folder of the input files.")]
Target = Annotated[Path, typer.Option("--output_dir", "--output-dir", "-o", help="Folder for the chosen pictures.")]
Cpu = Annotated[bool, typer.Option("--cpu", help="Run on the CPU even if there is a GPU.")]
Scorer = Annotated[str, typer.Option("--scorer", help=f"Score that ranks the pictures: {', '.join(SCORERS)}.")]
Network = Annotated[str, typer.Option("--model", help=f"Network that rates pictures: {', '.join(NIMA_MODELS)}.")]
INPUT, OUTPUT = Path("input_directory"), Path("output_directory")


def add_commands(group: typer.Typer, settings: Callable[..., Settings]) -> None:
    """Add the two extractor commands to `group`, the service's command group.

    `settings(**changes)`: reads the settings and makes them current.
    """

    @group.command("best_frames_extractor", help="Extract the best frames of every video in a folder, and rename processed videos.")
    def best(
        input_dir: Folder = INPUT,
        output_dir: Target = OUTPUT,
        all_frames: Annotated[bool, typer.Option("--all_frames", "--all-frames", help="Write every sampled frame, unrated.")] = False,
        cpu: Cpu = False,
        scorer: Scorer = "nima",
        model: Network = "inception-resnet-v2",
    ) -> None:
        settings(**_device(cpu))
        videos = _files(input_dir, VIDEO_SUFFIXES, PROCESSED)
        params = _params(BestFramesParams, scorer, model) if not all_frames else ExtractParams()
        failed = sum(not _one_video(video, params, output_dir) for video in videos)
        if failed:
            raise typer.Exit(1)

    @group.command("top_images_extractor", help="Extract the best pictures of a folder.")
    def top(
        input_dir: Folder = INPUT,
        output_dir: Target = OUTPUT,
        cpu: Cpu = False,
        scorer: Scorer = "nima",
        model: Network = "inception-resnet-v2",
        percent: Annotated[str, typer.Option("--percent", help="Percentile of the scores that a picture must reach.")] = "90",
    ) -> None:
        settings(**_device(cpu))
        check_originals(input_dir, output_dir)
        pictures = _files(input_dir, PICTURE_SUFFIXES, "")
        params = _params(TopImagesParams, scorer, model, percent=percent)
        with tempfile.TemporaryDirectory() as folder:
            result = top_images(params, images=pictures, outputs=_outputs(Path(folder)))
            deliver(Path(folder, "images.zip"), [item.image for item in result.items], output_dir)
        for source in result.sources:
            if source.error is not None:
                typer.echo(f"{source.name}: {source.error['detail']}", err=True)
        typer.echo(f"{len(result.items)} of {result.looked_at} pictures -> {output_dir}")


def _one_video(video: Path, params: BestFramesParams | ExtractParams, folder: Path) -> bool:
    """Write a video's best or sampled frames to `folder`.

    Returns whether that succeeded. Then marks the video as processed. An error is printed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        outputs = _outputs(Path(temporary))
        try:
            if isinstance(params, BestFramesParams):
                result: Any = best_frames(params, video=video, outputs=outputs)
            else:
                result = extract_frames(params, video=video, output=outputs["images"])
        except ReelwrightError as error:
            typer.echo(f"{video.name}: {error.detail}", err=True)
            return False
        deliver(outputs["images"], [item.image for item in result.items], folder)
    (source,) = result.sources
    if source.error is not None:
        typer.echo(f"{video.name}: {source.error['detail']}", err=True)
        return False
    typer.echo(f"{video.name}: {len(result.items)} of {source.looked_at} frames -> {folder}")
    mark(video)
    return True


def _files(folder: Path, suffixes: tuple[str, ...], prefix: str) -> list[Path]:
    """List the files in `folder` by suffix, without names that begin with `prefix`.

    Raises Invalid if there are none.
    """
    files = files_in(folder, suffixes, ignored_prefix=prefix)
    if not files:
        raise Invalid(f"There is no file ({', '.join(suffixes)}) to process in {folder}. Name another folder with --input_dir.")
    return files


def _device(cpu: bool) -> dict[str, str]:
    """Return the setting `device` for the option `--cpu`.

    The setting is empty if `cpu` is False.
    """
    return {"device": "cpu"} if cpu else {}


def _params(model: type[Any], scorer: str, network: str, **more: str) -> Any:
    """Create params of the class `model` from the values of command-line options.

    Raises Invalid for a bad value, ModelMissing if the network is not installed.
    """
    params = params_from_text(model, {"scorer": scorer, "model": network, "diversity": "0", **more})
    if command := missing_weights(params):
        raise ModelMissing(f"The network that rates pictures is not installed. Run: {command}, or use --scorer technical")
    return params


def _outputs(folder: Path) -> dict[str, Path]:
    return {"images": folder / "images.zip", "scores": folder / "scores.zip", "sheet": folder / "sheet.png"}
