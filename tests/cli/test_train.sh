# Train, evaluate, predict, resume.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
train() {
    "$RESNET" train "$@" $tiny --log-every 4
}

expect 0 train resnet-8 --iterations 24 --out whole
holds out "step .*24/24 .*loss .*error .*lr .*images/s .*data wait .*ETA"
holds out "test accuracy .*% (.* of 64 right)"
holds out "resnet eval whole/model.safetensors"
cp out whole.out
grep -q "$(printf '\033')\|$(printf '\r')" out && fail "control characters in plain output"
for file in model.safetensors best.safetensors log.jsonl recipe.json environment.json run.json; do
    [ -s whole/$file ] || fail "no whole/$file"
done
[ "$(find whole -name 'checkpoint-*' | wc -l)" -le 3 ] || fail "more than 3 checkpoints kept"

expect 2 train resnet-8 --iterations 24 --out whole
holds err "'whole' already holds a run.*--resume.*--force"
expect 0 train resnet-8 --iterations 8 --out whole2 --quiet
expect 0 train resnet-8 --iterations 24 --out whole2 --quiet --force
cmp -s whole/model.safetensors whole2/model.safetensors || fail "the same run gives another model"
expect 0 train resnet-8 --iterations 4 --json
holds out '"folder":[[:space:]]*"runs/resnet-8-shapes"'
expect 0 train resnet-8 --iterations 4 --json
holds out '"folder":[[:space:]]*"runs/resnet-8-shapes-2"'

# Evaluation, of a file, a folder, a checkpoint; the data from run.json.
expect 0 "$RESNET" eval whole/model.safetensors --data $tiny_data
holds out "64 images"
holds out "accuracy .*%"
cp out first
expect 0 "$RESNET" eval whole --confusion
holds out "most often taken for"
expect 0 "$RESNET" eval whole/checkpoint-24.safetensors
sed '/speed/d' first >a
sed '/speed/d' out >b
cmp -s a b || fail "checkpoint and model differ"
expect 0 "$RESNET" eval whole --split train --json --weights last --batch 7
holds out '"count":[[:space:]]*256'
usage_error "no moving average" eval whole --weights ema
cp whole/model.safetensors alone.safetensors
usage_error "'--data' must say" eval alone.safetensors

# Prediction: any size, bad files reported, the others done.
printf 'P6 5 3 255\n' >small.ppm
head -c 45 /dev/zero >>small.ppm
printf 'P5 70 90 255\n' >gray.pgm
head -c 6300 /dev/zero | tr '\0' 'x' >>gray.pgm
expect 0 "$RESNET" predict alone.safetensors small.ppm gray.pgm --top 3
[ "$(wc -l <out)" -eq 6 ] || fail "not three lines a picture"
expect 0 "$RESNET" predict whole small.ppm --csv
[ "$(wc -l <out)" -eq 2 ] || fail "not two lines of CSV"
holds out '^"small.ppm",1,"[^"]*",[01]\.[0-9]*$'
echo nonsense >bad.png
expect 1 "$RESNET" predict whole bad.png small.ppm no-such.jpg gray.pgm
[ "$(wc -l <out)" -eq 2 ] || fail "good pictures beside bad ones are not classified"
[ "$(wc -l <err)" -eq 3 ] || fail "not one line for each bad picture and one in the end"
expect 1 "$RESNET" predict whole bad.png small.ppm --json
holds out '"error"'
failure "bad.png" predict bad.png small.ppm

# Resume: in parts as whole.
accuracy=$(sed -n '/accuracy/,/lowest test error/p' whole.out)
expect 0 "$RESNET" train --resume whole
grep -q "checkpoint-24" out || fail "a complete run that is resumed does not say from where"
holds out "^already complete: 24 steps$"
[ "$(sed -n '/accuracy/,/lowest test error/p' out)" = "$accuracy" ] ||
    fail "a complete run has another result when it is resumed: $(cat out)"
expect 0 "$RESNET" train --resume whole --json
holds out '"test_count":[[:space:]]*64'
holds out '"images_per_second":[[:space:]]*null'
cp -r whole part
rm part/model.safetensors part/best.safetensors
for checkpoint in part/checkpoint-*; do
    [ "$checkpoint" = part/checkpoint-16.safetensors ] || rm "$checkpoint"
done
expect 0 "$RESNET" train --resume part
cmp -s whole/model.safetensors part/model.safetensors || fail "the resumed model is another one"

