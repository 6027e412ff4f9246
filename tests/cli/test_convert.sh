# Models between formats: what is understood, what is written, what is refused.
. "$SOURCE/tests/cli/lib.sh"

usage_error "expects SOURCE DEST, found only 'a'" convert a
usage_error "unknown model 'resnet-9x'" convert resnet-9x a.safetensors
usage_error "'a.bin': its ending says no format, expected .safetensors" convert resnet-8 a.bin
usage_error "'--format' expects one of resnet|safetensors|torch|onnx, found 'pt'" \
    convert resnet-8 a --format pt
usage_error "'--mean' is for a file or a run folder, 'resnet-8' is none" \
    convert resnet-8 a.pth --mean 1,2,3
usage_error "'--weights' is for a file" convert resnet-8 a.pth --weights last
usage_error "batch norms are folded in ONNX files only" convert resnet-8 a.safetensors --fold
usage_error "'--input' expects CxHxW" convert resnet-8 a.safetensors --input 32
for file in a a.bin a.pth a.safetensors; do
    [ ! -e "$file" ] || fail "a refused conversion left $file"
done

failure "cannot open 'none.safetensors'" convert none.safetensors a.safetensors
printf 'hello, world' >text
failure "'text': no model file: it begins with 68 65 6c 6c" convert text a.safetensors
: >nothing
failure "'nothing': no model file: it has 0 bytes" convert nothing a.safetensors
failure "no-folder" convert resnet-8 no-folder/a.safetensors

# Fresh weights: the same seed, the same bytes.
expect 0 "$RESNET" convert resnet-8 own.safetensors --seed 7 --classes 4 --input 3x16x16
holds out "^  model  *resnet-8 (fresh weights)"
holds out "^  input  *3 x 16 x 16, 4 classes"
holds out "^  parameters  *74,900, and 480 running statistics"
holds out "^wrote own.safetensors: resnet, "
[ ! -s err ] || fail "a note where nothing is assumed: $(cat err)"
expect 0 "$RESNET" convert resnet-8 same.safetensors --seed 7 --classes 4 --input 3x16x16
cmp -s own.safetensors same.safetensors || fail "the same seed gave other bytes"
expect 0 "$RESNET" convert resnet-8 other.safetensors --seed 8 --classes 4 --input 3x16x16
cmp -s own.safetensors other.safetensors && fail "another seed gave the same bytes"

# The source must survive, under whatever name.
cp own.safetensors before
usage_error "is the source itself" convert own.safetensors own.safetensors
ln -s own.safetensors link.safetensors
usage_error "is the source itself" convert own.safetensors link.safetensors
cmp -s own.safetensors before || fail "the source was changed"
mkdir folder
failure "folder" convert own.safetensors folder --format resnet
[ "$(find . -name '*.tmp*' | wc -l)" -eq 0 ] || fail "temporary files are left"

# State dicts alone tell the networks, their own size apart.
for model in wrn-10-2 "resnet-8:unit=preact;shortcut=B;widen=3" preact-20; do
    expect 0 "$RESNET" convert "$model" fresh.safetensors
    expect 0 "$RESNET" convert fresh.safetensors fresh.pth
    expect 0 "$RESNET" convert fresh.pth again.pth
    cmp -s fresh.pth again.pth || fail "$model: the state dict is not what went in"
done
expect 0 "$RESNET" convert resnet-8 small.pth --input 3x16x16
{
    printf 'P6\n16 16\n255\n'
    head -c 768 "$RESNET"
} >small.ppm
expect 0 "$RESNET" predict small.pth small.ppm --input 3x16x16
usage_error "'--input' has 1 channels, the network of 'small.pth' 3" \
    predict small.pth small.ppm --input 1x16x16
expect 0 "$RESNET" convert vgg-11 vgg.safetensors --input 3x32x32 --classes 10
usage_error "'classifier.0.weight' of the weights has .* pictures of its own size only" \
    eval vgg.safetensors --data shapes:test=4 --protocol single --crop 64

