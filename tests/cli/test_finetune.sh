# train --from: weights of any file, frozen stages, other classes, resuming.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
train() {
    "$RESNET" train "$@" $tiny --log-every 4
}

expect 0 train resnet-8 --iterations 16 --out base --quiet

# The model is the file's; the log and the checkpoint say where the weights came from.
expect 0 train --from base --iterations 8 --freeze-until stage2 --lr-head 10 --out tuned
holds out "^model *resnet-8$"
sum=$(sha256sum base/model.safetensors | cut -d ' ' -f 1)
for file in out tuned/log.jsonl; do
    holds $file "starts from the weights of model.safetensors sha256:$sum"
    holds $file "normalisation is that of the weights to start from"
done
grep -q "last layer starts anew" out && fail "the last layer is new for the same classes"
grep -qa "model.safetensors sha256:$sum" tuned/model.safetensors || fail "no source in the model"
holds tuned/run.json "/base/model.safetensors\""
holds tuned/recipe.json '"freeze_until":[[:space:]]*"stage2"'
expect 1 "$RESNET" diff base tuned --all
grep -E "^! +(conv1|bn1|layer[12])" out && fail "a frozen layer has moved"
holds out "^! layer3.0.conv1.weight"
holds out "^! layer3.0.bn1.running_mean"

# Resumed, bit for bit the same, and without the file.
cp -r tuned part
rm part/model.safetensors part/best.safetensors part/checkpoint-8.safetensors
expect 0 train --from base --iterations 8 --freeze-until stage2 --lr-head 10 --out part2 \
    --checkpoint-every 3
rm part2/model.safetensors part2/checkpoint-8.safetensors
mv base moved
expect 0 "$RESNET" train --resume part2
cmp -s tuned/model.safetensors part2/model.safetensors || fail "resumed, another model"
mv moved base
for out in base ./base/ "$PWD/base"; do
    usage_error "'--force' would delete 'base/model.safetensors'" train --from base --out "$out" --force
done
[ -e base/model.safetensors ] || fail "--force has deleted what --from starts from"
usage_error "'--resume' and '--from' exclude each other" train --resume tuned --from base
usage_error "'--resume' and '--classes' exclude each other" train --resume tuned --classes 12
usage_error "'freeze_until' is \"stage2\", but \"stage1\" is asked for" \
    train --resume tuned --freeze-until stage1

# A run killed before its first checkpoint starts from the file again, wherever it is resumed.
rm part/checkpoint-*
(mkdir -p elsewhere && cd elsewhere && expect 0 "$RESNET" train --resume ../part)
cmp -s tuned/model.safetensors part/model.safetensors || fail "restarted, another model"

# Files of other programs; MODEL says what a state dict does not.
expect 0 "$RESNET" convert base base.pth
expect 0 "$RESNET" convert base base.onnx
expect 0 train --from base.pth --iterations 1 --out pth
holds err "note: 'base.pth' taken as 'resnet-8'"
holds out "last layer starts anew: class 0 is '.*' instead of '0'"
expect 0 train plain-8 --from base.pth --iterations 1 --out plain
holds out "^model *plain-8$"
expect 0 train --from base.onnx --iterations 1 --out onnx
grep -q "starts anew" out && fail "ONNX metadata: the last layer is new"

expect 0 train --from base/checkpoint-16.safetensors --iterations 1 --out checkpoint

# Classes: more than the data has; fewer are refused.
expect 0 train --from base --classes 12 --iterations 1 --out twelve
holds out "the last layer starts anew: 12 classes instead of 10"
expect 0 train --from twelve --classes auto --iterations 1 --out ten
holds out "the last layer starts anew: 10 classes instead of 12"
usage_error "has 10 classes .* the network is for 9 classes" train --from base --classes 9 --out no
usage_error "'--classes' expects auto or a number from 1 to 1000000, found 'many'" \
    train --from base --classes many --out no

# What cannot be, said before anything is written.
usage_error "of 'resnet-8', not of 'resnet-14': there .* here 'layer1.1.conv1' is conv" \
    train resnet-14 --from base --out no
usage_error "'resnet-8' has no part 'stage4' to freeze, expected stem, stage1 to stage3 or all" \
    train --from base --freeze-until stage4 --out no
usage_error "'freeze_until' is 'stage9', expected none, stem, .* or all" train --from base --freeze-until stage9
usage_error "'--freeze-until stem' without '--from'" train resnet-8 --freeze-until stem --out no
usage_error "'--normalize' is none, but the weights of .* expect channel" \
    train --from base --normalize none --out no
usage_error "'--whiten' and '--from' exclude each other" train --from base --whiten 100 --out no
usage_error "images, the network is for 10 classes of 3 x 16 x 16" \
    train --from base --input 3x16x16 --out no
failure "cannot open 'nothing.pth'" train --from nothing.pth --out no
echo nonsense >bad.pth
failure "bad.pth" train --from bad.pth --out no
[ ! -e no ] || fail "a refused training has left a folder"
finish