usage_error "'batch' is 16, but 32 is asked for" train --resume part --batch 32
usage_error "'iterations' is 24, but 30" train --resume=part --iterations 30
expect 0 "$RESNET" train --resume part --batch 16
usage_error "'resnet-14' is asked for, but the run in 'part' trains 'resnet-8'" \
    train resnet-14 --out part --resume
usage_error "trains 'resnet-8'" train --resume part --shortcut B
usage_error "has 500 images, the run to resume was on 256" \
    train --resume part --data shapes:train=500,test=64
usage_error "exclude each other" train --resume part --force
expect 0 "$RESNET" train resnet-8 --out part --resume

# A damaged newest checkpoint is passed over; without any the run starts again.
cp -r whole damaged
rm damaged/model.safetensors
printf 'x' | dd of=damaged/checkpoint-24.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
expect 0 "$RESNET" train --resume damaged
holds out "damaged"
cmp -s whole/model.safetensors damaged/model.safetensors || fail "after damage: another model"
rm damaged/checkpoint-*
cksum damaged/*.safetensors >before
failure "'damaged' holds a trained model, but no checkpoint to go on from" train --resume damaged
cksum damaged/*.safetensors | cmp -s - before || fail "the models were replaced"
rm damaged/*.safetensors
expect 0 "$RESNET" train --resume damaged
cmp -s whole/model.safetensors damaged/model.safetensors || fail "started again: another model"
for file in damaged/*.safetensors; do
    : >"$file"
done
expect 1 "$RESNET" train --resume damaged
holds err "^resnet: error: .*damaged/checkpoint"
mkdir nothing
failure "'nothing' holds no run to resume" train --resume nothing

# One process trains in a folder: nothing of it is touched while another holds the lock.
cp -r whole taken
rm taken/model.safetensors
(cd taken && cksum ./*) >before
for words in "--resume taken" "resnet-8 --out taken --force --iterations 4 --data $tiny_data"; do
    # shellcheck disable=SC2086 # words
    expect 1 flock taken/train.lock "$RESNET" train $words
    holds err "^resnet: error: another process trains in 'taken'$"
done
(cd taken && cksum ./*) >after
cmp -s before after || fail "files of a running training are touched"
expect 0 "$RESNET" train --resume taken
expect 0 train resnet-8 --iterations 4 --out taken --force --quiet
rm taken/*.*s* # all but the lock
[ "$(ls taken)" = train.lock ] || fail "not only the lock is left: $(ls taken)"
failure "'taken' holds no run" train --resume taken
expect 0 train resnet-8 --iterations 4 --out taken --quiet

# run.json of one network, the checkpoint of another.
cp -r part mixed
sed 's/resnet-8/resnet-14/' part/run.json >mixed/run.json
failure "'mixed' holds two runs: run.json is of 'resnet-14', the checkpoint of 'resnet-8'" \
    train --resume mixed

# Recipe files and --set; what the file says is what the run records.
echo '{"base": "shapes", "batch": 8, "iterations": 4}' >mine.json
expect 0 "$RESNET" train resnet-8 --data $tiny_data --recipe mine.json --set lr=0.02 --out mine \
    --threads 1
holds mine/recipe.json '"batch":[[:space:]]*8'
holds mine/recipe.json '"lr":[[:space:]]*0.02'
sed -n 's/^[[:space:]]*"\([a-z_]*\)":.*/\1/p' mine/recipe.json >keys
while read -r key; do
    holds "$SOURCE/docs/cli.md" "^| .*\`$key\`"
done <keys
expect 0 "$RESNET" train resnet-8 --data $tiny_data --epochs 1 --batch 8 --train-images 20 \
    --out some --threads 1
holds out "; trained on: 20; test: "
holds out "^3 steps in"
for few in --hold-out --train-images; do
    usage_error "300 images to .* shapes train (seed 1) has 256" train resnet-8 --data $tiny_data \
        $few 300 --out many --threads 1
    [ ! -e many ] || fail "a folder is left of a training that never began"
done
expect 0 "$RESNET" train resnet-8 --data $tiny_data --iterations 1 --batch 2 --out one --threads 1
holds out " 1 step of batch 2, "
holds out "^1 step in "
failure "divergence\|diverged\|not finite" train resnet-8 --data $tiny_data --iterations 50 \
    --batch 16 --lr 1000 --schedule constant --out wild --threads 1 --quiet
finish
