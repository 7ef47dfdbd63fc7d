"""Correct and wrong uses of the Python client, for mypy (`make check`).

mypy must accept the correct uses and refuse the wrong ones. No test runs this code.

mypy reports a `type: ignore` that is not needed. Therefore each of them proves that its line is an error.
"""

from pathlib import Path
from typing import assert_type

from reelwright import AsyncReelwright, AsyncRun, OperationName, Reelwright, Run


def right_uses(client: Reelwright, name: str) -> None:
    run = client.run("speed-ramp.render", video=Path("clip.mp4"), min_speed=0.4, snap_to=[1, 2.5], on_progress=print)
    assert_type(run, Run)
    client.run("speed-ramp.render", video="https://example.com/clip.mp4", mode="speed_action", curve=[{"t": 0, "speed": 0.5}])
    client.submit("background.composite", video=run.outputs["video"], alpha="auto", options={"cache": False}, idempotency_key="mine")
    client.submit("keyframes.detect", video=[Path("first.mp4"), "second.mp4"], threshold=None)
    client.run("matting.matte", video="clip.mp4", points=[(10, 20.5, 1), (1, 2, -1)])
    client.run(OperationName(name), video="clip.mp4", of_a_newer_version=1)


async def right_async_uses(client: AsyncReelwright) -> None:
    assert_type(await client.run("speed-ramp.render", video="clip.mp4", min_speed=0.4), AsyncRun)
    assert_type(await client.submit("media.transcode", video="clip.mp4", width=640), AsyncRun)


def wrong_uses(client: Reelwright) -> None:
    client.run("speed-ramp.rendr", video="clip.mp4")  # type: ignore[call-overload]
    client.run("speed-ramp.render", video="clip.mp4", min_sped=0.4)  # type: ignore[call-overload]
    client.run("speed-ramp.render", video="clip.mp4", min_speed="slow")  # type: ignore[call-overload]
    client.run("speed-ramp.render", video="clip.mp4", mode="slow")  # type: ignore[call-overload]
    client.run("speed-ramp.render", video="clip.mp4", curve=[{"time": 0}])  # type: ignore[call-overload]
    client.run("speed-ramp.render", video=7)  # type: ignore[call-overload]
    client.run("speed-ramp.render", video=["clip.mp4"])  # type: ignore[call-overload]
    client.run("speed-ramp.render", min_speed=0.4)  # type: ignore[call-overload]
    client.run("background.generate", video="clip.mp4", alpha="auto")  # type: ignore[call-overload]
    client.submit("speed-ramp.render", video="clip.mp4", on_progress=print)  # type: ignore[call-overload]


async def wrong_async_uses(client: AsyncReelwright) -> None:
    await client.run("speed-ramp.rendr", video="clip.mp4")  # type: ignore[call-overload]
    await client.submit("speed-ramp.render", video="clip.mp4", min_sped=0.4)  # type: ignore[call-overload]
