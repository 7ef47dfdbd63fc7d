"""Jobs on folders of this machine, as in PerfectFrameAI.

`extractions.py` runs them for `compat.py`. `folder_files.py` reads and writes the folders, also for `commands.py`.
"""
