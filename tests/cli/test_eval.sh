# Evaluation over views: protocols, ensembles, files, pictures that cannot be read.
. "$SOURCE/tests/cli/lib.sh"

# shellcheck disable=SC2086 # options are words
"$RESNET" train resnet-8 --iterations 4 --out run $tiny --quiet || fail "no run"
# shellcheck disable=SC2086
"$RESNET" train resnet-8 --iterations 4 --seed 2 --out other $tiny --quiet || fail "no second run"

# As it is, the picture is what it always was.
expect 0 "$RESNET" eval run --threads 1
grep "right$\|wrong$\|loss" out >usual
expect 0 "$RESNET" eval run --protocol whole --threads 1
holds out "^  views     whole (as it is), 1 a picture$"
grep "right$\|wrong$\|loss" out | cmp -s - usual || fail "another result: $(cat out)"

expect 0 "$RESNET" eval run --protocol ten --resize 30 --crop 24 --filter bicubic --threads 1
holds out "^  views     ten (30, crop 24; bicubic), 10 a picture, probabilities averaged$"
expect 0 "$RESNET" eval run --protocol multi-scale --scales 24,40 --mirror --average logits --threads 1
holds out "^  views     multi-scale (24, 40; mirrored), 4 a picture, logits averaged$"
expect 0 "$RESNET" eval run --protocol single --json --threads 1
holds out '"protocol":.*"single"'
holds out '"resize":.*32' # all of a small picture
holds out '"crop":.*32'
holds out '"weights":.*"model"' # which holds one set, whatever the training averaged
expect 0 "$RESNET" eval run/checkpoint-4.safetensors --data "$tiny_data" --json --threads 1
holds out '"weights":.*"last"'
expect 0 "$RESNET" eval --help
holds out "by default 128, by views 32"
expect 0 "$RESNET" eval run other --data "$tiny_data" --threads 1
holds out "^  views     whole (as it is), 1 a picture, 2 models, probabilities averaged$"

# Files.
expect 0 "$RESNET" eval run --confusion c.csv,c.png,c.svg --threads 1
[ "$(wc -l <c.csv)" -eq 11 ] || fail "not a row a class and one more"
holds c.csv '^label,"'
[ "$(head -c 4 c.png | tail -c 3)" = PNG ] || fail "no picture"
expect 0 "$RESNET" plot c.csv --what confusion
cmp -s confusion.svg c.svg || fail "the file drawn is not the matrix drawn"
expect 0 "$RESNET" eval run --protocol whole --save-logits s.npy --average logits --threads 1
[ "$(wc -c <s.npy)" -eq $((192 + 64 * 10 * 4)) ] || fail "s.npy has $(wc -c <s.npy) bytes"
head -c 192 s.npy | grep -aq "'<f4', 'fortran_order': False, 'shape': (64, 10), }  *$" ||
    fail "not NumPy's header"
[ "$(wc -l <s.csv)" -eq 65 ] || fail "not a line a picture and one more"
holds s.csv '^63,"63","'

# Weights that are not finite are told of (in a file without checksums).
expect 0 "$RESNET" convert run/model.safetensors plain.safetensors --format safetensors
size=$(wc -c <plain.safetensors)
head -c $((size - 4)) plain.safetensors | LC_ALL=C sed 's/_crc32"/_other"/g' >nan.safetensors
printf '\377\377\377\377' >>nan.safetensors
expect 0 "$RESNET" eval nan.safetensors --data "$tiny_data" --threads 1
holds err "note: 'nan.safetensors': 1 of [0-9]* parameters are not finite"
expect 0 "$RESNET" eval plain.safetensors --data "$tiny_data" --threads 1
grep -q "not finite" err && fail "finite weights are told of"

for files in a.csv,,b.csv ,a.csv 'a.csv,'; do
    usage_error "'--confusion' expects names of files with a comma between, found '$files'" \
        eval run --confusion $files
done
usage_error "the list of '--save-logits' are one file, 'c.csv'" \
    eval run --protocol whole --save-logits c.npy --confusion ./c.svg,./c.csv --threads 1
usage_error "option '--filter' needs '--protocol'" eval run --filter bicubic
usage_error "option '--filter': protocol 'whole' has none" eval run --protocol whole \
    --filter bicubic --threads 1
