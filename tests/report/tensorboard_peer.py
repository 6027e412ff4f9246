"""What TensorBoard reads of a run folder, against what the run's log.jsonl says.

tensorboard_peer.py FOLDER: exit status 0 and a line with the number of values, or a line that says
where they part.
"""
import json
import math
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def as_float32(value):
    return math.nan if value is None else struct.unpack("f", struct.pack("f", value))[0]


def expected(folder):
    """{tag: {step: value}}; of a step that was logged twice the later line counts."""
    curves = {}

    def put(tag, line, value):
        curves.setdefault(tag, {})[line["iteration"]] = as_float32(value)

    for line in map(json.loads, open(folder + "/log.jsonl")):
        if line["event"] == "step":
            put("train/loss", line, line["loss"])
            put("train/error", line, line["error"])
            for tag in ("lr", "images_per_second", "data_wait"):
                put(tag, line, line[tag])
        elif line["event"] == "evaluation":
            group = line["set"].split(" ")[0]
            put(group + "/loss", line, line["loss"])
            put(group + "/error", line, line["error"])
        elif line["event"] == "gradients":
            for kind, group in (("norms", "gradients"), ("weights", "weights")):
                for name, value in line[kind].items():
                    put(group + "/" + name, line, value)
    return curves


def main(folder):
    board = EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
    board.Reload()
    assert board.file_version == 2.0, board.file_version
    curves = expected(folder)
    tags = set(board.Tags()["scalars"])
    if tags != set(curves) | {"memory"}:
        sys.exit(f"tags differ: {sorted(tags ^ (set(curves) | {'memory'}))}")
    count = 0
    for tag, curve in curves.items():
        found = board.Scalars(tag)
        if [event.step for event in found] != sorted(curve):
            sys.exit(f"{tag}: steps {[e.step for e in found]}, the log has {sorted(curve)}")
        for event in found:
            if event.value != curve[event.step]:
                sys.exit(f"{tag} at {event.step}: {event.value}, the log has {curve[event.step]}")
            count += 1
    if not all(1e6 < event.value < 1e11 for event in board.Scalars("memory")):
        sys.exit("memory is not that of a process")
    text = board.Tensors("recipe/text_summary")[-1].tensor_proto.string_val[0].decode()
    plugin = board.SummaryMetadata("recipe/text_summary").plugin_data.plugin_name
    if plugin != "text" or '"weight_decay"' not in text:
        sys.exit(f"the recipe is not shown: plugin '{plugin}', text {text[:60]!r}")
    print(f"{len(curves)} curves, {count} values agree")


main(sys.argv[1])
