"""Work on other threads: an ordered map over all cores, a queue between two threads, an iterator computed ahead."""
