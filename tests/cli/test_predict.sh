# Predict: what pictures may be, in which formats they are answered, class activation maps.
. "$SOURCE/tests/cli/lib.sh"

expect 0 "$RESNET" convert resnet-8 m.safetensors --classes 7 --seed 3 --input 3x8x8
predict() {
    "$RESNET" predict m.safetensors --threads 1 "$@"
}

# picture FILE LETTER: 5 x 3, gray
picture() {
    { printf 'P5 5 3 255\n'; printf '%015d' 0 | tr 0 "$2"; } >"$1"
}

mkdir -p tree/b tree/a tree/.hidden empty
picture tree/z.pgm a
picture tree/b/1.pgm b
picture tree/a/2.PGM c
picture tree/.hidden/h.pgm d
echo text >tree/notes.txt

# Folders, recursively and in order; patterns; lists; standard input.
expect 0 predict tree --format csv
printf '"tree/a/2.PGM"\n"tree/b/1.pgm"\n"tree/z.pgm"\n' >wanted
sed 1d out | cut -d, -f1 | cmp -s - wanted || fail "folder: $(cat out)"
expect 0 predict 'tree/*/*.[pP]*'
[ "$(wc -l <out)" -eq 2 ] || fail "a pattern of two: $(cat out)"
picture 'a[1].pgm' e
expect 0 predict 'a[1].pgm' # a file first
expect 0 predict --files-from - </dev/null
[ ! -s out ] || fail "an empty list gives something"
printf 'tree/z.pgm\n\ntree/b/1.pgm' | predict --files-from - --csv >out || fail "list"
[ "$(sed 1d out | cut -d, -f1 | tr '\n' ' ')" = '"tree/z.pgm" "tree/b/1.pgm" ' ] || fail "list"
predict tree/z.pgm --csv | sed 1d | cut -d, -f2- >wanted
predict - --csv <tree/z.pgm | sed 1d | cut -d, -f2- | cmp -s - wanted || fail "standard input"
expect 1 predict - # empty
holds err "standard input: file is empty"

failure "'/dev/zero': NUL in a line" predict m.safetensors --files-from /dev/zero
seq 9999 | tr -d '\n' >long
failure "'long': line of more than 4095 bytes" predict m.safetensors --files-from long -0
mkdir bitmap
echo BM >bitmap/a.bmp
expect 1 predict bitmap
holds err "'bitmap' holds no pictures"

# What of a folder cannot be read is named and counted.
mkdir -p links/in broken
cp tree/z.pgm links/in
ln -s nowhere links/in/dead.png
ln -s nowhere links/in/dead.txt
ln -s nowhere broken/dead.jpg
expect 1 predict links --csv
[ "$(wc -l <out)" -eq 2 ] || fail "not one answer: $(cat out)"
[ "$(head -1 err)" = "resnet: error: cannot read 'links/in/dead.png': the link leads nowhere" ] ||
    fail "a dead link: $(cat err)"
holds err "that gave no picture: 1$"
expect 1 predict broken
grep -q "holds no pictures" err && fail "what cannot be read is not there: $(cat err)"
failure "cannot read 'links/in/dead.png'" predict m.safetensors links --bad-images stop
expect 1 "$RESNET" features m.safetensors links --out links.npy --threads 1
holds links.npy "'shape': (1, 64)"
holds err "'links/in/dead.png'"
if [ "$(id -u)" -ne 0 ]; then
    mkdir -p links/shut
    chmod 0 links/shut
    expect 1 predict links
    holds err "cannot read 'links/shut': Permission denied"
    expect 1 predict links/shut
    grep -q "holds no pictures" err && fail "what cannot be read is not there: $(cat err)"
    chmod 700 links/shut
fi

