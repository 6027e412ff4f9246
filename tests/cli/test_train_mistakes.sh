# train: options that say two things or nothing, folders and data that change on the way.
. "$SOURCE/tests/cli/lib.sh"

train() {
    "$RESNET" train resnet-8 --data "$tiny_data" --batch 16 --threads 1 --quiet "$@"
}

# What would change nothing is no option to give; what a file has may wait for what would use it.
for case in "--milestones=5:schedule step" "--patience=3:schedule plateau" \
    "--until-lr=0.1:an until_error" "--warmup-flat:a warmup" "--crop-area=0.5:crop area" \
    "--resize-low=40:crop resize" "--set=threshold=1:schedule plateau"; do
    usage_error "' would change nothing: it needs ${case#*:}$" train resnet-8 --recipe smoke \
        "${case%%:*}"
done
usage_error "'--warmup-factor' would change nothing: it needs a warmup, and not" \
    train resnet-8 --recipe quick --warmup-factor 0.5
echo '{"base": "quick", "iterations": 2, "milestones": [1], "patience": 3}' >waiting.json
expect 0 train --recipe waiting.json --out waiting
expect 0 train --recipe waiting.json --schedule step --milestones 1 --out used

# One value, not two.
usage_error "'--lr' and '--set lr=0.01' set the same" train resnet-8 --lr 0.1 --set lr=0.01
usage_error "'--lr-bias' and '--set bias_lr=2' set the same" \
    train resnet-8 --lr-bias 3 --set bias_lr=2
usage_error "'--epochs' and '--set iterations=2' set the same" \
    train resnet-8 --epochs 3 --set iterations=2
usage_error "'--set lr=1' and '--set lr=0.1' set the same" \
    train resnet-8 --set lr=1 --set lr=0.1
expect 0 train --recipe smoke --iterations 2 --lr 0.1 --set lr=0.1 --set lr=0.1 --out once

# An average that never moves is worth a word.
expect 0 "$RESNET" train resnet-8 --data "$tiny_data" --recipe smoke --iterations 3 --threads 1 \
    --ema 0.9 --lookahead 50 --out ahead
holds out "lookahead averages every 50 steps, the training has 3"

# run.json keeps the line that began the run, and its options.
expect 0 "$RESNET" train resnet-8 --data shapes:train=64,test=32 --recipe smoke --iterations 3 \
    --keep 2 --threads 1 --out kept
expect 0 "$RESNET" train --resume kept --data shapes:train=64,test=32 --keep 5 --quiet
holds kept/run.json '"command":.*resnet train resnet-8 .*--out kept"'
holds kept/run.json '"keep":[[:space:]]*"2"'

# Two trainings of one folder: one of them has it, and the other leaves it as it is.
"$RESNET" train resnet-8 --data shapes:train=9000,test=32 --recipe smoke --iterations 2 --out race \
    --threads 1 --quiet >slow.out 2>slow.err &
slow=$!
train --recipe smoke --iterations 2 --out race >quick.out 2>quick.err
quick_status=$?
wait "$slow"
slow_status=$?
[ $((quick_status == 0)) -ne $((slow_status == 0)) ] ||
    fail "statuses $quick_status and $slow_status of two trainings in one folder"
cat slow.err quick.err >race.err
grep -q "already holds a run\|another process trains" race.err || fail "not said: $(cat race.err)"
[ "$(grep -c '"event":"start"' race/log.jsonl)" -eq 1 ] || fail "two runs in one log"

# MNIST's format, without the test files: what is held out can do.
mkdir idx
{
    printf '\0\0\010\003\0\0\0\040\0\0\0\020\0\0\0\020'
    head -c 8192 "$RESNET"
} >idx/train-images-idx3-ubyte
{
    printf '\0\0\010\001\0\0\0\040'
    printf '\0\001%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
} >idx/train-labels-idx1-ubyte
failure "no '.*t10k-images-idx3-ubyte'.*; '--hold-out N' sets some of the training" \
    train resnet-8 --data idx --recipe smoke --iterations 2 --out none
expect 0 "$RESNET" train resnet-8 --data idx --recipe smoke --iterations 2 --hold-out 8 --out held \
    --threads 1
holds err "note: no '.*t10k-images-idx3-ubyte'.*: what is held out is all that is evaluated"
holds out "; held out: 8$"

# Photographs that were moved: the checkpoint knows them by the sum of labels and names.
mkdir -p first/a first/b
for i in 1 2 3 4 5 6; do
    for class in a b; do
        {
            printf 'P6\n16 16\n255\n'
            tail -c "$((i * 1000))" "$RESNET" | head -c 768
        } >first/$class/$i.ppm
    done
done
expect 0 "$RESNET" train resnet-8 --data first --recipe smoke --input 3x16x16 --iterations 4 \
    --batch 4 --hold-out 4 --out photos --threads 1 --quiet
rm photos/model.safetensors photos/checkpoint-4.safetensors
mv first second
expect 0 "$RESNET" train --resume photos --data second --quiet
holds photos/run.json '"data":.*/second"'
mv second/a/1.ppm second/a/other.ppm
expect 2 "$RESNET" train --resume photos --data second
holds err "^resnet: error: second has other pictures, labels or names than the run"

finish