# There and back: the bytes are the same.
expect 0 "$RESNET" convert own.safetensors state.safetensors --format safetensors
holds out "^own.safetensors: resnet"
holds out "^  model  *resnet-8 (as the file says)"
holds out "^wrote state.safetensors: safetensors"
expect 0 "$RESNET" convert state.safetensors back.safetensors
holds out "^state.safetensors: safetensors"
[ ! -s err ] || fail "a note where nothing is assumed: $(cat err)"
cmp -s own.safetensors back.safetensors || fail "safetensors: not what went in"
expect 0 "$RESNET" convert own.safetensors model.onnx
expect 0 "$RESNET" convert model.onnx back.safetensors
holds out "^model.onnx: onnx"
cmp -s own.safetensors back.safetensors || fail "onnx: not what went in"
# Two files, as PyTorch's exporter writes them, taken from wherever they are.
expect 0 "$RESNET" convert "$SOURCE/tests/store/onnx/default.onnx" default.safetensors
cp "$SOURCE/tests/store/onnx/default.onnx" alone.onnx
failure "'alone.onnx': tensor 'units.1.conv1.weight': cannot open './default.onnx.data': No such file" \
    convert alone.onnx never.safetensors
[ ! -e never.safetensors ] || fail "half a model is written"
expect 0 "$RESNET" convert own.safetensors folded.onnx --fold
expect 0 "$RESNET" convert own.safetensors model.pth
holds err "^resnet: note: a PyTorch file holds weights only"
[ "$(wc -l <err)" -eq 1 ] || fail "not one note: $(cat err)"
expect 0 "$RESNET" convert model.pth back.safetensors --input 3x16x16 --mean 0,0,0
holds out "^model.pth: torch"
holds out "^  model  *resnet-8 (inferred from the tensors' names and shapes)"

# Another program's file: nothing but names, shapes and values.
python=$(command -v python3) || python=
if [ -n "$python" ]; then
    "$python" - own.safetensors foreign.safetensors <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
