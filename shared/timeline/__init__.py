"""The timeline of shots, as modules of a web page.

The gallery of keyframes and the studio use the same modules.
"""
