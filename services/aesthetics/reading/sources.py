"""Input files of a job, each with its number of pictures and its error.

A bad file does not stop the others. Pictures are yielded as views: small copies with their measures.
"""

import math
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from services.aesthetics.reading.sampling import SampleParams
from services.aesthetics.reading.small_views import View, picture_view, video_views
from shared.errors import Invalid, OperationFailed, ReelwrightError
from shared.operation import Progress
from shared.video import Picture, conversion_warnings, list_pictures, map_ordered, probe_video

MAX_SOURCES = 1000
"""Maximum number of videos or picture files of one job."""
MAX_VIEWS = 200_000
"""Maximum number of pictures that one job examines. At one frame per second, these are 2.3 days of video."""


class SourceReport(BaseModel):
    """Report on one input file for the result."""

    name: str = Field(description="Name of the file.")
    processed: bool = Field(description="Whether the whole file was processed.")
    looked_at: int = Field(description="Number of pictures examined.")
    chosen: int = Field(description="Number of pictures written.")
    error: dict[str, Any] | None = Field(None, description="Problem details of an error in the file; null if there was none.")


@dataclass(kw_only=True, eq=False)
class Source:
    """An input file with its counts and error so far."""

    index: int
    """Number among the inputs, from 0."""
    path: Path
    expected: int = 0
    """Estimated number of pictures to examine."""
    pictures: tuple[Picture, ...] = ()
    looked_at: int = 0
    chosen: int = 0
    error: ReelwrightError | None = None

    def report(self) -> SourceReport:
        """Return the report on this file."""
        return SourceReport(
            name=self.path.name,
            processed=self.error is None,
            looked_at=self.looked_at,
            chosen=self.chosen,
            error=None if self.error is None else self.error.problem(),
        )


class Sources:
    """All input files of a job: either videos or picture files."""

    def __init__(self, paths: list[Path], params: SampleParams, progress: Progress, *, videos: bool) -> None:
        if not 1 <= len(paths) <= MAX_SOURCES:
            raise Invalid(f"{len(paths)} files were given; a job takes 1 to {MAX_SOURCES}.")
        self.videos = videos
        self.all = [Source(index=index, path=path) for index, path in enumerate(paths)]
        self._params, self._progress, self._done = params, progress, 0
        for source in self.all:
            with self.recording_errors(source):
                self._open(source)
        self._expected = sum(source.expected for source in self.all)
        if self._expected > MAX_VIEWS:
            hint = "Choose a lower sample_rate, or a shorter part (start, duration)" if videos else "Divide the pictures into several jobs"
            raise Invalid(f"The job would examine about {self._expected} pictures; the limit is {MAX_VIEWS}. {hint}.")
        self.raise_if_all_failed()

    @property
    def looked_at(self) -> int:
        """Number of pictures examined so far."""
        return sum(source.looked_at for source in self.all)

    @property
    def reports(self) -> list[SourceReport]:
        """The reports on all files."""
        return [source.report() for source in self.all]

    def readable(self) -> Iterator[Source]:
        """Yield the files that opened without error."""
        return (source for source in self.all if source.error is None)

    def series(self, *, lanczos: bool) -> Iterator[tuple[Source | None, Generator[View, None, None]]]:
        """Yield each video with its views, or None with all views of picture files."""
        if not self.videos:
            yield None, self.picture_views(lanczos=lanczos)
            return
        for source in self.readable():
            yield source, self.video_views(source, lanczos=lanczos)

    def video_views(self, source: Source, *, lanczos: bool) -> Generator[View, None, None]:
        """Yield the views of one video.

        An error ends the views and is recorded.
        """
        with self.recording_errors(source), closing(video_views(source.path, self._params, source.index, lanczos=lanczos)) as views:
            for view in views:
                self.count(source)
                yield view

    def picture_views(self, *, lanczos: bool) -> Generator[View, None, None]:
        """Yield the views of all picture files.

        Damaged files are recorded and skipped.
        """

        def view(item: tuple[Source, Picture]) -> View | ReelwrightError:
            source, picture = item
            try:
                return picture_view(picture, source.index, lanczos=lanczos)
            except ReelwrightError as error:
                return error

        pairs = [(source, picture) for source in self.readable() for picture in source.pictures]
        with closing(map_ordered(view, pairs, ahead=1)) as views:
            for (source, picture), outcome in zip(pairs, views, strict=True):
                if isinstance(outcome, View):
                    self.count(source)
                    yield outcome
                else:
                    self.count(source, outcome, picture.name)

    @contextmanager
    def recording_errors(self, source: Source) -> Iterator[None]:
        """Record an error of a file instead of raising it.

        Also warns about it. Errors that are not the file's fault are raised.
        """
        try:
            yield
        except ReelwrightError as error:
            if error.status >= 500 or isinstance(error, Invalid):
                raise
            source.error = error
            self._warn(source.path.name, error)

    def count(self, source: Source, error: ReelwrightError | None = None, name: str = "") -> None:
        """Count a picture as examined, or as damaged if `error` is given.

        `name`: name of the damaged picture. Raises Invalid beyond MAX_VIEWS examined pictures.
        """
        self._done += 1
        if error is None:
            source.looked_at += 1
        else:
            source.error = source.error or error
            self._warn(name, error)
        if self.looked_at > MAX_VIEWS:
            raise Invalid(f"The job would examine more than {MAX_VIEWS} pictures. Choose a lower sample_rate.")
        self._progress(min(self._done, self._expected), self._expected)

    def raise_if_all_failed(self) -> None:
        """Raise an error if every file failed.

        Raises the error of a single file, OperationFailed for several files.
        """
        failed = [source.error for source in self.all if source.error is not None]
        if len(failed) == len(self.all) and not self.looked_at:
            if len(failed) == 1:
                raise failed[0]
            raise OperationFailed(f"None of the {len(failed)} files could be read. {failed[0].detail}")

    def raise_if_empty(self) -> None:
        """Raise an error if no picture was examined.

        Raises the error of `raise_if_all_failed`, or Invalid for an empty part.
        """
        self.raise_if_all_failed()
        if not self.looked_at:
            raise Invalid(f"No frame begins in the part from {self._params.start:g} s on. Choose another start or a longer duration.")

    def _open(self, source: Source) -> None:
        """Probe a file and estimate how many pictures it gives."""
        if not self.videos:
            source.pictures = tuple(list_pictures([source.path], warn=self._progress.warn))
            source.expected = len(source.pictures)
            return
        info = probe_video(source.path, hint="give pictures as `images`")
        for warning in conversion_warnings(info, to_sdr8=True, written_as="rgb24"):
            self._progress.warn(f"{source.path.name}: {warning}")
        span = max(info.length_s - self._params.start, 0)
        span = span if self._params.duration is None else min(span, self._params.duration)
        source.expected = max(min(math.ceil(span * self._params.sample_rate), info.frames), 1)

    def _warn(self, name: str, error: ReelwrightError) -> None:
        self._progress.warn(error.detail if name in error.detail else f"{name}: {error.detail}")


def as_list(paths: list[Path] | Path | None) -> list[Path]:
    """Return a path, a list of paths or None as a list."""
    return [paths] if isinstance(paths, Path) else list(paths or ())


def one_kind(video: list[Path] | Path | None, images: list[Path] | Path | None) -> list[Path]:
    """Return the videos or the pictures, whichever are given, as a list.

    Raises Invalid if both are given.
    """
    if as_list(video) and as_list(images):
        raise Invalid("Give videos or pictures, not both in one job.")
    return as_list(video) or as_list(images)
