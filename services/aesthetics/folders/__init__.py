"""Jobs on folders of this machine, as PerfectFrameAI has them.

`extractions.py` serves `compat.py`; `folder_files.py` serves that and the command line.
"""
