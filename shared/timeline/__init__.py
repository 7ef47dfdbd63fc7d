"""The timeline of shots, as modules of a web page: the gallery of keyframes and the studio use the same ones."""
