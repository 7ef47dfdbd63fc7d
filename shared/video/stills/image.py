"""Reading of still images, single or in zip files, within size limits."""

import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from shared.errors import BrokenMedia, TooLarge, UnsupportedMedia
from shared.media.types import IMAGES, PICTURES, FileType, is_image, is_zip
from shared.media.zip_files.picture_zip import open_picture, read_chunks, zip_contents
from shared.media_info import ImageInfo, PicturesInfo
from shared.video.color_profiles.to_srgb import profile_of, to_srgb
from shared.video.limits import Limits
from shared.video.reading.open_input import file_head

Source = str | os.PathLike[str] | BytesIO
# Exif orientation -> the operation that makes the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow's name of a format -> the name used here. MPO files are JPEG files with more pictures after the first; many phones write them.
_FORMATS = {"MPO": "JPEG"}
_HEAD_BYTES = 256 * 1024
"""Number of first bytes in which a file's colour space is searched. It stands before the pixels."""
_LISTED = 20
"""Maximum number of files, not pictures, that a zip file's record names."""
_IMAGE_ERRORS = (PIL.UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, RuntimeError)


def image_info(path: str | os.PathLike[str], limits: Limits) -> tuple[ImageInfo, FileType]:
    """Decode a still image and describe it.

    Raises BrokenMedia or TooLarge.
    """
    with open_image(path, limits) as image:
        turned = {6: 90, 3: 180, 8: 270, 5: 270, 7: 90, 4: 180}.get(_orientation(image), 0)
        width, height = image.size if turned in (0, 180) else image.size[::-1]
        assert image.format is not None
        kind = _FORMATS.get(image.format, image.format)
        info = ImageInfo(
            container=kind.lower(),
            width=width,
            height=height,
            codec=kind.lower(),
            pixel_format=image.mode,
            rotation=turned,
            has_alpha=image.has_transparency_data,
        )
        return info, IMAGES[kind]


def open_image(file: Source, limits: Limits, *, name: str | None = None) -> Image.Image:
    """Open and decode a still image.

    `name`: used in messages if `file` has none. Raises BrokenMedia or TooLarge.
    """
    name = name or ("the image" if isinstance(file, BytesIO) else Path(file).name)
    # Errors say what is wrong. The library's own warnings are not meant for users.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(file, formats=accepted_formats())
        except Image.DecompressionBombError as error:
            pixels = re.search(r"\d+", str(error))  # Pillow refuses the size before it gives it
            raise TooLarge(
                f"{name!r} has {pixels[0] if pixels else 'too many'} pixels; at most {limits.max_pixels} are allowed. Scale it down."
            ) from error
        except _IMAGE_ERRORS as error:
            raise BrokenMedia(f"{name!r} cannot be read as an image ({error}). Export or upload it again.") from error
        try:
            limits.check_size(*image.size)
            image.load()
            if image.mode == "P" and image.palette is None:
                raise ValueError("it has no palette")
        except _IMAGE_ERRORS as error:
            image.close()
            raise BrokenMedia(f"{name!r} is a damaged image ({error}). Export or upload it again.") from error
        except TooLarge:
            image.close()
            raise
    return image


@lru_cache(maxsize=1)
def accepted_formats() -> tuple[str, ...]:
    """Return the accepted image formats, with HEIC if its reader is installed."""
    try:
        from pi_heif import register_heif_opener
    except ImportError:  # some platforms have no build of it
        return tuple(name for name in IMAGES if name != "HEIF")
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return tuple(IMAGES)


def upright_image(file: Source, limits: Limits, *, name: str | None = None, alpha: bool = False) -> Image.Image:
    """Open a still image as upright 8-bit sRGB.

    Raises what `open_image` raises.
    """
    with open_image(file, limits, name=name) as image:
        return upright_rgb(image, alpha=alpha, head=file_start(file))


def upright_rgb(image: Image.Image, *, alpha: bool = False, head: bytes = b"") -> Image.Image:
    """Convert an open image to upright 8-bit sRGB.

    Colours are converted by the image's profile, or by the colour space that it names otherwise; an image that names none is taken for
    sRGB. `head`: the file's first bytes, where PNG, AVIF and HEIC name their colour space. Transparent parts become white. 16-bit gray is
    scaled to 8 bits. Integer and float images have no defined white: they are stretched from their least to their greatest value. `alpha`:
    keep transparency; the result is RGBA if the image has any.
    """
    turn, profile = _UPRIGHT.get(_orientation(image)), profile_of(image, head)
    rgb = to_srgb(_eight_bits(image), profile)
    if rgb.mode == "RGBA" and not alpha:
        rgb = Image.alpha_composite(Image.new("RGBA", rgb.size, "white"), rgb).convert("RGB")
    for tag in ("exif", "xmp"):  # these describe the picture before it was turned
        rgb.info.pop(tag, None)
    return rgb if turn is None else rgb.transpose(turn)


