#!/usr/bin/env python3
"""Write run folders for tests of the dashboard.

    make_runs.py FOLDER COUNT EPOCHS [STEPS_PER_EPOCH]

COUNT runs of EPOCHS epochs each, an evaluation an epoch, with names that are hostile to a page that
would take them for markup. Numbers come from a fixed seed.
"""
import json
import math
import os
import random
import sys


def line(event, **members):
    return json.dumps({"event": event, **members}, separators=(",", ":")) + "\n"


def log(model, epochs, steps, draw, ended):
    total, every, speed = epochs * steps * 50, 50, 900 + 200 * draw.random()
    floor = 5 + 5 * draw.random()
    yield line("start", time="2026-11-20T08:00:00Z", iteration=0, iterations=total, epoch=0, seconds=0.1, text=model)
    for epoch in range(1, epochs + 1):
        share = epoch / epochs
        error = floor + 85 * math.exp(-8 * share)
        for step in range(1, steps + 1):
            done = ((epoch - 1) * steps + step) * every
            noisy = max(0.0, error - 2 + draw.gauss(0, 2))
            yield line("step", iteration=done, iterations=total, epoch=epoch - 1 + step / steps,
                       seconds=done * 128 / speed, loss=noisy / 40, error=noisy,
                       lr=0.1 * (1 + math.cos(math.pi * share)) / 2, images_per_second=speed + draw.gauss(0, 20),
                       data_wait=0.01 * draw.random(), eta=(total - done) * 128 / speed,
                       memory=612345678 + 1000 * step, memory_peak=712345678)
        test = error + draw.gauss(0, 0.4)
        yield line("evaluation", iteration=epoch * steps * every, iterations=total, epoch=epoch,
                   seconds=epoch * steps * every * 128 / speed, loss=test / 35, error=test, set="test", count=10000,
                   wrong=round(100 * test))
    if ended:
        yield line("end", time="2026-11-20T12:00:00Z", iteration=total, iterations=total, epoch=epochs,
                   seconds=total * 128 / speed, status="success", text="")


def main():
    folder, count, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else 8
    draw = random.Random(1)
    for i in range(count):
        name = f"resnet-{20 + i % 5 * 12}-s{i}"
        if i % 50 == 7:
            name = f"<img src=x onerror=alert({i})>&amp;"
        run = os.path.join(folder, name)
        os.makedirs(run, exist_ok=True)
        with open(os.path.join(run, "log.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(log(f"resnet-{20 + i % 5 * 12}", epochs, steps, draw, i % 9 != 0))


main()
