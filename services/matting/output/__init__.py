"""Output pictures and files made from a clip and its matte.

A matte becomes a video, a picture over a colour, or a foreground with alpha.
"""
