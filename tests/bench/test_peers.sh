# bench/peers: the whole way with our program alone, which needs Python but no peer.
. "$SOURCE/tests/cli/lib.sh"

command -v python3 >/dev/null || skip "no python3"
peers="$SOURCE/bench/peers/peers.py"

# measure ARGUMENT...: one round each of our program
measure() {
    PYTHONDONTWRITEBYTECODE=1 expect 0 python3 "$peers" --program "$RESNET" --threads 1 --rounds 2 "$@"
}

expect 0 python3 "$peers" --list
holds out "^train-resnet-50-b32-fp32$"
expect 0 python3 "$peers" --list 'infer-*-b1-'
[ "$(wc -l <out)" -eq 2 ] || fail "not two rows: $(cat out)"
expect 1 python3 "$peers" --list nothing
holds err "no row is named so"
expect 2 python3 "$peers" --rounds 0

measure infer-resnet-20-b1- --contenders resnet --out a.json
holds out "^| infer-resnet-20-b1-fp32 | [0-9,.]* | [0-9,.]* | - |"
holds a.md "^| infer-resnet-20-b1-fp32 | resnet | [0-9,.]* | [0-9,.]* | "
sed '$d' out | cmp - a.md || fail "what is printed is not what is written"

# A second row goes on in the same file; the first is kept.
cp a.json before.json
measure 'infer-resnet-20-*' --contenders resnet --resume a.json
holds err "infer-resnet-20-b128-fp32"
grep -q "setting up.*b1-" err && fail "a row was measured twice"
python3 - <<'END' || fail "the results are not as they should be"
import json
before, after = json.load(open("before.json")), json.load(open("a.json"))
assert [row["name"] for row in after["rows"]] == ["infer-resnet-20-b1-fp32", "infer-resnet-20-b128-fp32"]
assert after["rows"][0] == before["rows"][0]
for row in after["rows"]:
    (ours,) = row["contenders"]
    assert len(ours["turns"]) == 2 and ours["flops"] > 0, ours
    assert all(0 < t["best"] <= t["median"] for t in ours["turns"])
    assert row["summary"]["best_peer"] is None and row["summary"]["ours"]["median"] > 0
END
expect 1 python3 "$peers" --program "$RESNET" --threads 2 --resume a.json infer-resnet-20-b128
holds err "threads was 1, is 2"

# A contender that fails is a missing cell with its reason; others go on.
cat >broken <<'END'
#!/bin/sh
case $* in
*--serve*) printf "resnet: error: no such luck\ntry 'resnet bench --help'\n" >&2 && exit 2 ;;
*) exec "$RESNET" "$@" ;;
esac
END
chmod +x broken
expect 0 python3 "$peers" --program ./broken --rounds 2 --contenders resnet infer-resnet-20-b1- --out b.json
holds b.md "^| infer-resnet-20-b1-fp32 | resnet | - | - | - | missing: resnet: error: no such luck |"

# Statistics, on numbers that can be checked by hand.
python3 -B - "$SOURCE/bench/peers" <<'END' || fail "the statistics are wrong"
import sys
sys.path.insert(0, sys.argv[1])
import machine, measure, table
def record(name, peer, times, loaded, peak):
    turns = [{"round": i, "best": b, "median": m} for i, (b, m) in enumerate(times)]
    return {"name": name, "peer": peer, "turns": turns, "loaded_bytes": loaded, "peak_bytes": peak}
row = {"name": "r", "batch": 4, "contenders": [
    {**record("resnet", False, [(1, 2), (1, 2), (1, 4)], 10, 110), "flops": 8e9},
    record("slow", True, [(4, 8), (4, 8), (4, 8)], 10, 60),
    record("fast", True, [(3, 4), (2, 4), (2, 3)], 10, 210),
    {"name": "none", "peer": True, "turns": [], "missing": "a|b"},
]}
s = table.summarise(row)
assert s["best_peer"] == "fast" and s["ratio_median"] == 2 and s["ratio_best"] == 2, s
assert s["ratio_rounds"] == [2, 2, 0.75] and s["gflops"] == 4, s
assert s["memory_ratio"] == 0.5 and s["memory_ratio_least"] == 2, s
assert "missing: a/b" in table.contender_line(row, row["contenders"][3])
lost = machine.lost_shares([0] * 8, [60, 0, 10, 20, 0, 0, 0, 10], 50)
assert lost == {"stolen": 0.1, "others": 0.2}, lost
assert measure.plan_turn([2.0]) == (1, 0) and measure.plan_turn([0.01]) == (50, 5)
assert [table.number(x) for x in (1234.5, 123.4, 12.34, 1.234, 0.01234, None)] == [
    "1,234", "123", "12.3", "1.23", "0.0123", "-"]
END
finish
