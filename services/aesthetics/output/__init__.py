"""Files that the operations write: chosen pictures, contact sheet, score table.

Pictures are written as they are chosen, so none is held.
"""
