"""The processes that probe uploads."""

from pathlib import Path

import pytest

from shared.errors import TimedOut, UnsupportedMedia
from shared.runtime import Runtime
from shared.settings import Settings


async def test_a_probe_that_takes_too_long_names_its_own_setting(tmp_path: Path) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path, probe_timeout_s=0.2))
    try:
        with pytest.raises(TimedOut, match=r"^The probe was ended after 0\.2 seconds, its time limit \(REELWRIGHT_PROBE_TIMEOUT_S\)\.$"):
            await runtime.work("tests.shared.slow:sleep", {})
        with pytest.raises(UnsupportedMedia, match="REELWRIGHT_PROBE_TIMEOUT_S"):
            await runtime._look("tests.shared.slow:sleep", {})
    finally:
        await runtime.stop()
