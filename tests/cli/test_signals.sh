# A training that is stopped saves, says how to go on, and ends as if it had never been stopped.
. "$SOURCE/tests/cli/lib.sh"

env --default-signal=INT true 2>/dev/null || skip "env cannot reset signals"

# A background job of a script ignores SIGINT, which the program would inherit: it is set back.
# shellcheck disable=SC2086 # options are words
start() {
    folder=$1
    shift
    rm -f log err
    env --default-signal=HUP,INT,TERM "$RESNET" train resnet-8 $tiny --log-every 1 --out "$folder" \
        "$@" >log 2>err &
    pid=$!
}

# wait_for_step N
wait_for_step() {
    tries=0
    until [ -e log ] && grep -q "^step *$1/" log; do
        sleep 0.05
        tries=$((tries + 1))
        if [ $tries -gt 1200 ] || ! kill -0 $pid; then
            fail "step $1 never came"
            cat err
            finish
        fi
    done
}

start whole --iterations 100
wait $pid || fail "the whole run fails"

stop_with() { # SIGNAL STATUS
    start "$1" --iterations 100
    wait_for_step 5
    kill -s "$1" $pid
    [ "$1" != HUP ] || kill -s HUP $pid # from the shell that ends, and from the kernel
    wait $pid
    got=$?
    [ $got -eq "$2" ] || fail "exit status $got instead of $2 after SIG$1"
    holds err "stopped by SIG$1 after step .*; the state is saved"
    holds err "to go on: resnet train --resume $1\$"
    [ ! -e "$1/model.safetensors" ] || fail "SIG$1 came too late for the test"
    expect 0 "$RESNET" train --resume "$1"
    cmp -s whole/model.safetensors "$1/model.safetensors" || fail "SIG$1 changes the model"
}
stop_with INT 130
stop_with TERM 143
stop_with HUP 129
finish
