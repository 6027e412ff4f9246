# What a training leaves for looking at: events for TensorBoard, norms of gradients, responses.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
train() {
    "$RESNET" train "$@" $tiny --quiet
}

events() {
    find "$1" -name 'events.out.tfevents.*' | wc -l
}

lines() {
    grep -c "\"event\":\"gradients\"" "$1/log.jsonl"
}

# Without them nothing; with them the same weights.
expect 0 train resnet-8 --iterations 12 --out plain --log-every 5 --ema 0.9
[ "$(events plain)" -eq 0 ] || fail "events that nobody asked for"
[ "$(lines plain)" -eq 0 ] || fail "gradients that nobody asked for"
expect 0 train --log-gradients resnet-8 --iterations 12 --out watched --log-every 5 --ema 0.9 --tensorboard
[ "$(events watched)" -eq 1 ] || fail "no events file"
[ "$(lines watched)" -eq 3 ] || fail "not with each log line: $(lines watched)"
holds watched/log.jsonl '"event":"gradients","iteration":12,.*"norms":{"conv1.weight":[0-9.e-]*,'
holds watched/log.jsonl '"weights":{"conv1.weight":[0-9.]*,.*"fc.bias":[0-9.e-]*}}$'
for file in model.safetensors checkpoint-12.safetensors; do
    cmp -s plain/$file watched/$file || fail "instruments change $file"
done
expect 0 train resnet-8 --iterations 12 --out often --log-every 5 --log-gradients=4 --ema 0.9
[ "$(lines often)" -eq 3 ] || fail "not every four steps"
usage_error "'--log-gradients' expects a whole number, 1 or more, found '0'" \
    train resnet-8 --log-gradients 0
usage_error "found 'some'" train resnet-8 --log-gradients=some
usage_error "'--tensorboard' and '--no-tensorboard' contradict" \
    train resnet-8 --tensorboard --no-tensorboard

# A resumed run goes on as it was asked to, unless it is asked otherwise.
rm watched/model.safetensors watched/checkpoint-12.safetensors
cp -r watched other
expect 0 "$RESNET" train --resume watched
[ "$(events watched)" -eq 2 ] || fail "a resumed run has no events file of its own"
[ "$(lines watched)" -eq 6 ] || fail "a resumed run has forgotten the gradients"
expect 0 "$RESNET" train --resume other --no-tensorboard
[ "$(events other)" -eq 1 ] || fail "--no-tensorboard is not heard"
expect 0 train resnet-8 --iterations 2 --out other --force
[ "$(events other)" -eq 0 ] || fail "--force leaves old events"

# Files that can grow no more end the curves, and are whole as far as they go; not the training.
(ulimit -f 40; trap '' XFSZ; "$RESNET" train 'resnet:units=1;width=1' --iterations 60 --batch 2 \
    --data shapes:train=64,test=16 --log-every 1 --log-gradients --tensorboard --threads 1 \
    --out full --quiet >out 2>err)
