"""A clip, or a part of it, written again with other pictures.

Times, sound and tags stay those of the source; sound is cut to the sample where a part begins.
"""
