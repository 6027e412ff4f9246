# kill -9 at random moments of a training, 50 times: it always goes on, and ends as if it had never
# been killed.
. "$SOURCE/tests/cli/lib.sh"

kills=${KILLS:-50}
steps=${STEPS:-1200}
seed=${SEED:-1}
options="--data $tiny_data --batch 16 --lr 0.05 --schedule cosine --ema 0.99 --iterations $steps
    --threads 2 --workers 2 --checkpoint-every 5 --evaluate-every 2 --log-every 5"

# random N: the next number below N, from a sequence that $seed repeats
random() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    echo $((seed / 65536 % $1))
}

# shellcheck disable=SC2086 # options are words
"$RESNET" train resnet-8 $options --out whole >whole.log 2>&1 ||
    { cat whole.log; fail "the whole run fails"; finish; }

# shellcheck disable=SC2086
"$RESNET" train resnet-8 $options --out killed >killed.log 2>&1 &
pid=$!
killed=0
while [ "$killed" -lt "$kills" ]; do
    sleep "$(printf '0.%03d' $((100 + $(random 700))))"
    if ! kill -9 $pid 2>/dev/null; then
        break # it was through before all kills
    fi
    wait $pid 2>/dev/null
    killed=$((killed + 1))
    if [ ! -e killed/run.json ]; then # killed before the folder was described
        rm -rf killed
        # shellcheck disable=SC2086
        "$RESNET" train resnet-8 $options --out killed >>killed.log 2>&1 &
    else
        "$RESNET" train --resume killed >>killed.log 2>err &
    fi
    pid=$!
done
wait $pid || { fail "the last part fails"; cat err; tail -3 killed.log; }
echo "killed $killed times in $steps steps; passed over as damaged:" \
    "$(grep -c 'passed over' killed.log)"
[ "$killed" -eq "$kills" ] || fail "through after $killed kills: raise STEPS"
cmp whole/model.safetensors killed/model.safetensors || fail "the model is another one"
[ -z "$(find killed -name '*.tmp*')" ] || fail "temporaries are left: $(ls -a killed)"
finish
