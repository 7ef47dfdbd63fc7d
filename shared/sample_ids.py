"""Ids of the sample media that every installation has."""

from shared.operation import Sample

SAMPLE_ID, SAMPLE_PICTURE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID = (f"{number:026}" for number in range(4))
SAMPLES = {
    Sample.CLIP: SAMPLE_ID,
    Sample.PICTURE: SAMPLE_PICTURE_ID,
    Sample.MATTE: SAMPLE_MATTE_ID,
    Sample.PLATE: SAMPLE_PLATE_ID,
}
"""Kind of sample -> media id, the same in every installation."""
