"""One row: contenders set up one after the other, then rounds in which each has its turn."""

import statistics

import machine
from worker_client import WorkerError

TURN_TARGET = 0.5  # seconds of a turn
LONG_STEP = 0.5  # seconds; from here on a cold cache is nothing beside the step
MOST_STEPS = 5000
KEEP_STEPS = 20  # turns of more steps keep their best, median and mean only


class Entry:
    """A contender in its row: its process, and what was recorded of it."""

    def __init__(self, contender):
        self.contender = contender
        self.worker = None
        self.steps = self.settle = 0
        self.record = {"name": contender.name, "peer": contender.is_peer, "turns": []}

    @property
    def running(self):
        return self.worker is not None

    def close(self):
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def fail(self, why):
        """A cell that is missing, with its reason."""
        self.close()
        self.record["missing"] = str(why)


def plan_turn(seconds):
    """Steps of a turn, and steps before them that warm the caches anew."""
    typical = statistics.median(seconds)
    if typical >= LONG_STEP:
        return 1, 0
    steps = min(max(round(TURN_TARGET / typical), 1), MOST_STEPS)
    return steps, max(1, steps // 10)


def set_up(entry, row, starter):
    entry.worker = starter.start(row, entry.contender)
    told = entry.worker.wait_ready()
    starter.check_network(row, told)
    entry.record.update(told)
    entry.steps, entry.settle = plan_turn(entry.worker.ask(3)[1:])
    entry.record["peak_with_setup_bytes"] = entry.worker.memory("VmHWM")
    entry.record["peak_is_of_steps"] = entry.worker.forget_peak()


def take_turn(entry, number, place):
    seconds = entry.worker.ask(entry.settle + entry.steps)[entry.settle :]
    turn = {
        "round": number,
        "place": place,
        "steps": len(seconds),
        "best": min(seconds),
        "median": statistics.median(seconds),
        "mean": statistics.fmean(seconds),
    }
    if len(seconds) <= KEEP_STEPS:
        turn["seconds"] = seconds
    entry.record["turns"].append(turn)


def finish(entry):
    """Peak memory, and the process ends."""
    if entry.running:
        entry.record["peak_bytes"] = entry.worker.memory("VmHWM")
        entry.close()


def attempt(entry, action, *arguments):
    try:
        action(entry, *arguments)
    except WorkerError as error:
        entry.fail(error)


def run_rounds(entries, rounds, report):
    for number in range(rounds):
        first = number % len(entries)
        for place, entry in enumerate(entries[first:] + entries[:first]):
            if entry.running:
                attempt(entry, take_turn, number, place)
        report(f"round {number + 1} of {rounds}")


def used_ticks(entries):
    return sum(entry.worker.processor_ticks() for entry in entries if entry.running)


def watched_rounds(entries, rounds, report):
    """Run the rounds; the shares of processor time that others had meanwhile."""
    before, used = machine.processor_times(), used_ticks(entries)
    run_rounds(entries, rounds, report)
    return machine.lost_shares(before, machine.processor_times(), used_ticks(entries) - used)


def measure_row(row, contenders, starter, rounds, report):
    """The row's record: everything that was measured, or why it was not."""
    entries = [Entry(contender) for contender in contenders]
    try:
        for entry in entries:
            report(f"setting up {entry.contender.name}")
            attempt(entry, set_up, row, starter)
        lost = watched_rounds(entries, rounds, report)
        for entry in entries:
            finish(entry)
    finally:
        for entry in entries:
            entry.close()
    return {
        **row.task(starter.threads),
        "name": row.name,
        "spec": row.spec,
        "rounds": rounds,
        "lost_shares": lost,
        "contenders": [entry.record for entry in entries],
    }
