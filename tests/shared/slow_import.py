"""A module that is slow to import."""

import time

time.sleep(2)
