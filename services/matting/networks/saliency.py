"""Single-picture networks that separate foreground and background.

Networks: U2-Net, BiRefNet and RMBG-2.0, run from ONNX files.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.matting.networks.engine import Engine, compile_model, onnx_session, read_model
from shared.video.frames.scaling import scaled

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Saliency:
    """A loaded single-picture network.

    `run`: maps (batch, 3, side, side) to the network's first output. `side`: side in pixels of the square input; `batch`: pictures per run;
    `precision`, `device`: precision and device that the library really uses; `logits`: whether the output needs a sigmoid.
    """

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    side: int
    batch: int
    precision: str
    device: str
    logits: bool

    def mattes(self, pictures: Sequence[Rgb]) -> list[Alpha]:
        """Return the mattes of at most `batch` pictures.

        `pictures`: each (h, w, 3). Mattes are (side, side) float32 0..1, with the network's own values. rembg stretches the values of each
        picture to 0..1, which turns the matte of an empty scene into a full mask.
        """
        stack = np.stack([self._prepared(picture) for picture in pictures])
        missing = self.batch - len(stack)
        full = np.concatenate([stack, np.repeat(stack[-1:], missing, axis=0)]) if missing else stack
        out = self.run(full)[: len(stack), 0]
        if self.logits:
            out = np.asarray(1 / (1 + np.exp(-np.clip(out, -60, 60))), np.float32)
        return [np.clip(matte, 0, 1).astype(np.float32) for matte in out]

    def _prepared(self, picture: Rgb) -> NDArray[np.float32]:
        square = scaled(picture, (self.side, self.side))
        return np.asarray(((square.astype(np.float32) / 255 - _MEAN) / _SPREAD).transpose(2, 0, 1), np.float32)


def load_saliency(path: Path, engine: Engine, *, side: int, batch: int, logits: bool) -> Saliency:
    """Load a network from its ONNX file.

    Its input is (n, 3, side, side), its first output (n, 1, side, side). A network with a fixed batch of one picture keeps that batch.
    """
    if engine.library == "openvino":
        model = read_model(path)
        shape = [batch, 3, side, side]
        if batch > 1 and model.input(0).get_partial_shape()[0].is_static:
            shape[0] = 1
        with suppress(RuntimeError):
            model.reshape(shape)
        compiled, precision = compile_model(model, engine)
        request = compiled.create_infer_request()

        def infer(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
            request.infer([pictures], share_inputs=True)
            return np.array(request.get_output_tensor(0).data, np.float32)

        return Saliency(run=infer, side=side, batch=int(compiled.input(0).shape[0]), precision=precision, device="cpu", logits=logits)
    opened = onnx_session(path, engine)
    session = opened.session
    port = session.get_inputs()[0]
    fixed = port.shape[0] if isinstance(port.shape[0], int) else batch

    def run(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run([session.get_outputs()[0].name], {port.name: pictures})[0], np.float32)

    return Saliency(run=run, side=side, batch=fixed, precision=opened.precision, device=opened.device, logits=logits)
