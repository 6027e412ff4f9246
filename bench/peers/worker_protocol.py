"""The worker's end of the pipe: the protocol of `resnet bench --serve`.

A worker says in a line of JSON that it is set up and warm, or {"error": reason}. Each line on its
standard input, a number of steps, is answered with their times: {"seconds": [...]}.
"""

import json
import os
import sys
import time

WARM_UP = 3


def resident_bytes():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def take_stdout():
    """The pipe for answers; what libraries print goes to standard error instead."""
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return pipe


def send(pipe, message):
    pipe.write(json.dumps(message) + "\n")
    pipe.flush()


def reason(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


def time_steps(step, count):
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        seconds.append(float(f"{time.perf_counter() - start:.6g}"))
    return seconds


def serve(setup):
    """setup(task) returns a step to call and what is to be told of it.

    Called when the libraries are loaded: the memory in use now is theirs.
    """
    pipe = take_stdout()
    loaded = resident_bytes()
    try:
        step, told = setup(json.loads(sys.argv[1]))
        for _ in range(WARM_UP):
            step()
    except Exception as error:
        send(pipe, {"error": reason(error)})
        raise
    send(pipe, {"loaded_bytes": loaded, **told})
    for line in sys.stdin:
        send(pipe, {"seconds": time_steps(step, int(line))})
