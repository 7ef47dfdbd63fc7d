"""Running of jobs by this process: queues, progress, takeover of dead processes, results of equal jobs."""