[ $? -eq 1 ] || fail "an incomplete log is no failure"
for name in log.jsonl events.out; do
    [ "$(grep -c "^resnet: warning: cannot write 'full/$name" err)" -eq 1 ] || fail "not a warning for $name"
done
holds err "^resnet: error: the training is complete, but 'full/log.jsonl' is not$"
[ -s full/model.safetensors ] || fail "the training is lost with its log"
[ "$(tail -c 2 full/log.jsonl)" = "}" ] || fail "the log is torn"

# Once there is room again, the log goes on, and says what it lacks.
# wait_until COMMAND...: for a minute at most.
wait_until() {
    tries=0
    until "$@"; do
        sleep 0.05
        tries=$((tries + 1))
        [ $tries -le 1200 ] || return 1
    done
}
if command -v prlimit >/dev/null; then
    (
        trap '' XFSZ
        exec prlimit --fsize=20480: "$RESNET" train 'resnet:units=1;width=1' \
            --iterations 1000000 --batch 2 --threads 1 --data shapes:train=64,test=16 --log-every 1 --log-gradients --out room --quiet \
            --evaluate-every 10000 --checkpoint-every 10000000 2>err
    ) &
    pid=$!
    wait_until grep -q "cannot write 'room/log.jsonl" err || fail "the log has not ended"
    prlimit --pid $pid --fsize=unlimited:
    wait_until grep -q "could not be written" room/log.jsonl || fail "the log does not go on"
    kill $pid
    wait $pid
    holds room/log.jsonl '"event":"note",.*"[0-9]* lines\? before this one could not be written'
    holds room/log.jsonl '"event":"end"'
    [ "$(grep -c "^resnet: warning" err)" -eq 1 ] || fail "not one warning"
fi

# Layer responses.
expect 0 "$RESNET" responses plain --threads 1
holds out "^resnet-8: 7 convolutions, on 64 images of shapes test (seed 1)$"
holds out "^layer1.0.conv2  *3x3  *16  *[0-9.]*  *[0-9.-]*  *[1-7]  layer1.0.bn2$"
holds out "^7 of 3x3: std [0-9.]* on average$"
holds plain/responses.json '"model":[[:space:]]*"resnet-8"'
[ "$(grep -c '"std"' plain/responses.json)" -eq 7 ] || fail "not every layer in responses.json"
expect 0 "$RESNET" responses plain --threads 1 --json --out copy.json
cmp -s out copy.json || fail "--out is not what --json prints"
cmp -s out plain/responses.json || fail "responses.json is not what --json prints"
expect 0 "$RESNET" responses plain --threads 1 --sort
[ "$(sed -n 's/^[a-z0-9.]*  *3x3  *[0-9]*  *[0-9.]*  *[0-9.-]*  *\([1-7]\) .*/\1/p' out | tr -d '\n')" = \
    1234567 ] || fail "not sorted by rank"
expect 0 "$RESNET" responses plain watched/model.safetensors --threads 1 --images 10 --batch 4 --json
[ "$(grep -c '"images":[[:space:]]*10' out)" -eq 2 ] || fail "not an array of two"
[ ! -e watched/responses.json ] || fail "the model of a file has no run folder"
expect 0 "$RESNET" responses plain/checkpoint-12.safetensors --weights last --threads 1 --split train
holds out "on 256 images"
expect 0 "$RESNET" responses plain/checkpoint-12.safetensors --threads 1
holds out "weights averaged (EMA), on 64"

# Encoded pictures are fitted to the network's input.
mkdir -p photos/a photos/b
for name in a/1 a/2 b/1; do
    printf 'P6 40 50 255\n' >photos/$name.ppm
    head -c 6000 "$RESNET" >>photos/$name.ppm
done
cp plain/model.safetensors alone.safetensors
expect 0 "$RESNET" responses alone.safetensors --data photos --threads 1
holds out "on 3 images"
echo nonsense >photos/b/1.ppm
failure "b/1.ppm" responses alone.safetensors --data photos --threads 1 --out none.json

usage_error "expects MODEL-FILE|RUN..., found nothing" responses
usage_error "no run.json beside 'alone.safetensors': '--data' must say" responses alone.safetensors
usage_error "65 images are wanted, shapes test (seed 1) has 64" responses plain --images 65
usage_error "no moving average" responses plain --weights ema
failure "nowhere" responses plain --data nowhere
failure "no-such-folder" responses plain --data nowhere --out no-such-folder/x.json
usage_error "found model file 'plain.th'" responses plain --out plain.th
latin=$(printf 'caf\351.safetensors')
cp alone.safetensors "$latin"
expect 0 "$RESNET" responses "$latin" --data $tiny_data --images 4 --threads 1 --json --out latin.json
for file in out latin.json; do
    iconv -f UTF-8 -t UTF-8 $file >/dev/null 2>&1 || fail "no UTF-8: $file"
done
[ ! -e none.json ] || fail "a refused command left a file"
[ "$(find . -name '*.tmp*' | wc -l)" -eq 0 ] || fail "temporary files are left"
expect 0 "$RESNET" responses --help
holds out "^Usage: resnet responses MODEL-FILE|RUN..."
finish
