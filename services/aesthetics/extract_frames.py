"""aesthetics.extract-frames: videos -> every sampled frame, without a look at its quality."""

from contextlib import closing
from pathlib import Path

from services.aesthetics.best_frames import as_list
from services.aesthetics.params import MAX_IMAGES, Extracted, ExtractParams, ExtractResult
from services.aesthetics.reading.picture_files import Names, encoded
from services.aesthetics.reading.small_views import sampled
from services.aesthetics.reading.sources import Sources
from shared.errors import Invalid
from shared.media.picture_zip import PictureZip
from shared.operation import Progress, Silent
from shared.video import Frame, map_ordered


def extract_frames(params: ExtractParams, *, video: list[Path] | Path, output: Path, progress: Progress = Silent()) -> ExtractResult:
    """Write `sample_rate` frames a second of each video into a zip file, encoded on all cores.

    A video that cannot be read, or breaks half-way, is noted in the result; where none can be, its error is raised. Raises Invalid for a
    part that is not there or more than MAX_IMAGES frames.
    """
    sources, names, items = Sources(as_list(video), params, progress, videos=True), Names(params), list[Extracted]()

    def encode(frame: Frame) -> tuple[float, bytes]:
        return float(frame.time), encoded(frame.rgb(), params)

    with PictureZip(output) as archive:
        for source in sources.readable():
            with (
                sources.noting(source),
                closing(sampled(source.path, params)) as frames,
                closing(map_ordered(encode, frames, ahead=1)) as made,
            ):
                for time_s, data in made:
                    if len(items) == MAX_IMAGES:
                        raise Invalid(f"More than {MAX_IMAGES} frames would be written. Choose a lower sample_rate, or a part.")
                    name = names.of(source.path.name, time_s)
                    archive.add(name, data)
                    source.chosen += 1
                    items.append(Extracted(image=name, source=source.path.name, source_index=source.index, timestamp_s=time_s))
                    sources.count(source)
        sources.raise_if_nothing()
    return ExtractResult(items=items, sources=[source.report() for source in sources.all])
