"""Work on other threads.

An ordered map over all cores, a queue between two threads, an iterator computed ahead.
"""