# Names with everything in them.
odd=$(printf 'tree/q"uo,te\nline.pgm')
picture "$odd" f
printf '%s\0' "$odd" tree/z.pgm | predict --files-from - -0 --format jsonl >out || fail "-0"
[ "$(wc -l <out)" -eq 2 ] || fail "not a line a picture"
sed -n 1p out | grep -q '^{"file":"tree/q\\"uo,te\\nline.pgm","predictions":\[{"label":' ||
    fail "JSON of an odd name: $(sed -n 1p out)"
expect 0 predict "$odd" --csv
sed -n 2p out | grep -q '^"tree/q""uo,te\\nline.pgm",1,' || fail "CSV of an odd name"
expect 0 predict "$odd"
[ "$(wc -l <out)" -eq 1 ] || fail "a newline in a name breaks the table"
holds out '^tree/q"uo,te\\nline.pgm  '
rm "$odd"

# Labels that speak to the terminal, and break lines.
hostile=$(printf 'a\033]0;PWN\007b\nc')
mkdir -p "hostile/$hostile" hostile/z
picture "hostile/$hostile/1.pgm" a
picture hostile/z/2.pgm b
expect 0 "$RESNET" train resnet-8 --data hostile --input 3x8x8 --recipe smoke --batch 2 \
    --iterations 1 --threads 1 --quiet --out h
plain() {
    tr -d '\n' <out >one
    LC_ALL=C grep -q '[[:cntrl:]]' one && fail "control characters: $*"
    grep -q 'a\\x1b\]0;PWN\\x07b\\nc' one || fail "the label is not shown: $*: $(cat out)"
}
for what in "predict h hostile --top 2" "predict h hostile --top 2 --csv" "eval h --confusion" \
    "data show hostile" "convert h h.onnx"; do
    # shellcheck disable=SC2086 # options are words
    expect 0 "$RESNET" $what
    plain "$what"
done
expect 0 "$RESNET" eval h --confusion h.csv --save-logits logits.npy
cat h.csv >out
plain "the confusion's file"
expect 1 "$RESNET" diff h m.safetensors
plain diff

# JSON is UTF-8, whatever a file is called.
latin=$(printf 'caf\351')
mkdir -p "french/$latin" french/z
picture "$latin.pgm" a
picture "french/$latin/1.pgm" a
picture french/z/2.pgm b
for what in "predict h $latin.pgm --json" "predict h $latin.pgm --format jsonl" "data show french --json"; do
    # shellcheck disable=SC2086 # options are words
    expect 0 "$RESNET" $what
    iconv -f UTF-8 -t UTF-8 out >/dev/null 2>&1 || fail "no UTF-8: $what"
    grep -q "$(printf '\357\277\275')" out || fail "the byte is lost: $what"
done

# Bad ones are named once, in their place, and the others are classified.
echo nonsense >bad.png
expect 1 predict tree/z.pgm bad.png empty no-such.png tree/b 'x*.png' --format jsonl
[ "$(wc -l <err)" -eq 5 ] || fail "not one line for each failure and one in the end: $(cat err)"
cut -c1-22 out >names
printf '{"file":"tree/z.pgm","\n{"file":"bad.png","err\n{"file":"no-such.png",\n{"file":"tree/b/1.pgm"\n' |
    cmp -s - names || fail "order with bad ones: $(cat names)"
expect 1 predict empty
holds err "'empty' holds no pictures"
expect 1 predict bad.png --json
holds out '^\[{'
holds out '^}\]$'

# 1,000 files: any batch, any number of workers, the same lines.
mkdir many
i=0
while [ $i -lt 1000 ]; do
    printf 'P5 2 1 255\n%02d' $((i % 100)) >many/$i.pgm
    i=$((i + 1))
done
expect 0 predict many --csv
[ "$(wc -l <out)" -eq 1001 ] || fail "not 1,000 answers"
cp out all
expect 0 predict many --csv --batch 7 --workers 5
cmp -s out all || fail "another batch gives other answers"
echo "nonsense" >many/500.pgm
expect 1 predict many --csv
[ "$(wc -l <out)" -eq 1000 ] || fail "not 999 answers"

