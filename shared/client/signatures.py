# Made by docs/generate.py (`make docs`) from the declarations. Change those.
# fmt: off
# ruff: noqa: E501
"""Type signatures of the client's `run` and `submit`, one per operation.

Type checkers read them; a program never imports them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, Protocol, TypedDict, TypeVar, overload

from shared.client.arguments import File, OnProgress, OperationName

R_co = TypeVar("R_co", covariant=True)


class AestheticsShot(TypedDict):
    start_s: float
    end_s: float


class AestheticsVideoShots(TypedDict):
    shots: Sequence["AestheticsShot"]


class MediaMoment(TypedDict):
    timestamp_s: float
    score: NotRequired[float]


class MediaSpan(TypedDict):
    start_s: float
    end_s: float


class MediaVideoShots(TypedDict):
    shots: Sequence["MediaSpan"]


class SpeedRampCurvePoint(TypedDict):
    t: float
    speed: float
    easing: NotRequired[Literal["linear", "smooth", "hold"]]
    freeze: NotRequired[float]


class RunMethod(Protocol[R_co]):
    """The method `run`: starts an operation and waits for its end."""

    @overload
    def __call__(
        self,
        operation: Literal["media.transcode"],
        /,
        *,
        video: File,
        background: str = "#000000",
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        width: int | None = None,
        height: int | None = None,
        max_edge: int | None = None,
        frame_rate: str = "source",
        sdr: bool = True,
        audio: Literal["keep", "drop"] = "keep",
        format: Literal["mp4", "prores", "vp9"] = "mp4",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Change a clip's size, frame rate, dynamic range or format, or cut a part out of it."""

    @overload
    def __call__(
        self,
        operation: Literal["media.reel"],
        /,
        *,
        video: File,
        moments: Sequence[MediaMoment],
        background: str = "#000000",
        shots: Sequence[MediaVideoShots] | None = None,
        most: int = 8,
        around: float = 2.0,
        quality: int = 70,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Cut the best moments of a clip together."""

    @overload
    def __call__(
        self,
        operation: Literal["media.proxy"],
        /,
        *,
        video: File,
        alpha: File | None = None,
        shorter: int = 540,
        quality: int = 50,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Make a small copy of a clip that players can show frame by frame."""

    @overload
    def __call__(
        self,
        operation: Literal["media.strip"],
        /,
        *,
        video: File,
        tiles: int = 60,
        tile_width: int = 160,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Draw evenly spaced frames of a clip as tiles of one picture."""

    @overload
    def __call__(
        self,
        operation: Literal["media.peaks"],
        /,
        *,
        video: File,
        rate: int | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Measure the waveform of a clip's sound."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.analyze"],
        /,
        *,
        video: File,
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Measure a video's motion and make a speed curve from it."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.render"],
        /,
        *,
        video: File,
        background: str = "#000000",
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        curve: Sequence[SpeedRampCurvePoint] | None = None,
        frame_rate: str = "source",
        speeds: Sequence[float] | None = None,
        interpolation: Literal["nearest", "blend", "flow"] = "nearest",
        duplicates: Literal["auto", "keep", "drop"] = "auto",
        audio: Literal["keep", "follow", "drop"] = "keep",
        shutter: float = 0.0,
        chapters: bool = True,
        quality: int = 70,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Retime a video, and its sound, along a speed curve."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.export"],
        /,
        *,
        video: File,
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        curve: Sequence[SpeedRampCurvePoint] | None = None,
        frame_rate: str = "source",
        speeds: Sequence[float] | None = None,
        media_url: str = "",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Export a speed curve for editing programs, and draw it."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.plan"],
        /,
        *,
        video: File,
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        curve: Sequence[SpeedRampCurvePoint] | None = None,
        frame_rate: str = "source",
        speeds: Sequence[float] | None = None,
        interpolation: Literal["nearest", "blend", "flow"] = "nearest",
        duplicates: Literal["auto", "keep", "drop"] = "auto",
        audio: Literal["keep", "follow", "drop"] = "keep",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Compute the curve and frames of a ramped video without writing it."""

    @overload
    def __call__(
        self,
        operation: Literal["keyframes.detect"],
        /,
        *,
        video: File | Sequence[File],
        method: Literal["auto", "adaptive", "content", "histogram", "difference", "fades", "transnet"] = "auto",
        threshold: float | None = None,
        min_shot: float = 0.0,
        speed: Literal["full", "fast"] = "full",
        max_keyframes: int = 200,
        min_gap: float = 0.0,
        content: Literal["auto", "film", "slides"] = "auto",
        deduplicate: bool = False,
        format: Literal["jpeg", "png", "webp"] = "jpeg",
        quality: int = 90,
        thumbnail_width: int = 320,
        all_scores: bool = False,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Find the shots of videos, pick a keyframe for each, and show both on a timeline."""

    @overload
    def __call__(
        self,
        operation: Literal["aesthetics.best-frames"],
        /,
        *,
        video: File | Sequence[File] | None = None,
        images: File | Sequence[File] | None = None,
        format: Literal["jpg", "png", "webp"] = "jpg",
        quality: int = 95,
        sample_rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        scorer: Literal["nima", "technical", "both"] = "both",
        technical_weight: float = 0.4,
        model: Literal["inception-resnet-v2", "mobilenet-aesthetic", "mobilenet-technical"] = "inception-resnet-v2",
        backend: Literal["auto", "openvino", "onnxruntime", "tensorflow"] = "auto",
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        preprocessing: Literal["symmetric", "unit"] = "symmetric",
        batch_size: int = 16,
        diversity: float = 0.7,
        contact_sheet: bool = True,
        group_size: int = 5,
        group_by: Literal["time", "shot"] = "time",
        shots: Sequence[AestheticsVideoShots] | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Choose the best frame of each group of a video, and give the reasons."""

    @overload
    def __call__(
        self,
        operation: Literal["aesthetics.top-images"],
        /,
        *,
        images: File | Sequence[File] | None = None,
        video: File | Sequence[File] | None = None,
        format: Literal["jpg", "png", "webp"] = "jpg",
        quality: int = 95,
        sample_rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        scorer: Literal["nima", "technical", "both"] = "both",
        technical_weight: float = 0.4,
        model: Literal["inception-resnet-v2", "mobilenet-aesthetic", "mobilenet-technical"] = "inception-resnet-v2",
        backend: Literal["auto", "openvino", "onnxruntime", "tensorflow"] = "auto",
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        preprocessing: Literal["symmetric", "unit"] = "symmetric",
        batch_size: int = 16,
        diversity: float = 0.7,
        contact_sheet: bool = True,
        percent: float = 90.0,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Choose the pictures whose scores reach a percentile, and give the reasons."""

    @overload
    def __call__(
        self,
        operation: Literal["aesthetics.extract-frames"],
        /,
        *,
        video: File | Sequence[File],
        format: Literal["jpg", "png", "webp"] = "jpg",
        quality: int = 95,
        sample_rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Write sampled frames of videos as pictures."""

    @overload
    def __call__(
        self,
        operation: Literal["effects.motion-trails"],
        /,
        *,
        video: File,
        matte: File | None = None,
        background: str = "#000000",
        camera_model: Literal["none", "translation", "similarity", "homography"] = "translation",
        motion_threshold: int = 10,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        layers: int = 6,
        decay: float = 0.7,
        spacing: float = 5.0,
        spacing_unit: Literal["frames", "seconds"] = "frames",
        ghost: Literal["glow", "shadow", "normal"] = "normal",
        direction: Literal["behind", "ahead", "both"] = "behind",
        mask: bool = True,
        focus_block: int = 31,
        tint: str | None = None,
        tint_strength: float = 0.8,
        blur: float = 0.0,
        linear_light: bool = False,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Leave ghosts behind moving subjects, in a scene that stays sharp."""

    @overload
    def __call__(
        self,
        operation: Literal["effects.strobe"],
        /,
        *,
        video: File,
        matte: File | None = None,
        background: str = "#000000",
        camera_model: Literal["none", "translation", "similarity", "homography"] = "translation",
        motion_threshold: int = 10,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        interval: float = 0.25,
        stamps: int = 24,
        opacity: float = 1.0,
        canvas: float = 3.0,
        mask: Literal["auto", "motion", "matte"] = "auto",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Stamp the moving subject at intervals over its scene, as a video and as one picture."""

    @overload
    def __call__(
        self,
        operation: Literal["matting.matte"],
        /,
        *,
        video: File,
        mask: File | None = None,
        masks: File | None = None,
        plate: File | None = None,
        background: File | None = None,
        garbage: File | None = None,
        core: File | None = None,
        shadow: float = 0.6,
        key: str | None = None,
        clip_black: float = 0.01,
        clip_white: float = 0.99,
        despill: float = 1,
        screen_balance: float = 1,
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        downsample_ratio: float | None = None,
        birefnet: Literal["auto", "general", "portrait", "general-lite"] = "auto",
        steadiness: float | None = None,
        erode: float = 0,
        dilate: float = 0,
        feather: float = 0,
        gamma: float = 1,
        holes: float = 0,
        min_area: float = 0,
        refine: bool | None = None,
        points: Sequence[tuple[float, float, Literal[1, -1]] | list[float]] = (),
        box: tuple[float, float, float, float] | list[float] | None = None,
        subject: Literal["all", "main", "mask", "box", "point"] = "all",
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        alpha_format: Literal["gray", "prores", "vp9", "png"] = "gray",
        composite_over: str = "green",
        foreground: Literal["off", "straight", "premultiplied"] = "off",
        keep_times: bool = False,
        backend: Literal["auto", "rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma", "difference", "matanyone", "matanyone2"] = "auto",
        resolution: int | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Cut the subject out of a video: matte, composite and foreground colours."""

    @overload
    def __call__(
        self,
        operation: Literal["matting.compare"],
        /,
        *,
        video: File,
        mask: File | None = None,
        plate: File | None = None,
        truth: File | None = None,
        shadow: float = 0.6,
        key: str | None = None,
        clip_black: float = 0.01,
        clip_white: float = 0.99,
        despill: float = 1,
        screen_balance: float = 1,
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        downsample_ratio: float | None = None,
        birefnet: Literal["auto", "general", "portrait", "general-lite"] = "auto",
        steadiness: float | None = None,
        erode: float = 0,
        dilate: float = 0,
        feather: float = 0,
        gamma: float = 1,
        holes: float = 0,
        min_area: float = 0,
        refine: bool | None = None,
        points: Sequence[tuple[float, float, Literal[1, -1]] | list[float]] = (),
        box: tuple[float, float, float, float] | list[float] | None = None,
        subject: Literal["all", "main", "mask", "box", "point"] = "all",
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        backends: Sequence[Literal["auto", "rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma", "difference", "matanyone", "matanyone2"]] = ("rvm", "u2netp"),
        resolution: int | None = None,
        show: Literal["composite", "matte"] = "composite",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Compare matting backends on one video: side by side, and as a table."""

    @overload
    def __call__(
        self,
        operation: Literal["matting.mask"],
        /,
        *,
        video: File,
        plate: File | None = None,
        marks: File | None = None,
        shadow: float = 0.6,
        key: str | None = None,
        clip_black: float = 0.01,
        clip_white: float = 0.99,
        despill: float = 1,
        screen_balance: float = 1,
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        downsample_ratio: float | None = None,
        birefnet: Literal["auto", "general", "portrait", "general-lite"] = "auto",
        points: Sequence[tuple[float, float, Literal[1, -1]] | list[float]] = (),
        box: tuple[float, float, float, float] | list[float] | None = None,
        frame: int | None = None,
        time_s: float = 0,
        backend: Literal["auto", "rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma", "difference", "matanyone", "matanyone2"] = "auto",
        resolution: int | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Make a mask of the object that clicks or a box mark in one frame."""

    @overload
    def __call__(
        self,
        operation: Literal["background.plate"],
        /,
        *,
        video: File,
        alpha: File,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        samples: int = 200,
        grow: int | None = None,
        canvas: Literal["frame", "panorama"] = "frame",
        reference: float | None = None,
        match_light: bool = True,
        remove_transients: bool = True,
        inpaint: Literal["smooth", "opencv", "migan", "lama"] = "smooth",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Recover the real background of a clip, without its subject."""

    @overload
    def __call__(
        self,
        operation: Literal["background.generate"],
        /,
        *,
        video: File,
        alpha: File,
        prompt: str,
        negative_prompt: str = "people, person, text, watermark, blurry, distorted",
        strength: float = 0.95,
        steps: int = 30,
        guidance: float = 7.5,
        seed: int | None = None,
        scheduler: Literal["dpm++2m-karras", "dpm++2m", "unipc", "euler", "ddim", "pndm", "lcm"] = "dpm++2m-karras",
        sd_model: Literal["sd15", "sdxl"] = "sd15",
        lcm: bool = False,
        detail: bool = True,
        max_vram: float | None = None,
        resolution: int = 1080,
        reference: float | None = None,
        grow: int | None = None,
        keep_outside: bool = True,
        feather: int | None = None,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Paint a background from a description, by Stable Diffusion."""

    @overload
    def __call__(
        self,
        operation: Literal["background.composite"],
        /,
        *,
        video: File,
        alpha: File,
        background: File | None = None,
        plate: File | None = None,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        light: Literal["video", "linear"] = "video",
        decontaminate: bool = True,
        light_wrap: float = 0.3,
        match: float = 0.5,
        grain: bool = True,
        blobs: float = 0.4,
        color: str = "#00b140",
        fit: Literal["cover", "contain", "stretch"] = "cover",
        background_end: Literal["loop", "hold", "trim"] = "loop",
        background_start: float = 0.0,
        shadow: Literal["none", "keep", "contact"] = "none",
        format: Literal["mp4", "prores", "vp9", "png"] = "mp4",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Put the subject of a clip over a picture, a colour or another clip."""

    @overload
    def __call__(
        self,
        operation: Literal["background.studio"],
        /,
        *,
        video: File,
        alpha: File,
        background: File | None = None,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        light: Literal["video", "linear"] = "video",
        decontaminate: bool = True,
        light_wrap: float = 0.3,
        match: float = 0.5,
        grain: bool = True,
        blobs: float = 0.4,
        prompt: str = "",
        negative_prompt: str = "people, person, text, watermark, blurry, distorted",
        strength: float = 0.95,
        steps: int = 30,
        guidance: float = 7.5,
        seed: int | None = None,
        scheduler: Literal["dpm++2m-karras", "dpm++2m", "unipc", "euler", "ddim", "pndm", "lcm"] = "dpm++2m-karras",
        sd_model: Literal["sd15", "sdxl"] = "sd15",
        lcm: bool = False,
        detail: bool = True,
        max_vram: float | None = None,
        resolution: int = 1080,
        depth: Literal["model", "plane"] = "model",
        depth_scale: float = 0.3,
        bg_margin: float = 0.0,
        exposure_smooth: int = 15,
        shadow: Literal["none", "contact"] = "none",
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Put the subject into another scene that follows the camera, with parallax."""

    @overload
    def __call__(self, operation: OperationName, /, *, on_progress: OnProgress | None = None, idempotency_key: str | None = None, options: Mapping[str, Any] | None = None, **values: Any) -> R_co:
        """Call an operation that this version of the client does not know."""


class SubmitMethod(Protocol[R_co]):
    """The method `submit`: starts an operation and returns its job."""

    @overload
    def __call__(
        self,
        operation: Literal["media.transcode"],
        /,
        *,
        video: File,
        background: str = "#000000",
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        width: int | None = None,
        height: int | None = None,
        max_edge: int | None = None,
        frame_rate: str = "source",
        sdr: bool = True,
        audio: Literal["keep", "drop"] = "keep",
        format: Literal["mp4", "prores", "vp9"] = "mp4",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Change a clip's size, frame rate, dynamic range or format, or cut a part out of it."""

    @overload
    def __call__(
        self,
        operation: Literal["media.reel"],
        /,
        *,
        video: File,
        moments: Sequence[MediaMoment],
        background: str = "#000000",
        shots: Sequence[MediaVideoShots] | None = None,
        most: int = 8,
        around: float = 2.0,
        quality: int = 70,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Cut the best moments of a clip together."""

    @overload
    def __call__(
        self,
        operation: Literal["media.proxy"],
        /,
        *,
        video: File,
        alpha: File | None = None,
        shorter: int = 540,
        quality: int = 50,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Make a small copy of a clip that players can show frame by frame."""

    @overload
    def __call__(
        self,
        operation: Literal["media.strip"],
        /,
        *,
        video: File,
        tiles: int = 60,
        tile_width: int = 160,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Draw evenly spaced frames of a clip as tiles of one picture."""

    @overload
    def __call__(
        self,
        operation: Literal["media.peaks"],
        /,
        *,
        video: File,
        rate: int | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Measure the waveform of a clip's sound."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.analyze"],
        /,
        *,
        video: File,
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Measure a video's motion and make a speed curve from it."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.render"],
        /,
        *,
        video: File,
        background: str = "#000000",
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        curve: Sequence[SpeedRampCurvePoint] | None = None,
        frame_rate: str = "source",
        speeds: Sequence[float] | None = None,
        interpolation: Literal["nearest", "blend", "flow"] = "nearest",
        duplicates: Literal["auto", "keep", "drop"] = "auto",
        audio: Literal["keep", "follow", "drop"] = "keep",
        shutter: float = 0.0,
        chapters: bool = True,
        quality: int = 70,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Retime a video, and its sound, along a speed curve."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.export"],
        /,
        *,
        video: File,
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        curve: Sequence[SpeedRampCurvePoint] | None = None,
        frame_rate: str = "source",
        speeds: Sequence[float] | None = None,
        media_url: str = "",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Export a speed curve for editing programs, and draw it."""

    @overload
    def __call__(
        self,
        operation: Literal["speed-ramp.plan"],
        /,
        *,
        video: File,
        segment_duration: float = 0.5,
        min_speed: float = 0.5,
        max_speed: float = 2.0,
        smoothing: float = 0.5,
        mode: Literal["slow_action", "speed_action"] = "slow_action",
        measure: Literal["total", "subject", "camera"] = "total",
        start: float = 0.0,
        duration: float | None = None,
        target_duration: float | None = None,
        max_acceleration: float | None = None,
        snap_to: Sequence[float] | Literal["beats"] | None = None,
        sample_rate: float | None = None,
        curve: Sequence[SpeedRampCurvePoint] | None = None,
        frame_rate: str = "source",
        speeds: Sequence[float] | None = None,
        interpolation: Literal["nearest", "blend", "flow"] = "nearest",
        duplicates: Literal["auto", "keep", "drop"] = "auto",
        audio: Literal["keep", "follow", "drop"] = "keep",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Compute the curve and frames of a ramped video without writing it."""

    @overload
    def __call__(
        self,
        operation: Literal["keyframes.detect"],
        /,
        *,
        video: File | Sequence[File],
        method: Literal["auto", "adaptive", "content", "histogram", "difference", "fades", "transnet"] = "auto",
        threshold: float | None = None,
        min_shot: float = 0.0,
        speed: Literal["full", "fast"] = "full",
        max_keyframes: int = 200,
        min_gap: float = 0.0,
        content: Literal["auto", "film", "slides"] = "auto",
        deduplicate: bool = False,
        format: Literal["jpeg", "png", "webp"] = "jpeg",
        quality: int = 90,
        thumbnail_width: int = 320,
        all_scores: bool = False,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Find the shots of videos, pick a keyframe for each, and show both on a timeline."""

    @overload
    def __call__(
        self,
        operation: Literal["aesthetics.best-frames"],
        /,
        *,
        video: File | Sequence[File] | None = None,
        images: File | Sequence[File] | None = None,
        format: Literal["jpg", "png", "webp"] = "jpg",
        quality: int = 95,
        sample_rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        scorer: Literal["nima", "technical", "both"] = "both",
        technical_weight: float = 0.4,
        model: Literal["inception-resnet-v2", "mobilenet-aesthetic", "mobilenet-technical"] = "inception-resnet-v2",
        backend: Literal["auto", "openvino", "onnxruntime", "tensorflow"] = "auto",
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        preprocessing: Literal["symmetric", "unit"] = "symmetric",
        batch_size: int = 16,
        diversity: float = 0.7,
        contact_sheet: bool = True,
        group_size: int = 5,
        group_by: Literal["time", "shot"] = "time",
        shots: Sequence[AestheticsVideoShots] | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Choose the best frame of each group of a video, and give the reasons."""

    @overload
    def __call__(
        self,
        operation: Literal["aesthetics.top-images"],
        /,
        *,
        images: File | Sequence[File] | None = None,
        video: File | Sequence[File] | None = None,
        format: Literal["jpg", "png", "webp"] = "jpg",
        quality: int = 95,
        sample_rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        scorer: Literal["nima", "technical", "both"] = "both",
        technical_weight: float = 0.4,
        model: Literal["inception-resnet-v2", "mobilenet-aesthetic", "mobilenet-technical"] = "inception-resnet-v2",
        backend: Literal["auto", "openvino", "onnxruntime", "tensorflow"] = "auto",
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        preprocessing: Literal["symmetric", "unit"] = "symmetric",
        batch_size: int = 16,
        diversity: float = 0.7,
        contact_sheet: bool = True,
        percent: float = 90.0,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Choose the pictures whose scores reach a percentile, and give the reasons."""

    @overload
    def __call__(
        self,
        operation: Literal["aesthetics.extract-frames"],
        /,
        *,
        video: File | Sequence[File],
        format: Literal["jpg", "png", "webp"] = "jpg",
        quality: int = 95,
        sample_rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Write sampled frames of videos as pictures."""

    @overload
    def __call__(
        self,
        operation: Literal["effects.motion-trails"],
        /,
        *,
        video: File,
        matte: File | None = None,
        background: str = "#000000",
        camera_model: Literal["none", "translation", "similarity", "homography"] = "translation",
        motion_threshold: int = 10,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        layers: int = 6,
        decay: float = 0.7,
        spacing: float = 5.0,
        spacing_unit: Literal["frames", "seconds"] = "frames",
        ghost: Literal["glow", "shadow", "normal"] = "normal",
        direction: Literal["behind", "ahead", "both"] = "behind",
        mask: bool = True,
        focus_block: int = 31,
        tint: str | None = None,
        tint_strength: float = 0.8,
        blur: float = 0.0,
        linear_light: bool = False,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Leave ghosts behind moving subjects, in a scene that stays sharp."""

    @overload
    def __call__(
        self,
        operation: Literal["effects.strobe"],
        /,
        *,
        video: File,
        matte: File | None = None,
        background: str = "#000000",
        camera_model: Literal["none", "translation", "similarity", "homography"] = "translation",
        motion_threshold: int = 10,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        interval: float = 0.25,
        stamps: int = 24,
        opacity: float = 1.0,
        canvas: float = 3.0,
        mask: Literal["auto", "motion", "matte"] = "auto",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Stamp the moving subject at intervals over its scene, as a video and as one picture."""

    @overload
    def __call__(
        self,
        operation: Literal["matting.matte"],
        /,
        *,
        video: File,
        mask: File | None = None,
        masks: File | None = None,
        plate: File | None = None,
        background: File | None = None,
        garbage: File | None = None,
        core: File | None = None,
        shadow: float = 0.6,
        key: str | None = None,
        clip_black: float = 0.01,
        clip_white: float = 0.99,
        despill: float = 1,
        screen_balance: float = 1,
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        downsample_ratio: float | None = None,
        birefnet: Literal["auto", "general", "portrait", "general-lite"] = "auto",
        steadiness: float | None = None,
        erode: float = 0,
        dilate: float = 0,
        feather: float = 0,
        gamma: float = 1,
        holes: float = 0,
        min_area: float = 0,
        refine: bool | None = None,
        points: Sequence[tuple[float, float, Literal[1, -1]] | list[float]] = (),
        box: tuple[float, float, float, float] | list[float] | None = None,
        subject: Literal["all", "main", "mask", "box", "point"] = "all",
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        alpha_format: Literal["gray", "prores", "vp9", "png"] = "gray",
        composite_over: str = "green",
        foreground: Literal["off", "straight", "premultiplied"] = "off",
        keep_times: bool = False,
        backend: Literal["auto", "rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma", "difference", "matanyone", "matanyone2"] = "auto",
        resolution: int | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Cut the subject out of a video: matte, composite and foreground colours."""

    @overload
    def __call__(
        self,
        operation: Literal["matting.compare"],
        /,
        *,
        video: File,
        mask: File | None = None,
        plate: File | None = None,
        truth: File | None = None,
        shadow: float = 0.6,
        key: str | None = None,
        clip_black: float = 0.01,
        clip_white: float = 0.99,
        despill: float = 1,
        screen_balance: float = 1,
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        downsample_ratio: float | None = None,
        birefnet: Literal["auto", "general", "portrait", "general-lite"] = "auto",
        steadiness: float | None = None,
        erode: float = 0,
        dilate: float = 0,
        feather: float = 0,
        gamma: float = 1,
        holes: float = 0,
        min_area: float = 0,
        refine: bool | None = None,
        points: Sequence[tuple[float, float, Literal[1, -1]] | list[float]] = (),
        box: tuple[float, float, float, float] | list[float] | None = None,
        subject: Literal["all", "main", "mask", "box", "point"] = "all",
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        backends: Sequence[Literal["auto", "rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma", "difference", "matanyone", "matanyone2"]] = ("rvm", "u2netp"),
        resolution: int | None = None,
        show: Literal["composite", "matte"] = "composite",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Compare matting backends on one video: side by side, and as a table."""

    @overload
    def __call__(
        self,
        operation: Literal["matting.mask"],
        /,
        *,
        video: File,
        plate: File | None = None,
        marks: File | None = None,
        shadow: float = 0.6,
        key: str | None = None,
        clip_black: float = 0.01,
        clip_white: float = 0.99,
        despill: float = 1,
        screen_balance: float = 1,
        precision: Literal["auto", "f32", "bf16", "f16"] = "auto",
        downsample_ratio: float | None = None,
        birefnet: Literal["auto", "general", "portrait", "general-lite"] = "auto",
        points: Sequence[tuple[float, float, Literal[1, -1]] | list[float]] = (),
        box: tuple[float, float, float, float] | list[float] | None = None,
        frame: int | None = None,
        time_s: float = 0,
        backend: Literal["auto", "rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma", "difference", "matanyone", "matanyone2"] = "auto",
        resolution: int | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Make a mask of the object that clicks or a box mark in one frame."""

    @overload
    def __call__(
        self,
        operation: Literal["background.plate"],
        /,
        *,
        video: File,
        alpha: File,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        samples: int = 200,
        grow: int | None = None,
        canvas: Literal["frame", "panorama"] = "frame",
        reference: float | None = None,
        match_light: bool = True,
        remove_transients: bool = True,
        inpaint: Literal["smooth", "opencv", "migan", "lama"] = "smooth",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Recover the real background of a clip, without its subject."""

    @overload
    def __call__(
        self,
        operation: Literal["background.generate"],
        /,
        *,
        video: File,
        alpha: File,
        prompt: str,
        negative_prompt: str = "people, person, text, watermark, blurry, distorted",
        strength: float = 0.95,
        steps: int = 30,
        guidance: float = 7.5,
        seed: int | None = None,
        scheduler: Literal["dpm++2m-karras", "dpm++2m", "unipc", "euler", "ddim", "pndm", "lcm"] = "dpm++2m-karras",
        sd_model: Literal["sd15", "sdxl"] = "sd15",
        lcm: bool = False,
        detail: bool = True,
        max_vram: float | None = None,
        resolution: int = 1080,
        reference: float | None = None,
        grow: int | None = None,
        keep_outside: bool = True,
        feather: int | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Paint a background from a description, by Stable Diffusion."""

    @overload
    def __call__(
        self,
        operation: Literal["background.composite"],
        /,
        *,
        video: File,
        alpha: File,
        background: File | None = None,
        plate: File | None = None,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        light: Literal["video", "linear"] = "video",
        decontaminate: bool = True,
        light_wrap: float = 0.3,
        match: float = 0.5,
        grain: bool = True,
        blobs: float = 0.4,
        color: str = "#00b140",
        fit: Literal["cover", "contain", "stretch"] = "cover",
        background_end: Literal["loop", "hold", "trim"] = "loop",
        background_start: float = 0.0,
        shadow: Literal["none", "keep", "contact"] = "none",
        format: Literal["mp4", "prores", "vp9", "png"] = "mp4",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Put the subject of a clip over a picture, a colour or another clip."""

    @overload
    def __call__(
        self,
        operation: Literal["background.studio"],
        /,
        *,
        video: File,
        alpha: File,
        background: File | None = None,
        quality: int = 70,
        start: float = 0.0,
        duration: float | None = None,
        light: Literal["video", "linear"] = "video",
        decontaminate: bool = True,
        light_wrap: float = 0.3,
        match: float = 0.5,
        grain: bool = True,
        blobs: float = 0.4,
        prompt: str = "",
        negative_prompt: str = "people, person, text, watermark, blurry, distorted",
        strength: float = 0.95,
        steps: int = 30,
        guidance: float = 7.5,
        seed: int | None = None,
        scheduler: Literal["dpm++2m-karras", "dpm++2m", "unipc", "euler", "ddim", "pndm", "lcm"] = "dpm++2m-karras",
        sd_model: Literal["sd15", "sdxl"] = "sd15",
        lcm: bool = False,
        detail: bool = True,
        max_vram: float | None = None,
        resolution: int = 1080,
        depth: Literal["model", "plane"] = "model",
        depth_scale: float = 0.3,
        bg_margin: float = 0.0,
        exposure_smooth: int = 15,
        shadow: Literal["none", "contact"] = "none",
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> R_co:
        """Put the subject into another scene that follows the camera, with parallax."""

    @overload
    def __call__(self, operation: OperationName, /, *, idempotency_key: str | None = None, options: Mapping[str, Any] | None = None, **values: Any) -> R_co:
        """Call an operation that this version of the client does not know."""
