"""Re-encoding of a clip, or a part of it, with new pictures.

Times, sound and tags are those of the source; the sound of a part is cut to the sample.
"""