del header["__metadata__"]
renamed = {name.replace("fc.", "linear."): value for name, value in header.items()}
text = json.dumps({"module." + name: value for name, value in renamed.items()}).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + length:])
END
    printf 'cat\ndog\nbird\nfish\n' >labels
    expect 0 "$RESNET" convert foreign.safetensors a.safetensors --labels labels
    holds out "^  model  *resnet-8 (inferred from the tensors' names and shapes)"
    holds out "^  input  *3 x 32 x 32, 4 classes"
    holds out "mean 0.485,0.456,0.406, deviation 0.229,0.224,0.225 (assumed: "
    holds out "^  labels  *cat, dog, bird, fish$"
    expect 0 "$RESNET" convert foreign.safetensors b.safetensors --input 3x16x16 \
        --mean 0.5,0.5,0.5 --deviation 0.25,0.25,0.25 --model plain-8
    holds out "^  model  *plain-8 (as told)"
    holds out "^  input  *3 x 16 x 16, 4 classes"
    holds out "mean 0.5,0.5,0.5, deviation 0.25,0.25,0.25 (as told)"

    usage_error "as 'resnet-14': tensor 'layer1.1.conv1.weight' is missing" \
        convert foreign.safetensors c.safetensors --model resnet-14
    usage_error "'--seed' is for a network's name" \
        convert foreign.safetensors c.safetensors --seed 1
    usage_error "mean and deviation of 1 channel told, the model has 3" \
        convert foreign.safetensors c.safetensors --mean 0.5
    usage_error "'--deviation' is given without '--mean'" \
        convert foreign.safetensors c.safetensors --deviation 1,1,1
    usage_error "'--mean' has 3 numbers, '--deviation' 2" \
        convert foreign.safetensors c.safetensors --mean 0,0,0 --deviation 1,1
    for value in '' ',' '1,' '1,,2' x '1,nan,2' '0x1,2,3' '1, 2,3' '1e9,1,1'; do
        usage_error "'--mean'" convert foreign.safetensors c.safetensors --mean "$value"
    done
    usage_error "'--deviation' expects numbers above 0" \
        convert foreign.safetensors c.safetensors --mean 0,0,0 --deviation 1,0,1
    usage_error "'--input' has 1 channels, the network of 'foreign.safetensors' 3" \
        convert foreign.safetensors c.safetensors --input 1x32x32
    usage_error "'--weights ema': this file holds no moving average" \
        convert foreign.safetensors c.safetensors --weights ema
    printf 'cat\n\ndog\n' >gap
    failure "'gap': line 2 is empty" convert foreign.safetensors c.safetensors --labels gap
    printf 'cat\ndog\0' >nul
    failure "'nul': NUL in a line" convert foreign.safetensors c.safetensors --labels nul
    failure "'/dev/zero' is not a regular file" \
        convert foreign.safetensors c.safetensors --labels /dev/zero
    seq 9999 | tr -d '\n' >long
    failure "'long': line of more than 4095 bytes" \
        convert foreign.safetensors c.safetensors --labels long
    failure "cannot open 'no-labels'" convert foreign.safetensors c.safetensors --labels no-labels
    printf 'cat\ndog\n' >short
    usage_error "2 labels told, the model has 4 classes" \
        convert foreign.safetensors c.safetensors --labels short
    [ ! -e c.safetensors ] || fail "a refused conversion left a file"

    # The other commands take it too, and say what they assumed.
    expect 0 "$RESNET" summary foreign.safetensors
    holds out "^resnet-8: 8 layers deep"
    holds err "^resnet: note: 'foreign.safetensors' taken as 'resnet-8' by its tensors' names"
    [ "$(wc -l <err)" -eq 1 ] || fail "more than one note: $(cat err)"
    expect 0 "$RESNET" data show shapes:train=16,test=16 --sheet sheet.png
    expect 0 "$RESNET" predict foreign.safetensors sheet.png --csv
    holds err "does not say its preprocess, taken as: mean 0.485,0.456,0.406, deviation 0.229"
    [ "$(wc -l <err)" -eq 2 ] || fail "not two notes: $(cat err)"
    cp out assumed
    expect 0 "$RESNET" predict foreign.safetensors sheet.png --csv --mean 0.485,0.456,0.406 \
        --deviation 0.229,0.224,0.225 --model resnet-8
    [ ! -s err ] || fail "a note though all is told: $(cat err)"
    cmp -s out assumed || fail "what is told differs from the same assumed"
    expect 0 "$RESNET" predict a.safetensors sheet.png --csv
    grep -q '"cat"\|"dog"\|"bird"\|"fish"' out || fail "labels are lost: $(cat out)"
else
    echo "skipped: no python3 to write another program's file with"
fi

# A training's folder and checkpoints.
# shellcheck disable=SC2086 # a list of words
expect 0 "$RESNET" train resnet-8 $tiny --iterations 4 --ema 0.9 --out run --quiet
expect 0 "$RESNET" convert run final.safetensors --format safetensors
holds out "^run/model.safetensors: resnet"
checkpoint=$(find run -name 'checkpoint-*' | head -1)
expect 0 "$RESNET" convert "$checkpoint" ema.safetensors --format safetensors
holds out "^  weights  *moving average (EMA)"
cmp -s ema.safetensors final.safetensors || fail "the final model is not the moving average"
expect 0 "$RESNET" convert "$checkpoint" last.safetensors --format safetensors --weights last
holds out "^  weights  *the last"
cmp -s ema.safetensors last.safetensors && fail "--weights last gave the moving average"
expect 0 "$RESNET" eval final.safetensors --data "$tiny_data" --json
grep -v second out >a.json
expect 0 "$RESNET" eval run/model.safetensors --data "$tiny_data" --json
grep -v second out >b.json
cmp -s a.json b.json || fail "the converted model has other scores"
finish
