"""What a peer's script measures of itself: time and CPU while it requests, and its peak memory."""

import contextlib
import json
import resource
import time


@contextlib.contextmanager
def measured(calls):
    """Prints the row of what happens inside; `calls` and `failed` may be set on the yielded dictionary."""
    row = {"calls": calls, "failed": 0}
    cpu, began = time.process_time(), time.monotonic()
    yield row
    row["seconds"] = time.monotonic() - began
    row["cpu"] = time.process_time() - cpu
    row["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(row), flush=True)


def bodies(path):
    with open(path) as file:
        return [json.loads(line) for line in file]
