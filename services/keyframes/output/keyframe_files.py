"""Images and thumbnails of the keyframes of one video."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.seek import frames_at
from services.keyframes.output.images import SUFFIXES, ImageFormat, write_image, write_thumbnail
from services.keyframes.output.report import Keyframe
from services.keyframes.selection.choice import Choice
from shared.operation import Progress
from shared.video import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyframeFiles:
    """Paths and format of the files of one video's keyframes."""

    title: str
    """Base name of the video's files."""
    images: Path
    """Existing folder of the images."""
    files: Path
    """Folder of all other files, with an existing folder `title`/thumbnails."""
    drafts: Path
    """Existing temporary folder of the drafts."""
    format: ImageFormat
    quality: int
    """Image quality for JPEG and WebP, 1 to 100."""
    thumbnail_width: int
    """Largest width of thumbnails in pixels."""

    def write_draft(self, frame: Frame, number: int) -> None:
        """Write a draft: the files of frame `number`, which may be chosen later."""
        self._write(frame, *self._draft(number))

    def write(self, video: Path, scan: Scan, choices: list[Choice], drafts: set[int], progress: Progress) -> list[Keyframe]:
        """Write the chosen frames as images and thumbnails.

        A frame whose number is in `drafts` takes the files of its draft. Only the others are decoded again, in full size. Frames that
        cannot be decoded again are left out. Raises the errors of `frames_at`.
        """
        keyframes: list[Keyframe] = []
        missing = [scan.exact_time(choice.frame) for choice in choices if choice.frame not in drafts]
        with closing(frames_at(video, missing, to_sdr8=True)) as frames:
            frame = next(frames, None)
            for choice in choices:
                time = scan.exact_time(choice.frame)
                while frame is not None and frame.time < time:
                    frame = next(frames, None)
                name = f"{self.title}-{len(keyframes) + 1:04d}"
                keyframe = self._keyframe(name, choice, float(time))
                image, thumbnail = self.images / keyframe.file, self.files / keyframe.thumbnail
                if choice.frame in drafts:
                    for draft, path in zip(self._draft(choice.frame), (image, thumbnail), strict=True):
                        draft.replace(path)
                elif frame is not None and frame.time == time:
                    self._write(frame, image, thumbnail)
                else:
                    continue
                keyframes.append(keyframe)
                progress(len(keyframes), len(choices))
        return keyframes

    def _draft(self, number: int) -> tuple[Path, Path]:
        """Return the paths of a draft's image and thumbnail."""
        return self.drafts / f"{number}{SUFFIXES[self.format]}", self.drafts / f"{number}-thumbnail.jpg"

    def _write(self, frame: Frame, image: Path, thumbnail: Path) -> None:
        rgb = frame.rgb()
        write_image(rgb, image, self.format, self.quality)
        write_thumbnail(rgb, thumbnail, self.thumbnail_width)

    def _keyframe(self, name: str, choice: Choice, seconds: float) -> Keyframe:
        return Keyframe(
            file=name + SUFFIXES[self.format],
            thumbnail=f"{self.title}/thumbnails/{name}.jpg",
            timestamp_s=seconds,
            frame=choice.frame,
            shot=choice.shot,
            score=round(choice.score, 4),
            reasons=list(choice.reasons),
            like=list(choice.like),
            sharpness=round(choice.sharpness, 4),
            exposure=round(choice.exposure, 4),
            typical=round(choice.typical, 4),
            stillness=round(choice.stillness, 4),
        )
