"""The input files of a job, and what becomes of each: one that is bad does not spoil the others."""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.aesthetics.params import MAX_LOOKS, MAX_SOURCES, SampleParams, ScoreParams, SourceReport
from services.aesthetics.reading.small_views import Look, look_at_picture, look_at_video
from shared.errors import Invalid, OperationFailed, ReelwrightError
from shared.operation import Progress
from shared.video import Picture, conversion_warnings, list_pictures, map_ordered, probe_video


@dataclass(kw_only=True, eq=False)
class Source:
    """One input file. `expected`: about how many pictures of it are looked at."""

    index: int
    path: Path
    expected: int = 0
    pictures: tuple[Picture, ...] = ()
    looked_at: int = 0
    chosen: int = 0
    error: ReelwrightError | None = None

    def report(self) -> SourceReport:
        """What became of it."""
        return SourceReport(
            name=self.path.name,
            processed=self.error is None,
            looked_at=self.looked_at,
            chosen=self.chosen,
            error=None if self.error is None else self.error.problem(),
        )


class Sources:
    """The videos, or the picture files, of one job."""

    def __init__(self, paths: list[Path], params: SampleParams, progress: Progress, *, videos: bool):
        if not 1 <= len(paths) <= MAX_SOURCES:
            raise Invalid(f"{len(paths)} files were given; 1 to {MAX_SOURCES} are taken in one job.")
        self.videos = videos
        self.all = [Source(index=index, path=path) for index, path in enumerate(paths)]
        self._params, self._progress, self._done = params, progress, 0
        for source in self.all:
            with self.noting(source):
                self._open(source)
        self._expected = sum(source.expected for source in self.all)
        if self._expected > MAX_LOOKS:
            hint = "Choose a lower sample_rate, or a part (start, duration)" if videos else "Divide them into several jobs"
            raise Invalid(f"About {self._expected} pictures would be looked at; at most {MAX_LOOKS} are. {hint}.")
        self.raise_if_all_failed()

    @property
    def looked_at(self) -> int:
        """Pictures looked at so far."""
        return sum(source.looked_at for source in self.all)

    def readable(self) -> Iterator[Source]:
        """The files that could be opened."""
        return (source for source in self.all if source.error is None)

    def looks(self, source: Source, params: ScoreParams) -> Iterator[Look]:
        """The pictures of one video, looked at; where it breaks, that is noted and it ends."""
        with self.noting(source), closing(look_at_video(source.path, params, source.index)) as looks:
            for look in looks:
                self.count(source)
                yield look

    def all_pictures(self, params: ScoreParams) -> Iterator[Look]:
        """The pictures of all picture files, looked at; those that are damaged are noted and passed over."""

        def look(given: tuple[Source, Picture]) -> Look | ReelwrightError:
            source, picture = given
            try:
                return look_at_picture(picture, params, source.index)
            except ReelwrightError as error:
                return error

        pairs = [(source, picture) for source in self.readable() for picture in source.pictures]
        with closing(map_ordered(look, pairs, ahead=1)) as looks:
            for (source, picture), found in zip(pairs, looks, strict=True):
                self.count(source, found if isinstance(found, ReelwrightError) else None, picture.name)
                if isinstance(found, Look):
                    yield found

    @contextmanager
    def noting(self, source: Source) -> Iterator[None]:
        """A block in which an error of a file is noted and told, not raised. What is no fault of the file is raised."""
        try:
            yield
        except ReelwrightError as error:
            if error.status >= 500 or isinstance(error, Invalid):
                raise
            source.error = error
            self._warn(source.path.name, error)

    def count(self, source: Source, error: ReelwrightError | None = None, name: str = "") -> None:
        """Another picture was looked at, or could not be."""
        self._done += 1
        if error is None:
            source.looked_at += 1
        else:
            source.error = source.error or error
            self._warn(name, error)
        if self.looked_at > MAX_LOOKS:
            raise Invalid(f"More than {MAX_LOOKS} pictures would be looked at. Choose a lower sample_rate.")
        self._progress(min(self._done, self._expected), self._expected)

    def raise_if_all_failed(self) -> None:
        """Raise what was wrong if no file gave a picture because of errors, Invalid if none did for another reason."""
        failed = [source.error for source in self.all if source.error is not None]
        if len(failed) == len(self.all) and not self.looked_at:
            if len(failed) == 1:
                raise failed[0]
            raise OperationFailed(f"None of the {len(failed)} files could be read. {failed[0].detail}")

    def raise_if_nothing(self) -> None:
        """Raise if there was no picture at all."""
        self.raise_if_all_failed()
        if not self.looked_at:
            raise Invalid(f"No frame begins in the part from {self._params.start:g} s on. Choose another start or a longer duration.")

    def _open(self, source: Source) -> None:
        if not self.videos:
            source.pictures = tuple(list_pictures([source.path]))
            source.expected = len(source.pictures)
            return
        info = probe_video(source.path, hint="give pictures as `images`")
        for sentence in conversion_warnings(info, to_sdr8=True, written_as="rgb24"):
            self._progress.warn(f"{source.path.name}: {sentence}")
        span = max(info.duration_s - self._params.start, 0)
        span = span if self._params.duration is None else min(span, self._params.duration)
        source.expected = max(min(math.ceil(span * self._params.sample_rate), info.frames), 1)

    def _warn(self, name: str, error: ReelwrightError) -> None:
        self._progress.warn(error.detail if name in error.detail else f"{name}: {error.detail}")
