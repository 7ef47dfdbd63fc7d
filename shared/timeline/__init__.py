"""The timeline of shots: JavaScript modules for web pages.

The gallery of keyframes and the studio use the same modules.
"""
