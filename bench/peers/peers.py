"""Measure our program beside its peers, in turn, and write what came out: bench/README.md."""

import argparse
import json
import os
import signal
import sys
import tempfile

import machine
import measure
import rows
import table
from contender_process import Starter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__)
    add = parser.add_argument
    add("patterns", nargs="*", metavar="ROW-PATTERN", help="rows whose name holds it; * and ? as in a shell")
    add("--list", action="store_true", help="list the rows and end")
    add("--rounds", type=int, default=10, metavar="N", help="turns of each contender (default: 10)")
    add("--threads", type=int, default=0, metavar="N", help="of each contender (default: all cores)")
    add("--contenders", default="", metavar="A,B", help="only these; * and ? as in a shell")
    add("--out", metavar="FILE", help="JSON file; .md beside it (default: docs/results/peers-CPU-DATE.json)")
    add("--resume", metavar="FILE", help="go on with this JSON file: rows that it holds are kept")
    add("--program", default=os.path.join(ROOT, "build/release/resnet"), help="ours")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.threads < 0:
        parser.error("expected at least one round, and no negative number of threads")
    if arguments.out and arguments.resume:
        parser.error("--out and --resume exclude each other")
    return arguments


def write_file(path, text):
    """All or nothing."""
    temporary = f"{path}.new"
    with open(temporary, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def save(path, results):
    for row in results["rows"]:
        row["summary"] = table.summarise(row)
    write_file(path, json.dumps(results, indent=1) + "\n")
    write_file(os.path.splitext(path)[0] + ".md", table.render(results))


def begin(arguments, described):
    """The results so far and their path."""
    if not arguments.resume:
        name = f"peers-{machine.short_name(described)}-{described['date']}.json"
        path = arguments.out or os.path.join(ROOT, "docs/results", name)
        return path, {"machine": described, "rows": []}
    with open(arguments.resume) as file:
        results = json.load(file)
    for key in ("processor", "threads", "commit", "peers", "resnet_isa"):
        if results["machine"][key] != described[key]:
            raise SystemExit(
                f"{arguments.resume}: {key} was {results['machine'][key]}, is {described[key]}"
            )
    return arguments.resume, results


def report(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def run(arguments, chosen):
    threads = arguments.threads or len(os.sched_getaffinity(0))
    path, results = begin(arguments, machine.describe(ROOT, threads))
    done = {row["name"] for row in results["rows"]}
    patterns = [p for p in arguments.contenders.split(",") if p]
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        starter = Starter(arguments.program, threads, folder)
        for row in chosen:
            if row.name in done:
                continue
            report(f"== {row.name}")
            contenders = rows.contenders(row, patterns)
            results["rows"].append(
                measure.measure_row(row, contenders, starter, arguments.rounds, report)
            )
            save(path, results)
            report(table.summary_line(results["rows"][-1]))
    print(table.render(results))
    report(f"written: {path}")


def main():
    arguments = parse_arguments()
    bf16 = machine.has_bf16() or any("bf16" in pattern for pattern in arguments.patterns)
    chosen = rows.choose(rows.all_rows(bf16), arguments.patterns)
    if not chosen:
        raise SystemExit("no row is named so; --list lists them")
    if arguments.list:
        print("\n".join(row.name for row in chosen))
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        run(arguments, chosen)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
