"""Numbers for people: statistics of rows, and the Markdown table."""

import statistics

MIB = 1 << 20
LITTLE = 0.02


def rate(record, batch, which):
    """Images a second: "best" step of all, or the median of the turns' medians."""
    if which == "best":
        return batch / min(turn["best"] for turn in record["turns"])
    return batch / statistics.median(turn["median"] for turn in record["turns"])


def step_memory(record):
    """Peak memory of a step above that of the loaded libraries; None if unknown."""
    if not record.get("peak_bytes") or not record.get("loaded_bytes"):
        return None
    return record["peak_bytes"] - record["loaded_bytes"]


def measured(row):
    return [r for r in row["contenders"] if "missing" not in r and r["turns"]]


def ours_of(row):
    return next((r for r in measured(row) if not r["peer"]), None)


def best_peer(row):
    """The peer with the highest median rate; None without any."""
    peers = [r for r in measured(row) if r["peer"]]
    return max(peers, key=lambda r: rate(r, row["batch"], "median"), default=None)


def paired_ratios(ours, peer):
    """Peer's time over ours, round by round."""
    theirs = {turn["round"]: turn["median"] for turn in peer["turns"]}
    return [theirs[t["round"]] / t["median"] for t in ours["turns"] if t["round"] in theirs]


def ratio(a, b):
    return a / b if a is not None and b else None


def summarise(row):
    """The row's results; None where a side is missing."""
    ours, peer, batch = ours_of(row), best_peer(row), row["batch"]
    result = {"best_peer": peer["name"] if peer else None}
    if ours:
        result["ours"] = {which: rate(ours, batch, which) for which in ("best", "median")}
        result["ours"]["memory_bytes"] = step_memory(ours)
        if ours["flops"]:
            result["gflops"] = ours["flops"] / batch * result["ours"]["median"] / 1e9
    if ours and peer:
        for which in ("best", "median"):
            result[f"ratio_{which}"] = result["ours"][which] / rate(peer, batch, which)
        result["ratio_rounds"] = paired_ratios(ours, peer)
        peers = [step_memory(r) for r in measured(row) if r["peer"] and step_memory(r)]
        result["memory_ratio"] = ratio(step_memory(ours), step_memory(peer))
        result["memory_ratio_least"] = ratio(step_memory(ours), min(peers, default=None))
    return result


def number(value, digits=3):
    """Three significant digits, none of them lost before the point."""
    if value is None:
        return "-"
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def line(*cells):
    return "| " + " | ".join(cells) + " |"


def summary_line(row):
    s = summarise(row)
    ours = s.get("ours", {})
    rounds = s.get("ratio_rounds") or [None]
    spread = f"{number(min(rounds))} to {number(max(rounds))}" if rounds[0] else "-"
    return line(
        row["name"], number(ours.get("best")), number(ours.get("median")), s["best_peer"] or "-",
        number(s.get("ratio_median")), number(s.get("ratio_best")), spread, number(s.get("gflops")),
        number(s.get("memory_ratio")), number(s.get("memory_ratio_least")),
    )  # fmt: skip


def contender_line(row, record):
    if "missing" in record or not record["turns"]:
        why = record.get("missing", "no turn was finished").replace("|", "/")
        return line(row["name"], record["name"], "-", "-", "-", f"missing: {why}")
    memory = step_memory(record)
    return line(
        row["name"], record["name"], number(rate(record, row["batch"], "best")),
        number(rate(record, row["batch"], "median")), number(memory and memory / MIB), "",
    )  # fmt: skip


def describe_machine(m):
    family, model, stepping = m["family_model_stepping"]
    isa = f"; `RESNET_ISA={m['resnet_isa']}`" if m["resnet_isa"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in m["peers"].items())
    return [
        f"- {m['processor']} (family {family}, model {model}, stepping {stepping}), {m['cores']} cores,"
        f" {m['threads']} threads; {', '.join(m['flags'])}{isa}",
        f"- {m['memory_bytes'] / (1 << 30):.1f} GiB of memory, Linux {m['kernel']}, {m['compiler']}",
        f"- {versions or 'no peers'}; Python {m['python']}",
        f"- commit {m['commit']}, {m['date']}",
    ]


HEAD = """Training: forward, loss, backward, SGD with momentum and weight decay. Inference: forward with running
statistics. Loading: photographs read, decoded, cut by random area, mirrored, normalised. Rates are images a second, the best step and the median of the rounds' medians. Ratios are ours
over the best peer (by median): above 1 we are faster; "rounds" is the least and the greatest of any single
round. GFLOP/s count a direct convolution's operations. Memory is a step's peak above the loaded libraries,
ours over the best peer's and over the leanest peer's: below 1 we need less."""
SUMMARY = ("row", "best", "median", "best peer", "ratio", "of bests", "rounds", "GFLOP/s", "memory", "leanest")
DETAILS = ("row", "contender", "best", "median", "memory, MiB", "")


def head(titles, texts):
    return [line(*titles), line(*["---" if t in texts else "---:" for t in titles])]


def disturbances(rows):
    """Of each row that others had more than a little of the processors' time."""
    lines = []
    for row in rows:
        stolen, others = row["lost_shares"]["stolen"] or 0, row["lost_shares"]["others"] or 0
        if stolen + others > LITTLE:
            lines.append(
                f"- disturbed: {row['name']}: {100 * others:.1f} % of the processors' time went to other"
                f" processes, {100 * stolen:.1f} % to other virtual machines"
            )
    return lines or [f"Others had less than {100 * LITTLE:.0f} % of the processors' time in each row."]


def render(results):
    """The whole Markdown file."""
    rows = results["rows"]
    parts = ["# Beside the peers", "", *describe_machine(results["machine"]), "", HEAD, ""]
    parts += head(SUMMARY, ("row", "best peer")) + [summary_line(row) for row in rows]
    parts += ["", "Each contender:", ""] + head(DETAILS, ("row", "contender", ""))
    parts += [contender_line(row, record) for row in rows for record in row["contenders"]]
    parts += ["", *disturbances(rows)]
    return "\n".join(parts) + "\n"