# ImageNet's test server: five numbers a line, also for bad pictures.
expect 1 predict tree/z.pgm bad.png tree/b --format imagenet
[ "$(wc -l <out)" -eq 3 ] || fail "not a line a picture"
[ "$(sed -n 2p out)" = "1 2 3 4 5" ] || fail "bad picture: $(sed -n 2p out)"
holds err "lines are '1 2 3 4 5'"
holds err "class 0 is taken as ILSVRC2012_ID 1"
grep -vq '^[1-7] [1-7] [1-7] [1-7] [1-7]$' out && fail "not five numbers"
sed -n 1p out | tr ' ' '\n' | sed 's/$/00/' | tr '\n' ' ' >wanted
seq 100 100 700 >ids
expect 0 predict tree/z.pgm --format imagenet --class-ids ids
[ "$(cat out) " = "$(cat wanted)" ] || fail "--class-ids: $(cat out), wanted $(cat wanted)"
for i in 6 5 4 3 2 1 0; do echo "$i $(((i + 1) * 100))"; done >ids
expect 0 predict tree/z.pgm --format imagenet --class-ids ids
[ "$(cat out) " = "$(cat wanted)" ] || fail "--class-ids by label: $(cat out)"
seq 6 >ids
failure "'ids' has no number for class 6" predict m.safetensors tree/z.pgm --format imagenet \
    --class-ids ids
seq 995 1001 >ids
failure "line 7: expected a number from 1 to 1000, found '1001'" predict m.safetensors tree/z.pgm \
    --format imagenet --class-ids ids
printf '5\n5\n' >ids
failure "line 2: .* twice" predict m.safetensors tree/z.pgm --format imagenet --class-ids ids

usage_error "'--format' and '--json' exclude" predict m.safetensors tree --json --format csv
usage_error "'--top' is not for '--format imagenet'" predict m.safetensors tree --top 3 \
    --format imagenet
usage_error "'--class-ids' is for" predict m.safetensors tree --class-ids ids
usage_error "exclude each other" predict m.safetensors tree --files-from ids
usage_error "'--null' is given without" predict m.safetensors tree -0
usage_error "given 2 times" predict m.safetensors - -
failure "cannot open 'no-list'" predict m.safetensors --files-from no-list

# Class activation maps.
expect 0 predict tree/z.pgm --cam cam.png --cam-raw cam.npy --cam-class 2
head -c 4 cam.png | grep -q PNG || fail "no PNG"
holds cam.npy "'shape': (1, 2, 2)"
[ "$(wc -c <cam.npy)" -eq $((192 + 16)) ] || fail "size of the array of maps"
expect 1 predict tree bad.png --cam maps --cam-raw cam.npy
[ "$(cd maps && echo *)" = "000001-2.png 000002-1.png 000003-z.png" ] || fail "$(ls maps)"
holds cam.npy "'shape': (3, 2, 2)"
usage_error "for several it is a folder" predict m.safetensors many --cam cam.png
usage_error "'--cam-raw' expects a name that ends in .npy, found 'tree/z.pgm'" \
    predict m.safetensors --cam-raw tree/z.pgm tree/b/1.pgm
cp cam.png one.png
usage_error "'--cam' would replace the picture 'one.png' itself" predict m.safetensors one.png \
    --cam ./one.png
cmp -s cam.png one.png || fail "--cam has replaced the picture"
usage_error "no class '7', expected a label or 0 to 6" predict m.safetensors tree/z.pgm --cam c.png \
    --cam-class 7
usage_error "without '--cam'" predict m.safetensors tree/z.pgm --cam-class 1
expect 0 "$RESNET" convert fast-resnet-8 fast.safetensors
failure "no class activation maps: .*maxpool_last" predict fast.safetensors tree/z.pgm --cam c.png
finish
