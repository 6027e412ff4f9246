# Running statistics measured anew.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
train() {
    "$RESNET" train "$@" $tiny --quiet
}

expect 0 train resnet-8 --iterations 12 --out run --ema 0.9
cp run/model.safetensors alone.safetensors
cp alone.safetensors before

usage_error "'--out' must say where the result goes" bn-recalibrate run
usage_error "'--out' expects a name that ends in .safetensors, found 'x.pth'" \
    bn-recalibrate run --out x.pth
usage_error "no run.json beside 'alone.safetensors': '--data' must say" \
    bn-recalibrate alone.safetensors --out x.safetensors
usage_error "is the source itself; '--force' replaces it" \
    bn-recalibrate alone.safetensors --data "$tiny_data" --out alone.safetensors
ln -s alone.safetensors link.safetensors
usage_error "is the source itself" \
    bn-recalibrate alone.safetensors --data "$tiny_data" --out link.safetensors
usage_error "is the source itself" bn-recalibrate run --out run/model.safetensors
usage_error "no moving average" bn-recalibrate run --out x.safetensors --weights ema
usage_error "257 images are wanted, .* has 256" bn-recalibrate run --out x.safetensors --images 257
# Before anything is measured.
failure "no-such-folder" bn-recalibrate run --data nowhere --out no-such-folder/x.safetensors
failure "nowhere" bn-recalibrate run --data nowhere --out x.safetensors
usage_error "expects a whole number, 1 to 65536" bn-recalibrate run -o x.safetensors --batch 0
cmp -s alone.safetensors before || fail "the source was changed"
[ ! -e x.safetensors ] || fail "a refused command left a file"
[ "$(find . -name '*.tmp*' | wc -l)" -eq 0 ] || fail "temporary files are left"

# The data come from run.json; 256 images in three batches.
expect 0 "$RESNET" bn-recalibrate run --out new.safetensors --batch 100 --threads 1
holds out "^shapes train (seed 1): 256 images in 3 batches of 86 or 85, "
holds out "^resnet-8: 7 batch norms$"
holds out "^moved most  *channels  *mean  *variance$"
[ "$(grep -c "^[a-z0-9.]*bn[12]  *[0-9]" out)" -eq 5 ] || fail "not the five that moved most"
holds out "^shapes test (seed 1): 64 images"
holds out "^  error .*% before, .*% after"
holds out "^wrote new.safetensors"
after=$(sed -n 's/^  error .*before, *\([0-9.]*\)% after/\1/p' out)
before=$(sed -n 's/^  error *\([0-9.]*\)% before.*/\1/p' out)
expect 0 "$RESNET" eval run --threads 1
holds out "error  *$before%"
expect 0 "$RESNET" eval new.safetensors --data "$tiny_data" --threads 1
holds out "error  *$after%"

# Nothing but the statistics has changed, and a second time nothing does.
expect 1 "$RESNET" diff run new.safetensors --all --threads 1
[ "$(grep -c "^!.*running_\(mean\|var\) " out)" -ge 13 ] || fail "statistics have not moved"
grep "^!.*\(weight\|bias\) " out && fail "something else has moved"
grep -q "^\(preprocess\|labels\)" out && fail "preprocess or labels have changed"
expect 0 "$RESNET" bn-recalibrate new.safetensors --out again.safetensors --data "$tiny_data" \
    --batch 100 --threads 1
cmp -s new.safetensors again.safetensors || fail "the same command gives other bytes"
expect 0 "$RESNET" bn-recalibrate run --out other.safetensors --batch 100 --seed 1 --threads 1
cmp -s new.safetensors other.safetensors && fail "another order gives the same bytes"

# Of a checkpoint one of the two sets of weights; the state stays, training can go on.
expect 0 "$RESNET" bn-recalibrate run/checkpoint-12.safetensors --out ema.safetensors --images 60 \
    --batch 60 --augment --no-evaluate --threads 1
holds out "60 images, augmented, in one batch"
holds out "weights averaged (EMA)"
grep -q "error" out && fail "evaluated despite --no-evaluate"
expect 0 "$RESNET" diff ema.safetensors run/checkpoint-12.safetensors --weights last --tolerance 0 \
    --threads 1
expect 1 "$RESNET" diff ema.safetensors run/checkpoint-12.safetensors --threads 1
expect 0 "$RESNET" bn-recalibrate run/checkpoint-12.safetensors --out last.safetensors \
    --weights last --json --threads 1
holds out '"weights":[[:space:]]*"last"'
holds out '"images":[[:space:]]*256'
[ "$(grep -c '"mean_moved"' out)" -eq 7 ] || fail "not every batch norm in the JSON"
[ "$(grep -c '"error"' out)" -eq 2 ] || fail "not two errors in the JSON"
expect 0 "$RESNET" diff last.safetensors run/checkpoint-12.safetensors --tolerance 0 --threads 1
cp ema.safetensors run/checkpoint-12.safetensors
expect 0 "$RESNET" train --resume run --quiet --threads 1

# The source itself, if so wished.
expect 0 "$RESNET" bn-recalibrate alone.safetensors --data "$tiny_data" --out alone.safetensors --force \
    --batch 100 --threads 1
cmp -s alone.safetensors new.safetensors || fail "in place something else comes out"

expect 0 "$RESNET" bn-recalibrate --help
holds out "^Usage: resnet bn-recalibrate MODEL-FILE|RUN"
holds out "--\[no-\]evaluate"
awk 'length > 80' out | grep . && fail "lines over 80 columns in the help"
expect 0 "$RESNET" --help
holds out "^  bn-recalibrate "
finish
