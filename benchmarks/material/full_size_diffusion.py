"""Full-size Stable Diffusion models with random weights.

They have the file layout of the published models. Speed and memory do not depend on the weights' values, so they can be measured without
the published files. The sizes are those of the published configurations.

`python -m benchmarks.material.full_size_diffusion FOLDER`: write the models of `sd15` and the depth network into a models folder.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.material.clip_tokenizer import VOCABULARY, write_tokenizer

SD15_BLOCKS: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
}
SDXL_BLOCKS: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
}
CLIP_LARGE: dict[str, Any] = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
CLIP_BIG_G: dict[str, Any] = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20}


def write_sd15(folder: Path) -> None:
    """Write a full-size Stable Diffusion 1.5 inpainting model."""
    from diffusers import UNet2DConditionModel

    ups = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")
    _save(lambda: UNet2DConditionModel(in_channels=9, out_channels=4, sample_size=64, up_block_types=ups, **SD15_BLOCKS), folder / "unet")
    _write_common(folder, side=512)
    _write_index(folder, "StableDiffusionInpaintPipeline", {"feature_extractor": [None, None], "safety_checker": [None, None]})


def write_sdxl(folder: Path) -> None:
    """Write a full-size Stable Diffusion XL inpainting model."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    ups = ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")
    _save(lambda: UNet2DConditionModel(in_channels=9, out_channels=4, sample_size=128, up_block_types=ups, **SDXL_BLOCKS), folder / "unet")
    config = CLIPTextConfig(projection_dim=1280, hidden_act="gelu", **_tokens(), **CLIP_BIG_G)
    _save(lambda: CLIPTextModelWithProjection(config), folder / "text_encoder_2")
    write_tokenizer(folder / "tokenizer_2")
    _write_common(folder, side=1024)
    second = {"text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer_2": ["transformers", "CLIPTokenizer"]}
    more = {"force_zeros_for_empty_prompt": True, "feature_extractor": [None, None], "image_encoder": [None, None]}
    _write_index(folder, "StableDiffusionXLInpaintPipeline", second | more)


def write_control_sd15(folder: Path) -> None:
    """Write a full-size depth ControlNet for Stable Diffusion 1.5."""
    from diffusers import ControlNetModel

    _save(lambda: ControlNetModel(in_channels=4, conditioning_embedding_out_channels=(16, 32, 96, 256), **SD15_BLOCKS), folder)


def write_depth(folder: Path) -> None:
    """Write a full-size Depth Anything V2 Small model."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    backbone: dict[str, Any] = {
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 6,
        "image_size": 518,
        "patch_size": 14,
        "out_features": ["stage3", "stage6", "stage9", "stage12"],
        "reshape_hidden_states": False,
        "apply_layernorm": True,
    }
    config = DepthAnythingConfig(
        backbone_config=Dinov2Config(**backbone),
        patch_size=14,
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    processor = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "ensure_multiple_of": 14,
        "image_mean": [0.485, 0.456, 0.406],
        "image_processor_type": "DPTImageProcessor",
        "image_std": [0.229, 0.224, 0.225],
        "keep_aspect_ratio": True,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"height": 518, "width": 518},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def _write_common(folder: Path, *, side: int) -> None:
    """Write the first text encoder, the tokenizer, the VAE and the scheduler.

    `side`: side in pixels of the largest square that the VAE handles without tiles.
    """
    from diffusers import AutoencoderKL, PNDMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    def vae() -> Any:
        downs, ups = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
        blocks: dict[str, Any] = {"block_out_channels": (128, 256, 512, 512), "down_block_types": downs, "up_block_types": ups}
        return AutoencoderKL(layers_per_block=2, latent_channels=4, sample_size=side, **blocks)

    _save(vae, folder / "vae")
    _save(lambda: CLIPTextModel(CLIPTextConfig(**_tokens(), **CLIP_LARGE)), folder / "text_encoder")
    write_tokenizer(folder / "tokenizer")
    schedule: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    PNDMScheduler(skip_prk_steps=True, **schedule).save_pretrained(folder / "scheduler")  # type: ignore[attr-defined]  # from a base class without types


def _tokens() -> dict[str, int]:
    return {
        "vocab_size": 49408,
        "bos_token_id": VOCABULARY - 2,
        "eos_token_id": VOCABULARY - 1,
        "pad_token_id": VOCABULARY - 1,
    }


def _write_index(folder: Path, kind: str, more: dict[str, Any]) -> None:
    parts = {
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind, "_diffusers_version": "0.6.0"} | parts | more))


def _save(build: Any, folder: Path) -> None:
    """Build a model with small random weights and save the model.

    The weights are made on the GPU if there is one.
    """
    import torch

    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = build()
    model.half().save_pretrained(folder, variant="fp16", safe_serialization=True)


if __name__ == "__main__":
    models = Path(sys.argv[1])
    write_sd15(models / "sd15-inpainting")
    write_control_sd15(models / "controlnet-depth-sd15")
    write_depth(models / "depth-anything-v2-small")
