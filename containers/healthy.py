"""Exit with 0 if the server of this container is ready (`GET /ready`).

Standard library only: it runs every few seconds.
"""

import http.client
import os
import sys


def main() -> int:
    """Ask the server, and print its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("REELWRIGHT_PORT", "8080")), timeout=8)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        print(answer.read(2000).decode(errors="replace"))
        return 0 if answer.status == 200 else 1
    except OSError as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
