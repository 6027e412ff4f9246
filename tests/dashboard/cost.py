#!/usr/bin/env python3
"""What a watched training spends on being watched.

    cost.py PID URL SECONDS

Ask for what the page asks for, as often as it does, and print the processor seconds that the threads of
the server have taken, those of the whole process, and the time for which this ran.
"""
import glob
import json
import os
import sys
import time
import urllib.parse
import urllib.request

EVERY = 2.0  # seconds, as in page.js
SHOWN = 4    # runs whose curves are drawn


def ask(url, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{url}{path}?{query}", timeout=30) as answer:
        return json.load(answer)


def processor_seconds(pid):
    """Of the server's threads and of all."""
    server = total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        with open(path, encoding="ascii", errors="replace") as file:
            name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        taken = sum(map(int, rest.split()[11:13]))
        total += taken
        server += taken if name.startswith("MHD") else 0
    ticks = os.sysconf("SC_CLK_TCK")
    return server / ticks, total / ticks


def main():
    pid, url, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    before, start, version, known = processor_seconds(pid), time.monotonic(), None, {}
    while time.monotonic() < start + seconds:
        answer = ask(url, "api/runs", **({"since": version} if version else {}))
        if not answer.get("unchanged"):
            version, runs = answer["version"], answer["runs"]
            for run in sorted(runs, key=lambda run: -run["modified"])[:SHOWN]:
                if known.get(run["name"]) != run["version"]:
                    known[run["name"]] = run["version"]
                    ask(url, "api/run", name=run["name"], quantity="error")
            ask(url, "api/samples", name=max(runs, key=lambda run: run["modified"])["name"])
        time.sleep(EVERY)
    after = processor_seconds(pid)
    print(f"{after[0] - before[0]:.2f} {after[1] - before[1]:.2f} {time.monotonic() - start:.1f}")


main()
