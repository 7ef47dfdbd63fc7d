"""Effects service: motion trails and strobe.

Both draw copies of a moving subject: fading ghosts around it, or stamps at fixed intervals. Each operation is a module; the subpackages
hold their common parts (`scene`), motion trails (`trails`) and stamps (`stamping`).
"""
