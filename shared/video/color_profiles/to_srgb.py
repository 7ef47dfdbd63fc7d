"""Conversion of pictures to sRGB by their colour profiles."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from shared.video.color_profiles.icc_profile import icc_profile
from shared.video.color_profiles.named_spaces import named_space

PROFILE_KEYS = ("icc_profile", "gamma", "chromaticity", "srgb")
"""Keys of Pillow's `info` that describe colours. They are removed after the conversion, or Pillow would save them."""

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
"""Colour space of a profile -> Pillow's mode of pixels in that space."""
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SAME = 1
"""Greatest difference from sRGB, in levels, of a profile that counts as sRGB."""
_CUBE = np.stack(np.meshgrid(*[np.linspace(0, 255, 9).astype(np.uint8)] * 3, indexing="ij"), axis=-1).reshape(27, 27, 3)
"""Colours from the whole RGB cube, with which a profile is compared with sRGB."""


def profile_of(image: Image.Image, head: bytes) -> bytes | None:
    """Return a picture's ICC profile; None for sRGB or unknown colours.

    It is the embedded profile, or one made from the colour space that the file names. `image`: as Pillow opened it. `head`: the file's
    first bytes.
    """
    if embedded := image.info.get("icc_profile"):
        return bytes(embedded)
    try:
        space = named_space(image, head)
        return None if space is None else icc_profile(space)
    except ValueError:
        return None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an 8-bit picture to sRGB.

    The result is RGB, or RGBA if the picture has transparency. `profile`: an ICC profile; one that is damaged, or describes another kind of
    pixels, is ignored. Colours are mapped relative to white with black point compensation; those outside sRGB move to its border. CMYK
    without a profile is converted as Pillow does.
    """
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    colors = _opaque(image)
    conversion = _transform(profile, colors.mode) if profile else None
    if conversion is None and colors.mode == "LAB":
        conversion = _lab_transform()
    if conversion is None:
        rgb = colors.convert("RGB")
    else:
        mode, transform = conversion
        converted = transform.apply(colors.convert(mode))
        assert converted is not None
        rgb = converted
    if alpha is not None:
        rgb.putalpha(alpha)
    rgb.info = {key: value for key, value in image.info.items() if key not in (*PROFILE_KEYS, "transparency")}
    return rgb


def _opaque(image: Image.Image) -> Image.Image:
    """Drop the alpha channel of a picture; its colours stay.

    The result has one of the modes L, RGB, CMYK, LAB.
    """
    if image.mode in ("L", "LA", "1"):
        return image.convert("L")
    if image.mode in ("CMYK", "LAB"):
        return image
    return image.convert("RGBA").convert("RGB") if image.mode in ("RGBa", "PA") else image.convert("RGB")


@lru_cache(maxsize=16)
def _transform(profile: bytes, pixels: str) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """Return the Pillow mode of a profile's pixels, and their transform to sRGB.

    `pixels`: Pillow mode of the picture. None if `profile` cannot describe such pixels, or is sRGB itself.
    """
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None or (pixels != mode and (pixels, mode) != ("L", "RGB")):
            return None
        transform = ImageCms.ImageCmsTransform(source, _srgb_profile(), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=_FLAGS)
        if mode == "RGB":
            changed = np.asarray(transform.apply(Image.fromarray(_CUBE)), np.int16)
            if np.abs(changed - _CUBE).max() <= _SAME:
                return None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return mode, transform


@lru_cache(maxsize=1)
def _lab_transform() -> tuple[str, ImageCms.ImageCmsTransform]:
    """Return the Pillow mode of CIE L*a*b* pixels, and their transform to sRGB."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return "LAB", ImageCms.ImageCmsTransform(lab, _srgb_profile(), "LAB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)


def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
