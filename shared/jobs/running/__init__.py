"""Running of jobs by this process.

Queues, progress, takeover of dead processes, results of equal jobs.
"""
