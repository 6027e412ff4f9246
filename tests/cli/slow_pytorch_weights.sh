# Networks that PyTorch trained, on CIFAR-10's test set: as many wrong as PyTorch itself counts, which
# are the errors published with them (8.27 and 7.37 %).
# RESNET_DATA: the folder of weights/ and cifar10/; RESNET_CIFAR10: CIFAR-10 in its binary form.
. "$SOURCE/tests/cli/lib.sh"

data=${RESNET_DATA:-$SOURCE/../shared/data}
[ -d "$data/weights" ] || skip "no trained weights in '$data'"
cifar=${RESNET_CIFAR10:-}
if [ -z "$cifar" ]; then
    [ -f "$data/cifar10/unpack.py" ] || skip "no CIFAR-10 in '$data'"
    python3 -c 'import PIL' 2>/dev/null || skip "python3 has no pillow, which CIFAR-10 is unpacked with"
    cifar=$PWD/cifar
    python3 "$data/cifar10/unpack.py" "$cifar" >unpacking 2>&1 ||
        { cat unpacking; fail "CIFAR-10 cannot be unpacked"; finish; }
fi

# wrong FILE COUNT: eval counts exactly so many of 10,000.
wrong() {
    "$RESNET" eval "$1" --data "$cifar" --json >scores 2>notes || {
        fail "$1: $(cat notes)"
        return
    }
    grep -q "\"count\":[[:space:]]*10000" scores || fail "$1: not 10,000 pictures"
    grep -q "\"wrong\":[[:space:]]*$2," scores ||
        fail "$1: $(grep '"wrong"' scores) instead of $2"
}

wrong "$data/weights/resnet20-12fca82f.th" 827
wrong "$data/weights/resnet32-d509ac18.th" 737

# The same through every other format.
for format in resnet safetensors torch onnx; do
    expect 0 "$RESNET" convert "$data/weights/resnet20-12fca82f.th" "model-$format" --format "$format"
    wrong "model-$format" 827
done
finish
