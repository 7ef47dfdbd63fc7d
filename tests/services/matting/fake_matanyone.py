"""A stand-in for MatAnyone: its modules, classes and calls.

Its arithmetic shows which calls were made.

A matte is the last mask, softened a little at each step; the network counts how often pictures are encoded.
"""

from pathlib import Path

CORE = """
class InferenceCore:
    def __init__(self, network, cfg=None, *, image_feature_store=None, device=None):
        self.network, self.cfg, self.store = network, cfg, image_feature_store
        self.memory, self.calls = [], []
        network.cores.append(self)

    def step(self, image, mask=None, objects=None, *, first_frame_pred=False):
        height, width = image.shape[-2:]
        assert -(-height // 16) * -(-width // 16) >= 30, "selected index k out of range"
        features, pixels = self.store.get_features(len(self.calls), image)
        key, shrinkage, selection = self.store.get_key(len(self.calls), image)
        assert key is features[0]
        if mask is not None:
            assert objects == [1] and mask.ndim == 2
            self.alpha, self.memory = mask / 255, []
        self.calls.append("mask" if mask is not None else "warm-up" if first_frame_pred else "step")
        self.alpha = self.alpha * 0.99 + 0.01 * pixels
        self.memory = [*self.memory, image][-5:]
        self.store.delete(len(self.calls))
        return torch.stack([1 - self.alpha, self.alpha])
"""
NETWORK = """
class {name}(torch.nn.Module):
    def __init__(self, cfg, *, single_object=False):
        super().__init__()
        assert single_object and cfg.model.pretrained_resnet is False
        assert not hasattr(cfg, "hydra") and not hasattr(cfg, "defaults")
        self.cfg, self.cores, self.encoded = cfg, [], 0
        self.gain = torch.nn.Parameter(torch.ones(()))

    def load_weights(self, weights):
        self.load_state_dict(weights)

    def encode_image(self, image, seq_length=None, last_feats=None):
        self.encoded += 1
        return [image.mean(0) * self.gain], image.mean(0)

    def transform_key(self, feature):
        return feature, None, None
"""
OMEGACONF = """
import yaml


class Config(dict):
    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    __setattr__ = dict.__setitem__


class OmegaConf:
    @staticmethod
    def load(path):
        return Config(yaml.safe_load(path.read_text()))
"""


def install(folder: Path, package: str = "matanyone") -> None:
    """Write the stand-in package, and one for omegaconf, to `folder`."""
    name = {"matanyone": "MatAnyone", "matanyone2": "MatAnyone2"}[package]
    files = {
        f"{package}/__init__.py": "",
        f"{package}/config/eval_matanyone_config.yaml": "defaults: [model]\nhydra: {run: x}\nmem_every: 5\nmax_mem_frames: 5\n",
        f"{package}/config/model/base.yaml": "key_dim: 64\n",
        f"{package}/model/__init__.py": "",
        f"{package}/model/{package}.py": f"import torch\n{NETWORK.format(name=name)}",
        f"{package}/inference/__init__.py": "",
        f"{package}/inference/inference_core.py": f"import torch\nimport torchvision\n{CORE}",
        "omegaconf.py": OMEGACONF,
        "einops.py": "",
        "imageio.py": "",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
