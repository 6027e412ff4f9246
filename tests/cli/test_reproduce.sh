# `resnet reproduce`: whatever ends it, the second call finishes with the same report.
. "$SOURCE/tests/cli/lib.sh"

env --default-signal=INT true 2>/dev/null || skip "env cannot reset signals"
command -v setsid >/dev/null || skip "no setsid"

tiny_target 12

# A background job of a script ignores SIGINT, which the program would inherit: it is set back.
start() { # FOLDER
    env --default-signal=INT,TERM setsid "$RESNET" reproduce tiny.json --threads 1 --quiet \
        --out "$1" >log 2>err &
    pid=$!
}

# wait_for FILE PATTERN
wait_for() {
    tries=0
    until grep -q -e "$2" "$1" 2>/dev/null; do
        sleep 0.02
        tries=$((tries + 1))
        if [ $tries -gt 3000 ] || ! kill -0 $pid; then
            fail "'$2' never came in $1: $(cat err)"
            finish
        fi
    done
}

same_report() { # FOLDER
    cmp whole/report.md "$1/report.md" || fail "report.md of '$1' is another one"
    cmp whole/report.html "$1/report.html" || fail "report.html of '$1' is another one"
}

expect 0 "$RESNET" reproduce tiny.json --threads 1 --quiet --out whole
cp whole/report.md before.md
expect 0 "$RESNET" reproduce whole --quiet # nothing is left to do
cmp whole/report.md before.md || fail "the report changes by being written again"

# ^C within the second run
start stopped
wait_for stopped/runs/resnet-8-s1/log.jsonl '"step"'
kill -s INT $pid
wait $pid
got=$?
[ $got -eq 130 ] || fail "exit status $got instead of 130 after SIGINT"
holds err "^to go on: resnet reproduce stopped$"
holds stopped/report.md "^1 of 2 runs done"
[ ! -e stopped/runs/resnet-8-s1/model.safetensors ] || fail "SIGINT came too late for the test"
# The report of what is there, whoever works on the rest
rm stopped/report.*
(
    flock 8
    flock 9
    expect 0 timeout 60 "$RESNET" reproduce tiny.json --out stopped --report
    holds out "^1 of 2 done; claims: 0 shown, "
    holds out "^report so far: stopped/report.html, stopped/report.md$"
    expect 1 timeout 60 "$RESNET" reproduce stopped --report --strict
    [ "$failures" -eq 0 ]
) 8>stopped/plan.lock 9>stopped/runs/resnet-8-s1.lock || fail "waiting for a report"
holds stopped/report.md "| resnet-8-s1 | begun |"
[ ! -e stopped/runs/resnet-8-s1/model.safetensors ] || fail "a report runs what is missing"
expect 0 "$RESNET" reproduce tiny.json --threads 1 --quiet --out stopped
same_report stopped
rm stopped/report.*
expect 0 "$RESNET" reproduce stopped --report
holds out "^report: stopped/report.html, stopped/report.md$"
same_report stopped

# ^C while another process has the plan
mkdir locked
(
    flock 9
    start locked
    wait_for err "waiting for another process that has 'locked/plan.lock'"
    kill -s INT $pid
    wait $pid
    got=$?
    [ $got -eq 130 ] || fail "exit status $got instead of 130 after SIGINT before there is a plan"
    holds err "^to go on: resnet reproduce tiny.json --threads 1 --quiet --out locked$"
    [ "$failures" -eq 0 ]
) 9>locked/plan.lock || fail "waiting for the plan"

# kill -9 of its whole process group within the first run; the second call comes at once
start killed
wait_for killed/runs/plain-8-s1/log.jsonl '"step"'
kill -9 -$pid
wait $pid 2>/dev/null
expect 0 "$RESNET" reproduce killed --quiet
same_report killed

# A run alone is killed: that is a failure, the others go on, and the next call mends it.
start failed
wait_for failed/runs/plain-8-s1/log.jsonl '"step"'
child=$(pgrep -P $pid -f plain-8-s1 2>/dev/null || cat /proc/$pid/task/$pid/children)
# shellcheck disable=SC2086 # one number
kill -s KILL $child
wait $pid
got=$?
[ $got -eq 1 ] || fail "exit status $got instead of 1 after a run was killed"
holds err "^resnet: error: 1 of 2 have no result; 'failed/report.md' says why$"
holds failed/report.md "| plain-8-s1 | failed | .*killed by signal 9"
holds failed/report.md "| resnet-8-s1 | done |"
expect 0 "$RESNET" reproduce failed --quiet
same_report failed

# Two callers share the work.
start shared
wait_for shared/runs/plain-8-s1/log.jsonl '"start"'
expect 0 "$RESNET" reproduce shared --quiet
wait $pid || fail "the first of two callers fails: $(cat err)"
same_report shared
for run in plain-8-s1 resnet-8-s1; do
    [ "$(grep -c '"event":"start"' "shared/runs/$run/log.jsonl")" -eq 1 ] ||
        fail "$run was computed twice"
done

finish
