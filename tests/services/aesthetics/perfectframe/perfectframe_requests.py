"""PerfectFrameAI's own request tests, run against the gateway.

    python -m tests.services.aesthetics.perfectframe.perfectframe_requests CHECKOUT

CHECKOUT is a folder with PerfectFrameAI's source. Its folder `tests` is copied below the shared folder of a new suite, because the tests
name folders beside themselves; CHECKOUT stays as it is. The tests run unchanged. Only their `conftest.py`, whose client runs the original
program without HTTP, is left out: `perfectframe_client.py` takes its place. The network has random weights in the published layout. The
exit status is that of pytest.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from shared.testing import suite
from tests.services.aesthetics.nima_files import Weights, inception_order, inception_resnet_v2, write_h5

REQUEST_TESTS = Path("tests", "extractor_service", "e2e")
SIDE = 96
"""Side of the picture for which the random weights are made. They fit any size."""


def main(checkout: Path) -> int:
    """Run the request tests of a checkout; return pytest's exit status."""
    if not (checkout / REQUEST_TESTS).is_dir():
        print(f"{checkout} is no checkout of PerfectFrameAI: it has no folder {REQUEST_TESTS}.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        data, models = Path(temporary, "data"), Path(temporary, "models")
        copy = data / "aesthetics" / "public" / "checkout"
        shutil.copytree(checkout / "tests", copy / "tests")
        (copy / REQUEST_TESTS / "conftest.py").unlink()
        _write_weights(models / "nima-inception-resnet-v2" / "weights.h5")
        with suite(data, MODELS_DIR=str(models)) as running:
            paths = os.pathsep.join(map(str, (copy, Path(__file__).parent)))
            plugins = ["-p", "tests.common", "-p", "perfectframe_client", "-p", "no:cacheprovider"]
            command = [sys.executable, "-m", "pytest", "-v", *plugins, "--rootdir", str(copy), str(copy / REQUEST_TESTS)]
            env = os.environ | {"PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "REELWRIGHT_URL": running.url}
            return subprocess.run(command, env=env, cwd=copy, check=False).returncode


def _write_weights(path: Path) -> None:
    weights = Weights()
    inception_resnet_v2(np.zeros((1, SIDE, SIDE, 3), np.float32), weights)
    path.parent.mkdir(parents=True)
    write_h5(path, weights, inception_order())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
