# bench: ops beside the machine's limits, as a table, as JSON and as a trace.
. "$SOURCE/tests/cli/lib.sh"

bench="bench resnet-8 --batch 4 --threads 1 --steps 3"

# shellcheck disable=SC2086 # options are words
{
    # Short unless more is asked for.
    expect 0 "$RESNET" $bench
    [ "$(wc -l <out)" -le 16 ] || fail "the result has $(wc -l <out) lines"
    holds out "machine at best, [0-9.]* GFLOP/s avx2 (one thread [0-9.]*).*; memory [0-9.]*.* GB/s"
    holds out "the step reaches [0-9.]*% of these GFLOP/s; .* [0-9]*% of the median"
    holds out "at most .* in use, at .* (.*)"
    RESNET_ISA=avx2 expect 0 "$RESNET" $bench
    grep -q avx512 out && fail "RESNET_ISA does not lower what is measured"

    # Like ops share a line, and all are there with --ops all.
    expect 0 "$RESNET" $bench --ops group
    holds out "^first  *op  *implementation  *output  *times  *best  *share"
    holds out "^layer1.0.conv2  *conv backward data .* 4x16x32x32  *2  "
    holds out "^parameters  *update "
    holds out "^all  .* 100.0%$"
    grep -q " $" out && fail "blanks at a line's end"
    grouped=$(wc -l <out)
    expect 0 "$RESNET" $bench --ops all
    [ "$(wc -l <out)" -gt "$grouped" ] || fail "groups have as many lines as all ops"
    holds out "^layer1.0.conv2  *conv backward data  "
    holds out "^layer1.0.conv2  *[a-z +]*conv  "
    expect 0 "$RESNET" $bench --ops all --inference --engine ref
    grep -q -e backward -e update out && fail "backward ops in inference"

    expect 0 "$RESNET" $bench --json --trace training.trace
    cp out training.json
    expect 0 "$RESNET" $bench --json --trace inference.trace --inference
    cp out inference.json
    holds training.json '"loaded_bytes":[[:space:]]*[1-9]'
    expect 0 "$RESNET" $bench --trace training.trace # an old one is replaced
    for file in *; do
        case $file in
        *trace | *json | *out* | *err*) ;;
        *) fail "'$file' is left" ;;
        esac
    done

    # Said before anything is measured.
    failure "cannot write 'none/step.json': No such file" $bench --trace none/step.json
    failure "cannot write 'out/step.json': Not a directory" $bench --trace out/step.json
    mkdir folder
    failure "cannot write 'folder': not a regular file" $bench --trace folder
    for name in a.safetensors a.th b.ONNX; do
        usage_error "found model file '$name'" $bench --trace $name
    done
    usage_error "option '--ops' expects one of group|all, found 'some'" $bench --ops some
}

if ! command -v python3 >/dev/null; then
    echo "without python3: JSON and traces not checked"
    finish
fi
cat >check.py <<'END'
import json, sys

def near(a, b, share):
    return abs(a - b) <= share * abs(b)

for mode in "training", "inference":
    training = mode == "training"
    result = json.load(open(mode + ".json"))
    ops, peaks = result["ops"], result["peaks"]
    assert peaks["gflops"] > 0 and peaks["memory_gb_per_second"] > 0
    assert peaks["instructions"][0]["name"] == "avx2"
    assert near(sum(op["share_percent"] for op in ops), 100, 1e-6)
    best = sum(op["best_seconds"] for op in ops)
    assert 0 < best <= result["step"]["best_seconds"] * 1.001
    assert best >= result["step"]["best_seconds"] * 0.2  # other programs disturb
    assert all(op["mean_seconds"] >= op["best_seconds"] for op in ops)
    plain = [op for op in ops if op["op"] != "update"]
    assert len(ops) - len(plain) == training
    assert near(sum(op["flops"] for op in plain), result["flops"], 1e-9)
    assert near(sum(op["limit_seconds"] for op in ops), result["limit_seconds"], 1e-6)
    for op in ops:
        compute = op["flops"] / peaks["gflops"] / 1e9
        memory = op["bytes"] / peaks["memory_gb_per_second"] / 1e9
        assert near(op["limit_seconds"], max(compute, memory), 1e-6)
        assert op["limit"] == ("memory" if memory > compute else "compute")
        assert near(op["limit_percent"], 100 * op["limit_seconds"] / op["best_seconds"], 1e-6)
    alive = max(ops, key=lambda op: op["alive_bytes"])
    assert alive["alive_bytes"] == result["alive_peak_bytes"] <= result["arena_bytes"]
    assert (alive["name"], alive["op"]) == (result["alive_peak_name"], result["alive_peak_op"])
    assert result["loaded_bytes"] < result["peak_bytes"]

    trace = json.load(open(mode + ".trace"))["traceEvents"]
    spans = [e for e in trace if e["ph"] == "X" and e["cat"] != "step"]
    lists = [e["name"] for e in trace if e["ph"] == "X" and e["cat"] == "step"]
    counters = [e for e in trace if e["ph"] == "C"]
    assert lists == (["forward", "backward"] if training else ["forward"])
    assert len(spans) == len(counters) == len(ops)
    assert [e["args"]["layer"] for e in spans] == [op["name"] for op in ops]
    assert [e["args"]["bytes"] for e in counters] == [op["alive_bytes"] for op in ops]
    for before, after in zip(spans, spans[1:]):
        assert after["ts"] >= before["ts"] + before["dur"] - 0.01
    assert spans[0]["ts"] == 0 and all(e["dur"] > 0 for e in spans)
    if not training:  # the trace of training was replaced
        assert near(sum(e["dur"] for e in spans) / 1e6, result["step"]["best_seconds"], 0.1)
    assert all(e["args"]["implementation"] and "x" in e["args"]["shape"] for e in spans)
END
python3 check.py || fail "JSON or trace is inconsistent"
finish
