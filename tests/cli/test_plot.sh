# Curves of runs, drawn.
. "$SOURCE/tests/cli/lib.sh"

result=$SOURCE/docs/results/cifar10-resnet-20-quick

is_png() {
    [ "$(od -An -tx1 -N4 "$1" | tr -d ' ')" = 89504e47 ] || fail "not PNG: $1"
}

is_xml() {
    command -v python3 >/dev/null || return 0
    python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$1" ||
        fail "not XML: $1"
}

# put_run FOLDER MODEL ERROR: ten steps and two evaluations.
put_run() {
    mkdir -p "$1"
    {
        echo '{"event":"start","iteration":0,"iterations":100,"epoch":0,"seconds":0,"text":"'"$2"'"}'
        for i in 10 20 30 40 50 60 70 80 90 100; do
            echo '{"event":"step","iteration":'$i',"epoch":'$i',"seconds":'$i',"loss":1,"error":'"$3"',"lr":0.1,"images_per_second":'$i'}'
        done
        for i in 50 100; do
            echo '{"event":"evaluation","iteration":'$i',"epoch":'$i',"seconds":'$i',"loss":2,"error":12,"set":"test"}'
        done
    } >"$1/log.jsonl"
}

# One run, in the file that is taken where none is named.
expect 0 "$RESNET" plot "$result"
[ "$(cat out)" = "error of 1 run: error.svg" ] || fail "not said what was drawn: $(cat out)"
is_xml error.svg
holds error.svg ">resnet-20</text>"
holds error.svg ">training error</text>"
holds error.svg ">test error</text>"
holds error.svg ">error (%)</text>"
holds error.svg ">thin: training error, each point the mean of 50 iterations; bold: test error</text>"
[ "$(wc -c <error.svg)" -lt 60000 ] || fail "a large picture: $(wc -c <error.svg) bytes"
expect 0 "$RESNET" plot "$result" --out -
cmp -s out error.svg || fail "standard output differs from the file"

# What, over what, how.
for what in loss lr rate; do
    expect 0 "$RESNET" plot "$result" --what $what --x time --smooth 5 --out $what.png
    is_png $what.png
done
expect 0 "$RESNET" plot "$result" --what lr --out -
holds out ">learning rate</text>"
grep -q "thin:" out && fail "evaluations of a learning rate"
expect 0 "$RESNET" plot "$result" --x time --smooth 5 --out -
holds out ">training time (minutes)</text>"
holds out "smoothed: moving mean of 5 points"
expect 0 "$RESNET" plot "$result" --log --ylim 1,100 --out -
holds out ">100</text>"

# Several runs: named by their models where these differ, else by their folders.
put_run runs/a resnet-20 30
put_run runs/b plain-20 40
put_run runs/c resnet-20 50
expect 0 "$RESNET" plot runs/a runs/b --out -
holds out ">resnet-20</text>"
holds out ">plain-20</text>"
expect 0 "$RESNET" plot runs --out -
for name in a b c; do
    holds out ">$name</text>"
done
expect 0 "$RESNET" plot runs --out all.svg
[ "$(cat out)" = "error of 3 runs: all.svg" ] || fail "not the number of runs: $(cat out)"
expect 0 "$RESNET" plot runs --label 'x<y,second,"third"' --out -
holds out ">x&lt;y</text>"
is_xml out
expect 0 "$RESNET" plot runs --panels 'plain=b:residual=resnet-*' --ylim 0,60 --out -
holds out ">plain</text>"
holds out ">residual</text>"
# Twice on x axes, up to 100, and once on the y axis.
[ "$(grep -c ">60</text>" out)" -eq 3 ] || fail "the y axis is not shared"
expect 0 "$RESNET" plot runs/a --set test --out -
failure "no run has an evaluation of 'validation'" plot runs/a --set validation
# Of averaged weights, where there are no others.
mkdir average
sed 's/"test"/"validation (ema)"/' runs/a/log.jsonl >average/log.jsonl
grep '"evaluation"' runs/a/log.jsonl >>average/log.jsonl
expect 0 "$RESNET" plot average --set validation --out short.svg
holds short.svg ">validation (ema) error</text>"
expect 0 "$RESNET" plot average --set 'validation (ema)' --out -
cmp -s out short.svg || fail "another set by its short name"
expect 0 "$RESNET" plot average --set test --out -
holds out ">test error</text>"
failure "no run has an evaluation of 'valid'" plot average --set valid

# Means of runs with one label, at the points that all of them have.
expect 0 "$RESNET" plot runs --mean --out -
holds out ">resnet-20 (mean of 2)</text>"
holds out ">plain-20</text>"
holds out "; means of runs, shaded: a"
is_xml out
expect 0 "$RESNET" plot runs/a runs/b --mean --label all,all --out mean.svg
holds mean.svg ">training error (mean of 2)</text>"
holds mean.svg ">test error (mean of 2)</text>"
put_run runs/mean other 35
expect 0 "$RESNET" plot runs/mean --ylim 0,60 --out one.svg
expect 0 "$RESNET" plot runs/a runs/b --mean --label all,all --ylim 0,60 --out mean.svg
# The thin curve is that of one run of 35 %, halfway between 30 and 40.
thin() { grep -o '<path[^>]*stroke-width="[^"]*"[^>]*>' "$1" | head -1; }
[ -n "$(thin one.svg)" ] || fail "no thin curve"
[ "$(thin one.svg)" = "$(thin mean.svg)" ] || fail "not the mean: $(thin mean.svg)"
rm -r runs/mean
head -4 runs/c/log.jsonl >part && mkdir short && cp part short/log.jsonl
expect 0 "$RESNET" plot runs/a short --mean --out short.svg
[ "$(cat err)" = "resnet: note: a mean of 2 runs has the 3 points that all of them have" ] ||
    fail "what is left out of a mean is not said: $(cat err)"
