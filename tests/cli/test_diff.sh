# Two networks beside each other.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
train() {
    "$RESNET" train "$@" $tiny --quiet
}

usage_error "expects MODEL-A MODEL-B \[IMAGE\], found only 'a'" diff a
usage_error "'--tolerance' expects a number, 0 to 1e+300, found 'x'" diff a b --tolerance x
usage_error "'--engine-b' expects one of cpu|ref, found 'gpu'" diff a b --engine-b gpu
usage_error "'--random' expects a whole number, 1 to 1024" diff a b --random 0
failure "none.safetensors" diff none.safetensors none.safetensors

expect 0 train resnet-8 --iterations 4 --out a
expect 0 train resnet-8 --iterations 6 --out b --ema 0.5
expect 0 train resnet-14 --iterations 1 --out c

# A network and itself, on one engine to the bit, on two within the tolerance.
expect 0 "$RESNET" diff a a/model.safetensors --tolerance 0 --random 2 --threads 1
holds out "^a  a: resnet-8, cpu engine"
holds out "^b  a/model.safetensors: resnet-8, cpu engine"
holds out "^parameters  37 tensors: all equal$"
holds out "^outputs for 2 pictures of noise, seed 0"
holds out "^  conv1  *16 x 32 x 32 .* 0  *0$"
holds out "^  fc  *10 .* 0  *0$"
holds out "^top-1  *the same for 2 of 2 pictures"
holds out "^result  *within the tolerance of 0"
[ ! -s err ] || fail "errors where nothing differs: $(cat err)"
expect 0 "$RESNET" diff a a --engine-b ref --threads 1
holds out "^b  a: resnet-8, ref engine"
holds out "^  fc  *10 .*e-0[5-9]$"
failure "on the networks differ: by .*e-.*, tolerance 1e-12" \
    diff a a --engine-a ref --tolerance 1e-12 --threads 1

# Two trainings: the first layer beyond the tolerance is marked, and named at the end.
failure "from 'conv1' on the networks differ: by .*, tolerance 0.0001" diff a b --threads 1
holds out "^parameters  37 tensors: 0 equal, 37 not; 3[5-7] beyond 0.0001"
holds out "^  and 29 more"
holds out "^> conv1 "
holds out "^! fc "
[ "$(grep -c "^>" out)" -eq 1 ] || fail "not one first layer"
holds out "^first beyond 0.0001: conv1"
holds out "^result  *beyond"
awk 'length > 80' out | grep . && fail "lines over 80 columns"
grep -q " $" out && fail "blanks at a line's end"
failure "differ" diff a b --all --threads 1
[ "$(grep -c "bn.*running_var " out)" -eq 7 ] || fail "--all does not show every parameter"
grep -q "more, less" out && fail "--all leaves something out"
expect 0 "$RESNET" diff a b --tolerance 1e9 --threads 1
holds out "^result  *within the tolerance of 1e+09"

# The weights of a checkpoint: the moving average is what the model file has.
expect 0 "$RESNET" diff b b/checkpoint-6.safetensors --tolerance 0 --threads 1
failure "networks differ" diff b b/checkpoint-6.safetensors --weights last --threads 1
usage_error "'a': option '--weights ema': this file holds no moving average" diff a b --weights ema

# A file of weights alone is read as the other says: network and preprocess.
expect 0 train plain-8 --iterations 2 --out plain
if "$RESNET" convert plain plain.pth >/dev/null 2>&1; then
    expect 0 "$RESNET" diff plain.pth plain --tolerance 0 --threads 1
    holds err "note: 'plain.pth' taken as 'plain-8', as 'plain' says"
    holds err "note: 'plain.pth' does not say its preprocess, taken as that of 'plain'"
    expect 0 "$RESNET" diff plain plain.pth --tolerance 0 --threads 1
    grep -q "^preprocess" out && fail "preprocess differs"
    expect 1 "$RESNET" diff c plain.pth --threads 1
    holds err "error: the networks differ: in 'c' "
fi

# A picture, of any size.
printf 'P6 40 50 255\n' >picture.ppm
head -c 6000 "$RESNET" >>picture.ppm
expect 0 "$RESNET" diff a a picture.ppm --threads 1
holds out "^outputs for 'picture.ppm'"
expect 0 "$RESNET" predict a picture.ppm --threads 1
class=$(sed 's/.*  //' out)
expect 0 "$RESNET" diff a a picture.ppm --threads 1
holds out "^top-1  *the same class: '$class' (logit .*) in a, '$class' "
usage_error "a picture is given" diff a a picture.ppm --random 2
failure "none.ppm" diff a a none.ppm

# Another structure: parameters, and one line.
failure "the networks differ: in 'a' 'layer2.0.conv1' is conv, in 'c' 'layer1.1.conv1' is conv" \
    diff a c --threads 1
holds out ", 30 missing or of another shape; "
holds out "^! layer1.1.bn1.bias .*only in b: 16"
grep -q "^outputs" out && fail "layers of different networks compared"

# Deep networks are summed up: at most 40 rows of outputs.
expect 0 train resnet-56 --iterations 1 --out deep
expect 0 "$RESNET" diff deep deep --threads 1
holds out "^  layer2.4  *4 outputs "
rows=$(sed '1,/^outputs/d' out | grep -c "e+\|e-")
[ "$rows" -le 40 ] || fail "$rows rows"
expect 0 "$RESNET" diff deep deep --all --threads 1
holds out "^  layer2.4.conv2  *32 x 16 x 16 "
[ "$(sed '1,/^outputs/d' out | grep -c " x ")" -ge 110 ] || fail "--all does not show every layer"

# JSON has everything, whatever the verdict.
expect 1 "$RESNET" diff a b --json --threads 1
holds out '"within":[[:space:]]*false'
holds out '"first_beyond":[[:space:]]*"conv1"'
holds out '"structure":[[:space:]]*null'
[ "$(grep -c '"relative"' out)" -eq $((37 + 19)) ] || fail "parameters or layers are missing"
[ "$(grep -c '"top"' out)" -eq 2 ] || fail "not one top class for each network"
expect 1 "$RESNET" diff a c --json --threads 1
holds out '"a":[[:space:]]*".layer2.0.conv1. is conv"'
if command -v python3 >/dev/null; then
    python3 -c 'import json, sys; json.load(sys.stdin)' <out || fail "no JSON"
fi

# Colours on terminals only.
if script -qec true /dev/null >/dev/null 2>&1; then
    escape=$(printf '\033')
    script -qec "env -u NO_COLOR TERM=xterm '$RESNET' diff a b --threads 1" /dev/null >screen </dev/null
    holds screen "${escape}\[31m> conv1"
    "$RESNET" diff a b --threads 1 2>&1 | grep -q "$escape" && fail "colours in a file"
fi

expect 0 "$RESNET" diff --help
holds out "^Usage: resnet diff MODEL-A MODEL-B \[IMAGE\]"
awk 'length > 80' out | grep . && fail "lines over 80 columns in the help"
expect 0 "$RESNET" --help
holds out "^  diff "
finish
