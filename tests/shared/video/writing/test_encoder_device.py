"""The `device` setting chooses the GPU that encodes, or none."""

from collections.abc import Callable

import pytest

from shared.errors import Invalid
from shared.video.writing import encoders
from shared.video.writing.encoders import ENCODERS, choose_encoder, encoder_options


@pytest.mark.parametrize(("setting", "gpu"), [("auto", None), ("cuda", None), ("cuda:0", "0"), ("cuda:2", "2")])
def test_nvenc_gets_the_number_of_the_chosen_gpu(use_settings: Callable[..., None], setting: str, gpu: str | None) -> None:
    use_settings(device=setting)
    given = {encoder.name: encoder_options(encoder, 70, "yuv420p").get("gpu") for encoder in ENCODERS}
    expected = dict.fromkeys(given) | {"h264_nvenc": gpu, "hevc_nvenc": gpu}
    assert given == expected


def test_the_device_cpu_never_encodes_on_a_gpu(use_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "_encodes", lambda encoder, pixel_format: True)  # as on a machine with a GPU
    assert choose_encoder("auto", ".mp4", "yuv420p").name == "h264_nvenc"
    use_settings(device="cpu")
    assert choose_encoder("auto", ".mp4", "yuv420p").name == "libx264"
    with pytest.raises(Invalid, match="Working encoders: libx264"):
        choose_encoder("h264_nvenc", ".mp4", "yuv420p")
