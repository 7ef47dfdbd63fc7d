"""Files of a running job: its folders, its published outputs and its log.

An attempt writes into a folder of its own; outputs are published only when it has succeeded.
"""