def file_start(file: Source) -> bytes:
    """Read the first 256 KiB of a picture file."""
    if isinstance(file, BytesIO):
        return bytes(file.getbuffer()[:_HEAD_BYTES])
    with open(file, "rb") as opened:
        return opened.read(_HEAD_BYTES)


def _orientation(image: Image.Image) -> int:
    """Read the Exif orientation, 1 to 8."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = image.getexif().get(0x0112, 1)
        except Exception:  # damaged Exif data raises all sorts of errors; the picture itself is fine
            return 1
    return value if value in _UPRIGHT else 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Convert a picture to 8 bits per channel.

    Pillow's own conversion clips at 255.
    """
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.nan_to_num(np.asarray(image, np.float32))
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    return Image.fromarray(((values - low) * (255 / max(high - low, 1e-9)) + 0.5).astype(np.uint8))


def pictures_info(path: str | os.PathLike[str], limits: Limits) -> tuple[PicturesInfo, FileType]:
    """Describe a zip file of pictures.

    Raises what `zip_contents` raises.
    """
    contents = zip_contents(path, limits.max_bytes)
    pictures = contents.pictures
    unpacked = sum(picture.size for picture in pictures)
    return PicturesInfo(pictures=len(pictures), unpacked_bytes=unpacked, other_files=contents.others[:_LISTED]), PICTURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture file, single or in a zip file.

    `name`: the name of the file or the zip entry. `limits`: checked when the picture is opened.
    """

    name: str
    source: Path
    entry: str | None = None
    limits: Limits

    def image(self, *, alpha: bool = False) -> Image.Image:
        """Open the picture as upright 8-bit sRGB.

        Raises BrokenMedia or TooLarge.
        """
        return upright_image(self.source if self.entry is None else BytesIO(self.data()), self.limits, name=self.name, alpha=alpha)

    def matte(self) -> NDArray[np.uint8]:
        """Read the opacity of each pixel, (height, width) uint8.

        0 is transparent, 255 opaque. It is the picture's transparency if there is any, else its brightness. Raises BrokenMedia or TooLarge.
        """
        image = self.image(alpha=True)
        return np.asarray(image.getchannel("A") if image.mode == "RGBA" else image.convert("L"), np.uint8)

    def stored_upright(self) -> bool:
        """Return whether the stored picture is already upright.

        Raises BrokenMedia or TooLarge.
        """
        source = self.source if self.entry is None else BytesIO(self.data())
        with open_image(source, self.limits, name=self.name) as image:
            return _orientation(image) == 1

    def data(self) -> bytes:
        """Read the bytes of the picture file.

        Raises BrokenMedia if its zip entry is damaged.
        """
        if self.entry is None:
            return self.source.read_bytes()
        with open_picture(self.source, self.entry) as (_, file):
            return b"".join(read_chunks(file))


def list_pictures(paths: list[Path], *, limits: Limits | None = None, warn: Callable[[str], None] | None = None) -> list[Picture]:
    """List the pictures in picture files and zip files.

    Picture files keep the order of `paths`; entries of zip files are sorted by name. `warn` is called with a sentence for each zip file
    with other files in it. Raises NotFound, UnsupportedMedia, BrokenMedia or TooLarge for a path that is neither.
    """
    limits, pictures = limits or Limits.current(), list[Picture]()
    for path in paths:
        head = file_head(path, limits)
        if is_zip(head):
            contents = zip_contents(path, limits.max_bytes)
            pictures += [Picture(name=picture.name, source=path, entry=picture.name, limits=limits) for picture in contents.pictures]
            if warn is not None and (warning := contents.warning(path.name)) is not None:
                warn(warning)
        elif is_image(head):
            pictures.append(Picture(name=path.name, source=path, limits=limits))
        else:
            raise UnsupportedMedia(f"{path.name!r} is neither a picture in a supported format nor a zip file of pictures.")
    return pictures
