"""Jobs on folders of the server, as in PerfectFrameAI.

`extractions.py` runs them for `compat.py`. `folder_files.py` reads and writes the folders, also for `commands.py`.
"""
