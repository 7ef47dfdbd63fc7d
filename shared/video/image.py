"""Still images, on their own or in a zip file: opened with the same care as video."""

import os
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from shared.errors import BrokenMedia, TooLarge, UnsupportedMedia
from shared.media.picture_zip import open_picture, picture_entries, read_chunks
from shared.media.types import IMAGES, PICTURES, FileType, is_image, is_zip
from shared.video.info import ImageInfo, PicturesInfo
from shared.video.limits import Limits
from shared.video.reading.open_input import file_head

Source = str | os.PathLike[str] | BytesIO
# Exif's orientation: what makes the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# JPEG files with further pictures behind the first, as many phones write them; Pillow has a name of its own for these.
_FORMATS = {"MPO": "JPEG"}
_IMAGE_ERRORS = (PIL.UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)


def image_info(path: str | os.PathLike[str], limits: Limits) -> tuple[ImageInfo, FileType]:
    """What a still image holds; it is decoded. Raises BrokenMedia or TooLarge."""
    with opened_image(path, limits) as image:
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


def opened_image(file: Source, limits: Limits, *, name: str | None = None) -> Image.Image:
    """A still image, decoded. `name`: what messages call it, where `file` has none. Raises BrokenMedia or TooLarge."""
    name = name or ("the image" if isinstance(file, BytesIO) else Path(file).name)
    # What is wrong is said by an error; the library's hints about it are not for the user.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(file, formats=list(IMAGES))
        except Image.DecompressionBombError as error:
            raise TooLarge(f"{name!r} is refused: {error} At most {limits.max_pixels} pixels are taken.") from error
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


def upright_image(file: Source, limits: Limits, *, name: str | None = None, alpha: bool = False) -> Image.Image:
    """A still image, `upright_rgb`. Raises as `opened_image`."""
    with opened_image(file, limits, name=name) as image:
        return upright_rgb(image, alpha=alpha)


def upright_rgb(image: Image.Image, *, alpha: bool = False) -> Image.Image:
    """An open image as RGB, 8 bits per channel, turned as its Exif orientation says; what is transparent lies on white.

    16 bits of grey become 8; whole and real numbers, which have no white of their own, are stretched from the least to the greatest.
    `alpha`: transparency is kept, and the result is RGBA where there is any.
    """
    turn = _UPRIGHT.get(_orientation(image))
    seen = _eight_bits(image).convert("RGBA" if image.has_transparency_data else "RGB")
    if seen.mode == "RGBA" and not alpha:
        seen = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    for told in ("exif", "xmp"):  # of the picture as it was turned before
        seen.info.pop(told, None)
    return seen if turn is None else seen.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """Exif's orientation, 1 to 8."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = image.getexif().get(0x0112, 1)
        except Exception:  # whatever damaged Exif data makes its reader stumble over: the picture is none the worse
            return 1
    return found if found in _UPRIGHT else 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture with 8 bits per channel: by itself, Pillow cuts off what is brighter than 255."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.nan_to_num(np.asarray(image, np.float32))
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    return Image.fromarray(((values - low) * (255 / max(high - low, 1e-9)) + 0.5).astype(np.uint8))


def pictures_info(path: str | os.PathLike[str], limits: Limits) -> tuple[PicturesInfo, FileType]:
    """What a zip file of pictures holds. Raises what `entries` raises."""
    found = picture_entries(path, limits.max_bytes)
    return PicturesInfo(pictures=len(found), unpacked_bytes=sum(entry.file_size for entry, _ in found)), PICTURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture file, on its own or out of a zip file. `name`: as it was given, or as it is called in the zip file."""

    name: str
    source: Path
    entry: str | None = None

    def image(self, limits: Limits | None = None, *, alpha: bool = False) -> Image.Image:
        """The picture, `upright_rgb`. Raises BrokenMedia or TooLarge."""
        limits = limits or Limits.in_force()
        return upright_image(self.source if self.entry is None else BytesIO(self.data()), limits, name=self.name, alpha=alpha)

    def matte(self, limits: Limits | None = None) -> NDArray[np.uint8]:
        """Read how opaque each pixel is, (height, width) uint8 from 0 to 255.

        The picture's transparency where it has any, else its brightness. Raises BrokenMedia or TooLarge.
        """
        image = self.image(limits, alpha=True)
        return np.asarray(image.getchannel("A") if image.mode == "RGBA" else image.convert("L"), np.uint8)

    def stored_upright(self, limits: Limits | None = None) -> bool:
        """Whether it is stored as it is seen, and not to be turned. Raises BrokenMedia or TooLarge."""
        source = self.source if self.entry is None else BytesIO(self.data())
        with opened_image(source, limits or Limits.in_force(), name=self.name) as image:
            return _orientation(image) == 1

    def data(self) -> bytes:
        """The picture file as it is. Raises BrokenMedia where the zip file is damaged there."""
        if self.entry is None:
            return self.source.read_bytes()
        with open_picture(self.source, self.entry) as (_, file):
            return b"".join(read_chunks(file))


def list_pictures(paths: list[Path]) -> list[Picture]:
    """The pictures that `paths` are or, where one is a zip file, hold: in the order given, those of a zip file by name.

    Raises NotFound, UnsupportedMedia, BrokenMedia or TooLarge for a path that is neither.
    """
    limits, found = Limits.in_force(), list[Picture]()
    for path in paths:
        head = file_head(path, limits)
        if is_zip(head):
            found += [
                Picture(name=entry.filename, source=path, entry=entry.filename) for entry, _ in picture_entries(path, limits.max_bytes)
            ]
        elif is_image(head):
            found.append(Picture(name=path.name, source=path))
        else:
            raise UnsupportedMedia(f"{path.name!r} is neither a picture nor a zip file of pictures.")
    return found
