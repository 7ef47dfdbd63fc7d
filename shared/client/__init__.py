"""The Python client of a suite, sync and async.

Uploads are resumable, and jobs are followed.
"""

from shared.client.arguments import OperationName
from shared.client.asynchronous import AsyncReelwright, AsyncRun
from shared.client.errors import JobCanceled, JobFailed, Refused, Unreachable
from shared.client.synchronous import Reelwright, Run

__all__ = ["AsyncReelwright", "AsyncRun", "JobCanceled", "JobFailed", "OperationName", "Reelwright", "Refused", "Run", "Unreachable"]
