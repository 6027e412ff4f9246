# kill -9 at random moments of a training, 50 times: it always goes on, and ends as if it had never
# been killed.
. "$SOURCE/tests/cli/lib.sh"

kills=${KILLS:-50}
steps=${STEPS:-300}
seed=${SEED:-1}
options="--data $tiny_data --batch 16 --lr 0.05 --schedule cosine --ema 0.99 --iterations $steps
    --threads ${THREADS:-1} --workers 2 --checkpoint-every 5 --evaluate-every 2 --log-every 5"

# Start the training in ./killed, or go on with it; killed before run.json was there, it starts anew.
start() {
    if [ -e killed/run.json ]; then
        "$RESNET" train --resume killed >>killed.log 2>err &
    else
        rm -rf killed
        # shellcheck disable=SC2086 # options are words
        "$RESNET" train resnet-8 $options --out killed >>killed.log 2>err &
    fi
    pid=$!
}

# The end of a training: it must have gone well and left the model of the whole run.
check_end() {
    wait $pid || fail "a part fails: $(cat err)"
    cmp whole/model.safetensors killed/model.safetensors || fail "the model is another one"
    [ -z "$(find killed -name '*.tmp*')" ] || fail "temporaries are left: $(ls -a killed)"
    [ "$failures" -eq 0 ] || finish
    ends=$((ends + 1))
    rm -rf killed
}

began=$(date +%s%3N)
# shellcheck disable=SC2086 # options are words
"$RESNET" train resnet-8 $options --out whole >whole.log 2>err || { cat err; exit 1; }
milliseconds=$(($(date +%s%3N) - began))

killed=0
ends=0
start
while [ "$killed" -lt "$kills" ]; do
    draw $((milliseconds / 5 + 50))
    sleep "$((random / 1000)).$(printf %03d $((random % 1000)))"
    if kill -9 $pid 2>/dev/null; then
        killed=$((killed + 1))
        wait $pid 2>/dev/null
    else
        check_end
    fi
    start
done
check_end
echo "killed $killed times during $ends trainings of $steps steps, each $milliseconds ms if left alone"
finish
