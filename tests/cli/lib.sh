# Helpers of the program's tests; sourced: . "$SOURCE/tests/cli/lib.sh"
set -u

failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

finish() {
    [ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
    exit 0
}

skip() {
    echo "skipped: $*"
    exit 77
}

# expect STATUS COMMAND...: run; the exit status must be STATUS. Leaves ./out and ./err.
expect() {
    wanted=$1
    shift
    "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$wanted" ] || {
        fail "exit status $got instead of $wanted: $*"
        head -5 err
    }
}

# usage_error PATTERN ARGUMENT...: exit 2, one error line that matches, and where to look.
usage_error() {
    pattern=$1
    shift
    expect 2 "$RESNET" "$@"
    [ "$(wc -l <err)" -eq 2 ] || fail "not one error line and one hint: $*: $(cat err)"
    sed -n 1p err | grep -q "^resnet: error: .*$pattern" ||
        fail "'$pattern' is not said: $*: $(sed -n 1p err)"
    sed -n 2p err | grep -q "^try 'resnet.* --help'$" || fail "no hint: $*"
    [ ! -s out ] || fail "something on standard output: $*"
}

# failure PATTERN ARGUMENT...: exit 1, exactly one error line that matches.
failure() {
    pattern=$1
    shift
    expect 1 "$RESNET" "$@"
    [ "$(wc -l <err)" -eq 1 ] || fail "not one error line: $*: $(cat err)"
    grep -q "^resnet: error: .*$pattern" err || fail "'$pattern' is not said: $*: $(cat err)"
}

# holds FILE PATTERN
holds() {
    grep -q -e "$2" "$1" || fail "'$2' is not in $1"
}

# The smallest training there is: a second, some steps.
tiny_data=shapes:train=256,test=64
tiny="--data $tiny_data --batch 16 --lr 0.01 --schedule constant --threads 1"

# Set $random to a number below $1, from a sequence that $seed decides.
draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    random=$((seed / 65536 % $1))
}

# tiny_target ITERATIONS: write ./tiny.json, for `resnet reproduce`; of its claims one holds.
tiny_target() {
    cat >tiny.json <<END
{"name": "tiny", "title": "Two small networks", "paper": "none",
 "source": "shapes:train=128,test=32", "recipe": "shapes",
 "settings": {"iterations": $1, "batch": 16}, "evaluations": 3,
 "runs": [{"model": "plain-8", "paper": {"test_error": 50}}, {"model": "resnet-8"}],
 "claims": [
  {"text": "never", "metric": "test_error", "of": "resnet-8", "above": 101, "margin": 0.5},
  {"text": "always", "metric": "test_error", "of": "resnet-8", "below": 101, "margin": 0.5}],
 "scale": [{"of": "iterations", "least": 0.1}]}
END
}
