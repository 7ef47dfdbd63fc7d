"""A warm process that runs one job per request.

Libraries of other programs stay out of this process.
"""

import json
import subprocess
import sys

from benchmarks.turns import Cost

TIMER = """
import sys, time
def serve(work):
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        print([time.perf_counter() - wall, time.process_time() - cpu], file=answers, flush=True)
answers, sys.stdout = sys.stdout, sys.stderr
"""


class WarmProgram:
    """A Python process whose code ends with `serve(work)`.

    `arguments`: its sys.argv.
    """

    def __init__(self, code: str, *arguments: object):
        command = [sys.executable, "-c", TIMER + code, *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self) -> Cost:
        """Run one job and return its cost."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return Cost(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()