sed 's/"iteration":\([0-9]*\)0,/"iteration":\17,/' runs/c/log.jsonl >short/log.jsonl
failure "2 runs of one name have no point in common" plot runs/a short --mean
usage_error "'--mean' is not for '--x time'" plot runs --mean --x time
usage_error "'--mean' is not for '--what responses'" plot runs/a --mean --what responses
rm -r short

# Layers.
failure "no norms of gradients: 'resnet train --log-gradients'" plot runs/a --what gradients
for i in 10 90; do
    echo '{"event":"gradients","iteration":'$i',"norms":{"conv1.weight":0.5,"fc.weight":'$i'}}'
done >>runs/a/log.jsonl
expect 0 "$RESNET" plot runs/a --what gradients --log --out -
holds out ">iteration 10</text>"
holds out ">iteration 90</text>"
failure "responses.json" plot runs/a --what responses
holds err "'resnet responses' writes them"
echo '{"layers":[{"name":"conv1","kernel":3,"std":2},{"name":"x","kernel":1,"std":9},{"name":"c","kernel":3,"std":3}]}' \
    >runs/a/responses.json
cp runs/a/responses.json other.json
expect 0 "$RESNET" plot runs/a other.json --what responses --out -
holds out ">layer (sorted by magnitude)</text>"
holds out ">other.json</text>"
is_xml out
echo '[{"model":"plain-8","layers":[{"name":"a","kernel":3,"std":2}]},
       {"model":"resnet-8","layers":[{"name":"a","kernel":3,"std":1}]}]' >several.json
expect 0 "$RESNET" plot several.json --what responses --out -
holds out ">plain-8</text>"
holds out ">resnet-8</text>"
mkdir several
failure "no run in 'several'" plot several --what responses
cp -R runs/a several/first
cp -R runs/a several/second
expect 0 "$RESNET" plot several --what responses --out several.svg
[ "$(cat out)" = "responses of 2 runs: several.svg" ] || fail "not the runs of a folder: $(cat out)"
holds several.svg ">first</text>"
holds several.svg ">second</text>"
cp -R runs/b several/third
failure "no responses to draw .*several/third" plot several --what responses
rm -r several
for text in '' '[]' '{"layers":3}' '{"layers":[{"name":"a"}]}' '{"layers":[1'; do
    echo "$text" >damaged.json
    failure "'damaged.json'" plot damaged.json --what responses
done
for option in '--x epoch' '--smooth 3' '--set test' --mean; do
    for what in gradients responses; do
        # shellcheck disable=SC2086 # an option and its value
        usage_error "is not for '--what $what'" plot runs/a --what $what $option
    done
done
for what in lr rate; do
    usage_error "'--set' is not for '--what $what'" plot runs/a --what $what --set test
done
usage_error "'--panels' is not for" plot runs/a --what responses --panels a:b

# Confusion matrices, from the file that eval writes.
printf 'label,cat,dog\ncat,7,1\ndog,0,8\n' >confusion.csv
expect 0 "$RESNET" plot confusion.csv --what confusion
holds out "confusion of 2 classes: confusion.svg"
holds confusion.svg ">dog</text>"
expect 0 "$RESNET" plot confusion.csv --what confusion --title 'A & B' --out -
holds out "<title>A &amp; B</title>"
expect 0 "$RESNET" plot confusion.csv --what confusion --scale 3 --out confusion.png
is_png confusion.png
printf 'label,cat,dog\ncat,7,1\n' >short.csv
failure "1 rows, expected 2" plot short.csv --what confusion
usage_error "ends in .svg or .png" plot confusion.csv --what confusion --out a.gif
for option in '--label L' --log '--smooth 3' '--ylim 0,1'; do
    # shellcheck disable=SC2086 # an option and its value
    usage_error "is not for '--what confusion'" plot confusion.csv --what confusion $option
done
usage_error "expects one file" plot confusion.csv confusion.csv --what confusion

# Damage, emptiness, and what is hardly meant.
echo 'nonsense' >>runs/b/log.jsonl
expect 0 "$RESNET" plot runs/b --out b.svg
[ "$(wc -l <err)" -eq 1 ] || fail "not one note: $(cat err)"
holds err "note: 'runs/b/log.jsonl': 1 damaged line left out, the first is line 14"
rm -r runs/b
mkdir empty new
: >new/log.jsonl
failure "no run has a point to draw yet" plot new --out none.svg
failure "no run in 'empty'" plot empty --out none.svg
failure "nowhere" plot nowhere --out none.svg
failure "no-folder" plot runs/a --out no-folder/a.svg
for file in none.svg -; do
    usage_error "'--scale' is for PNG, '$file' is SVG" plot runs/a --scale 7 --out $file
done
usage_error "'--scale' is for PNG, 'confusion.svg' is SVG" plot confusion.csv --what confusion --scale 7
usage_error "ends in .svg or .png, found 'a.pdf'" plot runs/a --out a.pdf
usage_error "LOW,HIGH, found '20,0'" plot runs/a --ylim 20,0
usage_error "LOW,HIGH, found '1'" plot runs/a --xlim 1
usage_error "above 0, found 0" plot runs/a --log --ylim 0,20
usage_error "has 3 labels, expected 2" plot runs --label a,b,c
usage_error "is called 'z'" plot runs --panels 'a:z'
usage_error "no place for run" plot runs --panels a
usage_error "RUN" plot
[ ! -e none.svg ] || fail "a picture of nothing"
[ ! -e /dev/full ] || {
    "$RESNET" plot runs/a --out - >/dev/full 2>err
    [ $? -eq 1 ] || fail "success although nothing could be written"
}
finish
