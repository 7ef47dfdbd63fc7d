"""The shots of videos, as `keyframes.detect` hands them over in its output `files`: an archive with a `report.json` for each video."""

import zipfile
from collections import defaultdict
from pathlib import Path

from pydantic import ValidationError

from services.aesthetics.params import BestFramesParams, VideoShots
from shared.errors import BrokenMedia, Invalid

_MOST_REPORTS = 1000
_MOST_BYTES = 64 * 1024 * 1024
_REPORT = "report.json"


def shots_of(params: BestFramesParams, archive: Path | None, videos: list[Path]) -> list[VideoShots]:
    """The shots of each of `videos`: those of `params`, or of an archive, in which videos are found by their names.

    Raises Invalid where there are none, or not of each video; BrokenMedia for an archive that cannot be read.
    """
    if params.shots is not None:
        if len(params.shots) != len(videos):
            given = len(params.shots)
            raise Invalid(f"shots are given for {given} videos, but there are {len(videos)}: give one list for each, in their order.")
        return params.shots
    if archive is None:
        raise Invalid(
            "group_by shot needs shots: give the output `files` of keyframes.detect as the input `shots`, or its result's `videos` as the "
            "param `shots`. The pipeline best-frame-of-each-shot does it."
        )
    reports = defaultdict[str, list[VideoShots]](list)
    for report in _reports(archive):
        reports[report.name].append(report)
    found = []
    for video in videos:
        if not reports[video.name]:
            raise Invalid(f"{archive.name!r} has no shots of {video.name!r}. Detect them on the same videos.")
        found.append(reports[video.name].pop(0))
    return found


def _reports(archive: Path) -> list[VideoShots]:
    try:
        with zipfile.ZipFile(archive) as opened:
            names = sorted(name for name in opened.namelist() if name.rpartition("/")[2] == _REPORT)
            if len(names) > _MOST_REPORTS or any(opened.getinfo(name).file_size > _MOST_BYTES for name in names):
                raise Invalid(f"{archive.name!r} has more reports, or larger ones, than {_MOST_REPORTS} of {_MOST_BYTES} bytes.")
            return [VideoShots.model_validate_json(opened.read(name)) for name in names]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValidationError) as error:
        raise BrokenMedia(f"{archive.name!r} cannot be read as what keyframes.detect wrote: {str(error).splitlines()[0]}") from error
