"""The database of jobs.

Tables, ledger, history of ended jobs, and the queues of DBOS.
"""
