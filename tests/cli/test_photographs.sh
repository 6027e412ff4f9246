# Tools on photographs, which may be damaged and need not be split; and models with more classes
# than the data.
. "$SOURCE/tests/cli/lib.sh"

# picture FILE SEED: a PPM of 20 x 18 pixels
picture() {
    mkdir -p "$(dirname "$1")"
    { printf 'P6 20 18 255\n'; seq "$2" 999 | tr -d '\n' | head -c 1080; } >"$1"
}

for i in 1 2 3 4 5 6 7 8 9; do
    picture "one/c$((i % 3))/$i.ppm" $((100 + 7 * i))
    picture "two/train/c$((i % 3))/$i.ppm" $((100 + 7 * i))
    picture "two/val/c$((i % 3))/t$i.ppm" $((101 + 7 * i))
done
short="--recipe smoke --batch 4 --iterations 3 --lr 0.01 --schedule constant --threads 1 --quiet"
small="--input 3x16x16 $short"

# Without splits: what is shown is shown once, what is trained on is said to be the test set, and
# held-out pictures are all that is evaluated.
expect 0 "$RESNET" data show one
[ "$(grep -c 'encoded pictures' out)" -eq 1 ] || fail "the set is not shown once: $(cat out)"
holds out "^no splits: these are both the training and the test set"
holds out "class  *pictures$"
holds out "^  1  c1  *3$"
expect 0 "$RESNET" data show one --json
holds out '"same":[[:space:]]*true'
[ "$(grep -c '"count"' out)" -eq 2 ] || fail "not both sets in the JSON"
expect 0 "$RESNET" data show two
holds out "class  *train  *test$"
grep -q "no splits" out && fail "splits are not seen"
expect 0 "$RESNET" data pack one one.rnpack
holds out "one.rnpack: 9 pictures, .*, one set for training and test$"
expect 0 "$RESNET" data pack two two.rnpack
grep -q "one set" out && fail "splits are not packed"
expect 0 "$RESNET" data show one.rnpack
holds out "^no splits"
# shellcheck disable=SC2086 # options are words
for set in one one.rnpack; do
    expect 0 "$RESNET" train resnet-8 --data $set $small --out "run-$set"
    holds err "^resnet: note: '$set' has no splits: it is evaluated on the pictures that it is"
    holds out "^test accuracy .* of 9 right"
    expect 0 "$RESNET" train resnet-8 --data $set $small --hold-out 3 --out "held-$set"
    holds err "^resnet: note: '$set' has no splits: what is held out is all that is evaluated$"
    holds out "^validation accuracy .* of 3 right"
    grep -q '"set":.*"test"' "held-$set/log.jsonl" && fail "$set: evaluated what it learnt"
done
expect 0 "$RESNET" train --resume held-one --threads 1 --quiet

# Such a run is measured on what it held out, unless other pictures are asked for.
validation=$(grep -o '"set":"validation.*' held-one/log.jsonl | tail -1 | grep -o '"loss":[0-9.]\{6\}')
expect 0 "$RESNET" eval held-one --json --threads 1
holds out '"set":[[:space:]]*"one, 3 held out"'
tr -d '[:space:]' <out | grep -q "$validation" || fail "other pictures than those held out"
expect 0 "$RESNET" eval held-one/best.safetensors --data one --threads 1
holds out "^one, 3 held out: 3 images"
ln -s one same
for name in one/ ./one "$PWD/one/../one" same; do
    expect 0 "$RESNET" eval held-one --data "$name" --threads 1
    holds out "3 held out: 3 images"
done
cp held-one/best.safetensors copied.safetensors
expect 0 "$RESNET" eval copied.safetensors --data one --threads 1
holds err "note: 'copied.safetensors' held out 3 pictures of what it was trained on, but no run.json"
holds out "9 images"
expect 0 "$RESNET" eval held-one --split train --threads 1
holds out "9 images"
expect 0 "$RESNET" eval held-one --data two --threads 1
holds out "^two test: 9 images"
expect 0 "$RESNET" eval run-one --threads 1
holds out "9 images"
expect 0 "$RESNET" bn-recalibrate held-one --out new.safetensors --threads 1
holds out "^one, 3 held out: 3 images$"
picture one/c0/more.ppm 1
usage_error "one has 10 pictures, the run was on 9: .*; '--split train' takes all" \
    eval held-one --threads 1
rm one/c0/more.ppm

# One split alone.
mkdir alone
cp -r two/train alone
failure "'alone' has no test pictures: .*; '--split train' packs" data pack alone alone.rnpack
expect 0 "$RESNET" data pack alone alone.rnpack --split train
expect 0 "$RESNET" data show alone
holds out "^no test pictures$"
holds out "class  *train$"
expect 0 "$RESNET" data show alone --json
holds out '"test":[[:space:]]*null'
# shellcheck disable=SC2086
failure "no test pictures: .*; '--hold-out N' sets some of the training pictures aside" \
    train resnet-8 --data alone $small --out none
