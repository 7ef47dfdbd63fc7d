"""Output size, frame rate, pixel format and file format.

`media.transcode` uses it, as do the other operations of this service.
"""
