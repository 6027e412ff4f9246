# `resnet dashboard` and `resnet train --dashboard`: ports, addresses, tokens, and no trace in results.
. "$SOURCE/tests/cli/lib.sh"

usage_error "expected a token" dashboard . --bind 0.0.0.0
usage_error "expected a token" train resnet-8 --dashboard --dashboard-bind :: --out never
usage_error "numeric" dashboard . --bind nowhere.example
usage_error "8 to 256" dashboard . --dashboard-token short
usage_error "1 to 65535" dashboard . --port 0
usage_error "1 to 65535" train resnet-8 --dashboard 70000
usage_error "need '--dashboard'" train resnet-8 --dashboard-bind 127.0.0.1
usage_error "one more" dashboard a b
failure "cannot open folder 'nothing'" dashboard nothing
touch file
failure "'file' is a file" dashboard file
[ ! -e never ] || fail "a refused training leaves a folder"

# wait_for_url FILE: leaves url and port.
wait_for_url() {
    tries=0
    until url=$(sed -n 's/.*\(http:[^ ]*\).*/\1/p' "$1") && [ -n "$url" ]; do
        sleep 0.05
        tries=$((tries + 1))
        if [ $tries -gt 1200 ]; then
            fail "no address in $1: $(cat err)"
            finish
        fi
    done
    port=${url#http://127.0.0.1:}
    port=${port%%/*}
}

# A background job of a script ignores SIGINT, which the program would inherit.
env --default-signal=INT true 2>/dev/null || skip "env cannot reset signals"

mkdir runs
: >served
env --default-signal=INT "$RESNET" dashboard runs >served 2>err &
pid=$!
wait_for_url served
failure "port $port of 127.0.0.1 is in use" dashboard runs --port "$port"
failure "port $port of 127.0.0.1 is in use" train resnet-8 --dashboard "$port" --out never
[ ! -e never ] || fail "a port in use leaves a folder"
kill -s INT $pid
wait $pid || fail "exit status $? after ^C"
holds served "^dashboard of 'runs': http://127.0.0.1:[0-9]*/"

# The word behind --dashboard is its port if it is a number, and else the network. Weights do not
# depend on who looks.
# shellcheck disable=SC2086 # options are words
expect 0 "$RESNET" train resnet-8 $tiny --iterations 20 --out runs/plain
# shellcheck disable=SC2086
expect 0 "$RESNET" train --dashboard resnet-8 $tiny --iterations 20 --out runs/watched
holds out "^watch   http://127.0.0.1:[0-9]*/"
cmp -s runs/plain/model.safetensors runs/watched/model.safetensors || fail "a dashboard changes the weights"
grep -q '"memory":[1-9][0-9]*,"memory_peak":[1-9]' runs/plain/log.jsonl || fail "no memory in the log"
holds runs/plain/samples.json '"samples":\[{"index":0,'
[ "$(wc -c <runs/plain/samples.json)" -lt 200000 ] || fail "samples.json is too large"

# A secret on the command line is not recorded.
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 $tiny --iterations 1 --out runs/secret --dashboard \
    --dashboard-token not-for-everyone
holds out "?token=\.\.\."
grep -r "not-for-everyone" runs out && fail "the token is on record"
holds runs/secret/run.json "dashboard-token TOKEN"
# shellcheck disable=SC2086
RESNET_DASHBOARD_TOKEN=not-for-everyone expect 0 "$RESNET" train resnet-8 $tiny --iterations 1 \
    --out runs/secret2 --dashboard --quiet
holds err "dashboard at http://.*?token="
finish