[ ! -e none ] || fail "a refused training left a folder"
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data alone $small --hold-out 3 --out held
holds out "^validation accuracy"
expect 0 "$RESNET" eval held --threads 1
holds out "held out: 3 images"
mv alone/train alone/val
failure "has no training pictures" train resnet-8 --data alone --out none
expect 0 "$RESNET" data show alone
holds out "^no training pictures$"
failure "no folder\|cannot open\|'gone'" data show gone

# A whitened first convolution, fine-tuning's learning rate by both of its names.
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data two $small --whiten 5 --out white
# shellcheck disable=SC2086
for name in lr-head head-lr; do
    expect 0 "$RESNET" train resnet-8 --data two $small --$name 5 --out $name
done
cmp -s lr-head/model.safetensors head-lr/model.safetensors || fail "--head-lr is not --lr-head"
# shellcheck disable=SC2086
usage_error "option '--lr-head' is given twice" train resnet-8 $small --lr-head 5 --head-lr 6
expect 0 "$RESNET" train --help
holds out "--lr-head FACTOR"
grep -q "head-lr" out && fail "the older name is shown"

# Names of classes need not be UTF-8. A model file holds them repaired, which makes two of these
# equal, and is known again by them.
for i in 1 2 3 4 5 6; do
    picture "latin/$(printf '%b' "caf\\035$((i % 2))")/$i.ppm" $((100 + 7 * i))
    picture "latin/tea/$i.ppm" $((200 + 7 * i))
done
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data latin $small --out latin-run
expect 0 "$RESNET" train --resume latin-run --threads 1 --quiet
expect 0 "$RESNET" eval latin-run --per-class --threads 1
[ "$(grep -c "^caf.*  *3  " out)" -eq 2 ] || fail "not two classes of 3 pictures: $(cat out)"
# shellcheck disable=SC2086
expect 0 "$RESNET" train --from latin-run/model.safetensors --data latin $small --out latin-on
grep -q "starts anew" latin-on/log.jsonl && fail "the last layer is not kept"

# Colours may be seen in gray.
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data two $short --input 1x16x16 --normalize channel --out gray
expect 0 "$RESNET" eval gray --threads 1

# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data two $small --memory 1G --out limited
expect 0 "$RESNET" train --resume limited --memory 2G --threads 1 --quiet
# shellcheck disable=SC2086
failure "memory" train resnet-8 --data two $small --memory 100K --out none

# Photographs are evaluated at the network's own size, oblong as it may be, by training as by eval.
# loss_of RUN: the last test loss that the training logged
loss_of() {
    grep '"set":"test"' "$1/log.jsonl" | tail -1 | sed 's/.*"loss":\([0-9.]\{6\}\).*/\1/'
}
for set in "oblong --input 3x16x24 --normalize pixel-mean" "ratio --input 3x30x30 --crop-ratio 0.5"; do
    # shellcheck disable=SC2086
    expect 0 "$RESNET" train resnet-8 --data two $short --out $set
    run=${set%% *}
    expect 0 "$RESNET" eval "$run" --json --threads 1
    holds out "\"loss\":[[:space:]]*$(loss_of "$run")"
    cp out "$run.json"
done
holds oblong.json '"resize":[[:space:]]*16'
holds oblong.json '"crop_width":[[:space:]]*24'
holds ratio.json '"resize":[[:space:]]*60'
expect 0 "$RESNET" eval oblong --threads 1
holds out "^  views     single (16, crop 24 x 16), 1 a picture$"

expect 0 "$RESNET" convert ratio ratio.onnx
expect 0 "$RESNET" eval ratio.onnx --data two --json --threads 1
holds out '"resize":[[:space:]]*60'

# Predictions see what evaluations see.
for run in oblong ratio; do
    expect 0 "$RESNET" eval "$run" --save-logits scores.npy --threads 1
    picture=$(sed -n 2p scores.csv | cut -d , -f 2 | tr -d '"')
    values=$((12 * ($(wc -l <scores.csv) - 1)))
    od -An -v -t f4 -j $(($(wc -c <scores.npy) - values)) -N 12 scores.npy | tr -s ' ' '\n' | sed '/^$/d' | sort >expected
    expect 0 "$RESNET" predict "$run" "two/$picture" --json --top 3 --threads 1
    sed -n 's/.*"probability":[[:space:]]*\([0-9.e-]*\).*/\1/p' out | sort >found
    [ "$(wc -l <found)" -eq 3 ] || fail "not three classes: $(cat out)"
    paste expected found | awk '$1 - $2 > 1e-5 || $2 - $1 > 1e-5 { bad = 1 } END { exit bad }' ||
        fail "$run: predicted $(tr '\n' ' ' <found), evaluated $(tr '\n' ' ' <expected)"
done