usage_error "'--confusion' expects files that end in .csv, .svg or .png" eval run --confusion c.txt
usage_error "'--save-logits' expects a name that ends in .npy" \
    eval run --protocol whole --save-logits x.bin --threads 1
usage_error "'--save-logits' needs '--protocol'" eval run --save-logits x.npy --threads 1
usage_error "'--tta' is for one model" eval run --protocol ten --tta flip --threads 1
usage_error "'--scales': protocol 'ten' has none" eval run --protocol ten --scales 3 --threads 1
usage_error "'--crop': protocol 'multi-scale'" eval run --protocol multi-scale --crop 3 --threads 1
for scales in "" 0 "3," 3,,4 4097 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 3x; do
    usage_error "'--scales' expects" eval run --protocol multi-scale --scales "$scales" --threads 1
done
usage_error "side of the crop is 9 pixels, expected 1 to 8" \
    eval run --protocol single --resize 8 --crop 9 --threads 1
failure "cannot write 'nowhere/s.npy'" eval run --protocol whole --save-logits nowhere/s.npy --threads 1
[ ! -e x.npy ] || fail "a refused command left a file"

# What cannot be written is said before the evaluation, and takes nothing away.
mkdir x.csv
echo old >x.npy
failure "cannot write 'x.csv': not a regular file" \
    eval run --protocol whole --save-logits x.npy --threads 1
[ "$(cat x.npy)" = old ] || fail "a refused command destroyed a file"
failure "cannot write 'nowhere/c.csv': No such file" eval run --confusion c.csv,nowhere/c.csv --threads 1
rmdir x.csv
if env --default-signal=INT true 2>/dev/null; then
    env --default-signal=INT "$RESNET" eval run --data shapes:train=1,test=30000 --protocol whole \
        --save-logits x.npy --threads 1 >out 2>err &
    pid=$!
    tries=0
    # Until it has its output open: without a name, or with a temporary one.
    until [ -n "$(find /proc/$pid/fd -lname "$PWD/#*" -o -lname "$PWD/x.npy*")" ] ||
        [ $tries -gt 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s INT $pid
    wait $pid
    got=$?
    [ $got -eq 130 ] || fail "exit status $got instead of 130 after SIGINT: $(cat err)"
    [ "$(cat x.npy)" = old ] || fail "an interrupted evaluation destroyed a file"
    [ -z "$(find . -name 'x.csv' -o -name '*.tmp*')" ] || fail "files are left"
fi

# Photographs: a folder a class, one that is none among them.
classes=$(head -1 c.csv | tr , '\n' | tail -n +2 | tr -d '"')
[ "$(echo "$classes" | wc -l)" -eq 10 ] || fail "not ten classes: $classes"
printf 'P6 5 3 255\n' >picture.ppm
printf '0123456789abcdefghijklmnopqrstuvwxyz0123456789' | head -c 45 >>picture.ppm
echo "$classes" | while read -r class; do
    mkdir -p "photos/$class"
    cp picture.ppm "photos/$class/a.ppm"
done
first=$(echo "$classes" | LC_ALL=C sort | head -1)
echo "no picture" >"photos/$first/b.ppm"
failure "'$first/b.ppm': not a picture" eval run --data photos --threads 1
expect 0 "$RESNET" eval run --data photos --bad-images skip --save-logits p.npy --threads 1
holds out "10 images"
holds out "^  views     single (32, crop 32), 1 a picture$"
holds out "^  skipped   1 that could not be read$"
[ "$(grep -c "left out: '$first/b.ppm': not a picture" err)" -eq 1 ] || fail "not named once"
holds p.csv "^,\"$first/b.ppm\",\"$first\",,\"'$first/b.ppm': not a picture"
[ "$(wc -c <p.npy)" -eq $((192 + 10 * 10 * 4)) ] || fail "p.npy has $(wc -c <p.npy) bytes"
expect 0 "$RESNET" eval run other --data photos --bad-images skip --protocol multi-scale \
    --scales 16,24 --workers 3 --threads 1
holds out "^  views     multi-scale (16, 24), 2 a picture, 2 models, probabilities averaged$"
finish
