"""The database of jobs: tables, ledger, history of ended jobs, and the queues of DBOS."""