# Running statistics: of the training set, told of what is damaged once.
expect 0 "$RESNET" bn-recalibrate white --out new.safetensors --threads 1
holds out "^two train: 9 images in one batch"
holds out "^two test: 9 images$"
holds out "error .*% before, .*% after"
[ ! -s err ] || fail "something is said: $(cat err)"
expect 0 "$RESNET" eval new.safetensors --data two --threads 1
expect 0 "$RESNET" bn-recalibrate white --out again.safetensors --threads 2
expect 0 "$RESNET" diff new.safetensors again.safetensors --threads 1
expect 0 "$RESNET" bn-recalibrate white --data two.rnpack --out pack.safetensors --threads 1
cmp -s new.safetensors pack.safetensors || fail "a pack gives other statistics"
head -c 50 two/train/c1/4.ppm >cut.ppm
mv cut.ppm two/train/c1/4.ppm
echo nonsense >two/val/c2/t8.ppm
expect 0 "$RESNET" bn-recalibrate white --out skipped.safetensors --batch 3 --threads 1 --json
[ "$(grep -c "note: left out: 'train/c1/4.ppm'" err)" -eq 1 ] || fail "not named once: $(cat err)"
[ "$(grep -c "note: left out: 'val/c2/t8.ppm'" err)" -eq 1 ] || fail "not named once: $(cat err)"
holds out '"images":[[:space:]]*8'
holds out '"skipped":[[:space:]]*1'
holds out '"smallest_batch":[[:space:]]*2'
failure "'val/c2/t8.ppm': " bn-recalibrate white --bad-images stop --out none.safetensors --threads 1
failure "'train/c1/4.ppm': " bn-recalibrate white --bad-images stop --no-evaluate \
    --out none.safetensors --threads 1
[ ! -e none.safetensors ] || fail "a failed command left a file"
echo nonsense >one/c0/3.ppm
expect 0 "$RESNET" bn-recalibrate white --data one --out skipped.safetensors --threads 1
[ "$(grep -c "left out: 'c0/3.ppm'" err)" -eq 1 ] || fail "not named once: $(cat err)"
holds out "^skipped 1 that could not be read$"

expect 0 "$RESNET" data show one --sheet sheet.png
[ "$(grep -c "left out: 'c0/3.ppm'" err)" -eq 1 ] || fail "not named once: $(cat err)"
[ "$(od -An -tu1 -j20 -N4 sheet.png | tr -d ' ')" = 000$((2 + 3 * 66)) ] ||
    fail "the sheet is not three rows high"

# Features of a data set are those of its files, in its order, with names and labels.
expect 1 "$RESNET" features white --data two --split train --out set.npy --threads 1 --batch 3
holds out "^set.npy: 8 x 64 of 'avgpool'; set.labels.npy; set.txt$"
[ "$(grep -c "^resnet: error: 'train/c1/4.ppm'" err)" -eq 1 ] || fail "not named once: $(cat err)"
sed 's|^|two/|' set.txt >names
[ "$(wc -l <names)" -eq 8 ] || fail "names: $(cat names)"
expect 0 "$RESNET" features white --files-from names --out files.npy --threads 1 --batch 3
cmp -s set.npy files.npy || fail "the files' features are others"
[ "$(tail -c 32 set.labels.npy | od -An -td4 | tr -s ' \n' ' ')" = " 0 0 0 1 1 2 2 2 " ] ||
    fail "labels: $(tail -c 32 set.labels.npy | od -An -td4)"
failure "'train/c1/4.ppm'" features white --data two --split train --out none.npy --bad-images stop
expect 0 "$RESNET" features white --data two.rnpack --split train --out pack.npy --names pack.names
[ "$(wc -l <pack.names)" -eq 9 ] || fail "--names: $(cat pack.names)"
[ -z "$(find . -name 'none*' -o -name '*tmp*')" ] || fail "files are left"

# What predict does with them.
expect 1 "$RESNET" predict white two/train --threads 1 --csv
[ "$(wc -l <out)" -eq 9 ] || fail "not a line for each of the others: $(cat out)"
failure "'two/train/c1/4.ppm'" predict white two/train --threads 1 --json --bad-images stop
tail -1 out | grep -q "}]$" || fail "the array is not closed"

# More classes than the data has: all are answers, those without pictures have no accuracy.
# shellcheck disable=SC2086
expect 0 "$RESNET" train resnet-8 --data one --classes 5 $small --out more
expect 0 "$RESNET" eval more --per-class --bad-images skip --threads 1
holds out "^  accuracy "
[ "$(grep -c "^[c34][0-9]*  *[0-9]" out)" -eq 5 ] || fail "not five classes: $(cat out)"
holds out "^4  *0  *0 *$"
# shellcheck disable=SC2086 # options are words
expect 0 "$RESNET" train resnet-8 $tiny --classes 12 --iterations 3 --out images --quiet
expect 0 "$RESNET" eval images --confusion --threads 1
holds out "^11  *0  *0 *$"
expect 0 "$RESNET" eval images --protocol whole --json --threads 1
holds out '"11"'
usage_error "'--names': the images of shapes test (seed 1) have none" features images \
    --data "$tiny_data" --names x --out none.npy
expect 0 "$RESNET" bn-recalibrate images --out new.safetensors --threads 1
usage_error "two.rnpack test has 3 classes, the model has 12, of which none is called 'c0'" \
    eval images --data two.rnpack --threads 1
finish
