# Model files whose convolutions multiply bytes.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
expect 0 "$RESNET" train resnet-8 --iterations 12 --out run --ema 0.9 $tiny --quiet
cp run/model.safetensors alone.safetensors
cp alone.safetensors before

usage_error "'--out' must say where the result goes" quantize run
usage_error "'--out' expects a name that ends in .safetensors, found 'x.onnx'" \
    quantize run --out x.onnx
usage_error "no run.json beside 'alone.safetensors': '--data' must say" \
    quantize alone.safetensors --out x.safetensors
usage_error "is the source itself; '--force' replaces it" \
    quantize alone.safetensors --data "$tiny_data" --out alone.safetensors
usage_error "no moving average" quantize run --out x.safetensors --weights ema
usage_error "expects a whole number, 1 to" quantize run --out x.safetensors --images 0
# Before anything is measured.
failure "no-such-folder" quantize run --data nowhere --out no-such-folder/x.safetensors
failure "nowhere" quantize run --data nowhere --out x.safetensors
cmp -s alone.safetensors before || fail "the source was changed"
[ ! -e x.safetensors ] || fail "a refused command left a file"

# The training set has 256 images, so all are taken.
expect 0 "$RESNET" quantize run --out bytes.safetensors --threads 1
holds out "^resnet-8: ranges of 6 tensors, from 256 images of shapes train (seed 1)$"
holds out "^shapes test (seed 1): 64 images$"
holds out "^  error .*% before, .*% after$"
holds out "^wrote bytes.safetensors$"
before=$(sed -n 's/^  loss *\([0-9.]*\) *before.*/\1/p' out)
after=$(sed -n 's/^  loss .*before, *\([0-9.]*\) *after/\1/p' out)
expect 0 "$RESNET" quantize run --out again.safetensors --threads 2
cmp -s bytes.safetensors again.safetensors || fail "the same command gives other bytes"

# What the file says is done, unless told otherwise.
expect 0 "$RESNET" eval bytes.safetensors --data "$tiny_data" --threads 1
holds out "64 images, int8$"
holds out "^  loss *$after$"
expect 0 "$RESNET" eval bytes.safetensors --data "$tiny_data" --dtype float32 --threads 1
grep -q int8 out && fail "int8 where float32 was asked for"
holds out "^  loss *$before$"
expect 0 "$RESNET" eval bytes.safetensors --data "$tiny_data" --json --threads 1
holds out '"dtype":[[:space:]]*"int8"'
expect 0 "$RESNET" eval bytes.safetensors --data "$tiny_data" --json --threads 1 --engine ref
holds out '"dtype":[[:space:]]*"float32"'
usage_error "'--dtype int8': engine 'ref' has float32 only" \
    eval bytes.safetensors --data "$tiny_data" --dtype int8 --engine ref
usage_error "'--engine ref' multiplies no bytes" quantize run --out x.safetensors --engine ref
usage_error "the model file holds no ranges, which 'resnet quantize' measures" \
    eval run --dtype int8
{
    printf 'P6 32 32 255\n'
    head -c 3072 bytes.safetensors
} >picture.ppm
expect 0 "$RESNET" predict bytes.safetensors picture.ppm --json --threads 1
cp out with
expect 0 "$RESNET" predict bytes.safetensors picture.ppm --json --dtype float32 --threads 1
cmp -s out with && fail "bytes and floats give the same to the last digit"
usage_error "holds no ranges" predict run picture.ppm --dtype int8

# A quantized file is an ordinary one: measured again, converted, its statistics renewed.
expect 0 "$RESNET" quantize bytes.safetensors --data "$tiny_data" --images 50 --no-evaluate \
    --out fewer.safetensors --json --threads 1
holds out '"images":[[:space:]]*50'
holds out '"layer1.0.relu1":'
grep -q '"before"' out && fail "evaluated, though that was not wanted"
expect 0 "$RESNET" convert bytes.safetensors float.pth
expect 0 "$RESNET" bn-recalibrate bytes.safetensors --data "$tiny_data" --out renewed.safetensors \
    --threads 1
usage_error "holds no ranges" eval renewed.safetensors --data "$tiny_data" --dtype int8

# Timing: inference only, with ranges made up.
expect 0 "$RESNET" bench resnet-8 --batch 2 --steps 10 --inference --dtype int8 --threads 1
holds out "resnet-8, batch 2, inference, int8: 10 steps"
usage_error "'--dtype int8' is for inference: add '--inference'" bench resnet-8 --dtype int8
expect 0 "$RESNET" plan resnet-8 --inference --dtype int8 --threads 1
[ "$(grep -c ' int8  ' out)" -eq 6 ] || fail "not all convolutions but the first"
finish
