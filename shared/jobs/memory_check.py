"""A check that refuses jobs too large for their memory limit."""

from collections.abc import Mapping

from shared.media.record import MediaRecord
from shared.memory_need import FrameSize, check_frame_memory
from shared.operation import Operation, Params


def check_job_memory(
    operation: Operation, params: Params, input_names: set[str], records: Mapping[str, list[MediaRecord]], *, limit_bytes: int
) -> None:
    """Raise TooLarge or Invalid if a job needs more than `limit_bytes`.

    `input_names`: names of all inputs; `records`: of those that exist already.
    """
    sizes = {}
    for name, media in records.items():
        frame_sizes = [size for record in media if (size := FrameSize.of(record.media or {})) is not None]
        if frame_sizes:
            sizes[name] = max(frame_sizes, key=lambda size: size.pixels)
    process_bytes = operation.process_bytes
    check_frame_memory(
        operation.name,
        sizes,
        bytes_per_pixel=operation.bytes_per_pixel(params),
        limit_bytes=limit_bytes,
        process_bytes=process_bytes if isinstance(process_bytes, int) else process_bytes(params),
    )
    if input_names == sizes.keys():
        operation.refuse_sizes(params, sizes)
