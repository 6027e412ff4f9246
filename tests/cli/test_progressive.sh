# train --progressive: what is said and recorded, resuming, memory, and what is refused.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
train() {
    "$RESNET" train "$@" $tiny
}

sizes="--progressive 16:0.3,24:0.6"

# The log has a line where a size ends, and says when it changes.
# shellcheck disable=SC2086
expect 0 train resnet-8 --iterations 10 $sizes --log-every 4 --out whole
holds out "^note: images of 16 x 16 until step 3, then 24 x 24 until step 6, then 32 x 32$"
holds out "^note: image size 16 x 16 -> 24 x 24$"
holds out "^note: image size 24 x 24 -> 32 x 32$"
[ "$(grep -c '"event":[[:space:]]*"step"' whole/log.jsonl)" -eq 5 ] ||
    fail "not steps 3, 4, 6, 8 and 10: $(cat whole/log.jsonl)"
holds whole/log.jsonl 'image size 16 x 16 -> 24 x 24'
holds whole/recipe.json '"progressive":[[:space:]]*"16:0.3,24:0.6"'

# The recipe repeats it; a run that was killed goes on bit for bit, and says what is left.
expect 0 train resnet-8 --recipe whole/recipe.json --checkpoint-every 2 --out part
cmp whole/model.safetensors part/model.safetensors || fail "the recipe does not repeat the run"
rm part/model.safetensors part/best.safetensors part/checkpoint-8.safetensors \
    part/checkpoint-10.safetensors
expect 0 "$RESNET" train --resume part
holds out "^note: images of 32 x 32$"
cmp whole/model.safetensors part/model.safetensors || fail "resumed, another model"
usage_error "'progressive' is \"16:0.3,24:0.6\", but \"none\" is asked for" \
    train --resume part --progressive none

# An option turns a recipe's sizes off.
expect 0 train resnet-8 --recipe whole/recipe.json --progressive none --out off
grep -q "images of" out && fail "sizes that were turned off"
holds off/recipe.json '"progressive":[[:space:]]*"none"'

# What cannot be, said before anything is written.
for sizes in 16:0.6,24:0.3 24:0.3,16:0.6 16 16:1 16:0 x; do
    usage_error "'progressive' is .*, expected none or up to 8 SIZE:UNTIL" \
        train resnet-8 --progressive "$sizes" --out no
done
usage_error "'progressive' has size 32, expected less than the network's own 32 x 32" \
    train resnet-8 --progressive 16:0.3,32:0.6 --out no
usage_error "'progressive' has size 2, too small for 'resnet-8': 'layer3.0.conv1' sees a map of 1 x 1" \
    train resnet-8 --progressive 2:0.5 --out no
usage_error "'progressive' has size 16.*'vgg-11'" train vgg-11 --progressive 16:0.5 --out no
usage_error "'progressive' and normalisation 'pixel-mean' exclude each other" \
    train resnet-8 --recipe paper-cifar --progressive 16:0.5 --out no
[ ! -e no ] || fail "a folder is left of a training that never began"

# Photographs are cut to each size.
mkdir -p photos/train/a photos/val/a
for split in train val; do
    for i in 1 2 3 4; do
        { printf 'P6 20 20 255\n' && head -c 1200 /dev/zero; } >photos/$split/a/$i.ppm
    done
done
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data photos --input 3x16x16 --batch 2 --iterations 4 --threads 1 \
    --progressive 8:0.5 --out cut
holds out "^note: image size 8 x 8 -> 16 x 16$"
finish
