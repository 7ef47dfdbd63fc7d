"""Threads: bounded queues, prefetching and parallel maps.

An ordered map over all cores, a queue between two threads, an iterator computed ahead.
"""
