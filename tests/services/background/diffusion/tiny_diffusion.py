"""Tiny Stable Diffusion and depth networks in the published layout, with random weights."""

import json
from pathlib import Path
from typing import Any

from benchmarks.material.clip_tokenizer import write_tokenizer


def write_pipeline(folder: Path) -> None:
    """Write a tiny Stable Diffusion 1.5 inpainting pipeline, as fp16 safetensors."""
    import torch
    from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(in_channels=9, **unet_shape())
    widths = (16, 16, 16, 16)
    vae = AutoencoderKL(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=514,
            hidden_size=32,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=2,
            bos_token_id=512,
            eos_token_id=513,
            pad_token_id=513,
        )
    )
    _save(unet, folder / "unet")
    _save(vae, folder / "vae")
    _save(text, folder / "text_encoder")
    PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1).save_pretrained(
        folder / "scheduler"
    )
    write_tokenizer(folder / "tokenizer")
    index = {
        "_class_name": "StableDiffusionInpaintPipeline",
        "_diffusers_version": "0.6.0",
        "feature_extractor": [None, None],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))


def unet_shape() -> dict[str, Any]:
    """Return the UNet's construction arguments, which the ControlNet shares."""
    return {
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
        "norm_num_groups": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        **({"up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "sample_size": 8, "out_channels": 4}),
    }


def write_control(folder: Path) -> None:
    """Write a depth ControlNet that fits the tiny pipeline."""
    from diffusers import ControlNetModel

    shape = {name: value for name, value in unet_shape().items() if name not in ("up_block_types", "sample_size", "out_channels")}
    import torch

    torch.manual_seed(1)
    _save(ControlNetModel(in_channels=4, conditioning_embedding_out_channels=(8, 8, 8, 8), **shape), folder)


def write_sdxl(folder: Path, control: Path) -> None:
    """Write a tiny SDXL inpainting pipeline to `folder` and its depth ControlNet to `control`."""
    import torch
    from diffusers import AutoencoderKL, ControlNetModel, EulerDiscreteScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(3)
    added = {
        "cross_attention_dim": 64,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    }
    shape = unet_shape() | added
    _save(UNet2DConditionModel(in_channels=9, **shape), folder / "unet")
    kept = {name: value for name, value in shape.items() if name not in ("up_block_types", "sample_size", "out_channels")}
    _save(ControlNetModel(in_channels=4, conditioning_embedding_out_channels=(8, 8, 8, 8), **kept), control)
    vae = AutoencoderKL(
        block_out_channels=(16,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
    )
    _save(vae, folder / "vae")
    text = CLIPTextConfig(
        vocab_size=514,
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
        projection_dim=32,
    )
    _save(CLIPTextModel(text), folder / "text_encoder")
    _save(CLIPTextModelWithProjection(text), folder / "text_encoder_2")
    EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1).save_pretrained(
        folder / "scheduler"
    )
    write_tokenizer(folder / "tokenizer")
    write_tokenizer(folder / "tokenizer_2")
    index = {
        "_class_name": "StableDiffusionXLInpaintPipeline",
        "_diffusers_version": "0.21.0",
        "force_zeros_for_empty_prompt": True,
        "requires_aesthetics_score": False,
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))


def write_depth(folder: Path) -> None:
    """Write a tiny Depth Anything V2 model."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    backbone = Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
    )
    import torch

    torch.manual_seed(2)
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
        "size": {"height": 56, "width": 56},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def _save(model: Any, folder: Path) -> None:
    model.half().save_pretrained(folder, variant="fp16", safe_serialization=True)
