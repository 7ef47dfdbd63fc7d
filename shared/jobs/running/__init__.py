"""Execution of jobs in this process.

Queues, progress, takeover of dead processes, results of equal jobs.
"""
