# What is said of a network without training it.
. "$SOURCE/tests/cli/lib.sh"

expect 0 "$RESNET" summary
holds out "^resnet-110 "
expect 0 "$RESNET" summary resnet-20
holds out "resnet-20: 20 layers deep, input 3 x 32 x 32, 10 classes"
holds out " 269,722  trained parameters"
grep -q " $" out && fail "blanks at a line's end"
expect 0 "$RESNET" summary resnet-20:shortcut=B
holds out " 272,474  trained parameters"
holds out "20 layers deep"
expect 0 "$RESNET" summary resnet-56 --json
holds out '"parameters":[[:space:]]*853018'
holds out '"depth":[[:space:]]*56'
expect 0 "$RESNET" summary resnet-8 --classes 100 --input 1x28x28
holds out "input 1 x 28 x 28, 100 classes"


# The list of networks, by family.
expect 0 "$RESNET" summary
[ "$(sed -n 1p out)" = CIFAR ] || fail "the list does not begin with a family: $(sed -n 1p out)"
awk 'NF > 1 { print $1 }' out | grep -x "resnet-110" >names || fail "resnet-110 is not listed"

# Units like the one before share a line in long lists, with their sums.
expect 0 "$RESNET" summary resnet-110
[ "$(wc -l <out)" -lt 80 ] || fail "a long list: $(wc -l <out) lines"
holds out "^layer1.1 ... layer1.17  *as layer1.0  *16 x 32 x 32  *79,424  *80,216,064$"
expect 0 "$RESNET" summary resnet-110 --all
[ "$(wc -l <out)" -gt 300 ] || fail "not everything: $(wc -l <out) lines"
holds out "^layer1.17.conv2 "
expect 0 "$RESNET" summary resnet-20
grep -q "as layer" out && fail "a short list is shortened"
expect 0 "$RESNET" summary resnet-110 --json
[ "$(grep -c '"name"' out)" -gt 300 ] || fail "the JSON is shortened"

# Several networks: their totals.
expect 0 "$RESNET" summary resnet-20 plain-56 resnet-1202
holds out "^resnet-20  *20  *269,722  *40,551,040  *3 x 32 x 32  *10$"
holds out "^resnet-1202  *1202  *19,421,274 "
[ "$(wc -l <out)" -eq 4 ] || fail "not a line each"
expect 0 "$RESNET" summary resnet-20 resnet-56 --json
[ "$(head -c 1 out)" = "[" ] || fail "several networks are no JSON array"
[ "$(grep -c '"multiply_adds"' out)" -gt 200 ] || fail "not both networks"

# Pictures, on standard output and in a file: the same bytes.
is_xml() {
    command -v python3 >/dev/null || return 0
    python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$1" ||
        fail "not XML: $1"
}
expect 0 "$RESNET" summary resnet-20 plain-20 resnet-110 --svg
is_xml out
holds out "<svg .*viewBox="
holds out ">resnet-110</text>"
holds out "&#215; 17</text>"
mv out first
expect 0 "$RESNET" summary resnet-20 plain-20 resnet-110 --svg picture.svg
[ ! -s out ] || fail "a picture in a file and something on standard output"
cmp -s first picture.svg || fail "the file differs from standard output"
expect 0 "$RESNET" summary resnet-20 plain-20 resnet-110 --svg -
cmp -s first out || fail "'-' is not standard output"
expect 0 "$RESNET" summary resnet-110 --svg --all
grep -q "&#215;" out && fail "--all draws like units once"
expect 0 "$RESNET" summary resnet-20:shortcut=B --detail --svg=detail.svg
is_xml detail.svg
holds detail.svg ">batch norm</text>"
holds detail.svg ">1x1 conv, 32, /2</text>"
expect 0 "$RESNET" summary resnet-20 resnet-110 --dot picture.dot
holds picture.dot "^digraph "
expect 0 "$RESNET" summary resnet-20 --detail --dot
mv out detail.dot
if command -v dot >/dev/null; then
    for graph in picture detail; do
        dot -Tsvg $graph.dot >drawn.svg 2>warnings || fail "dot does not draw $graph.dot"
        [ ! -s warnings ] || fail "dot warns of $graph.dot: $(head -3 warnings)"
        is_xml drawn.svg
    done
else
    echo "without Graphviz: not checked that it draws the graphs"
fi
[ ! -e /dev/full ] || {
    "$RESNET" summary resnet-20 --svg >/dev/full 2>err
    [ $? -eq 1 ] || fail "success although nothing could be written"
}

# What is hardly meant.
usage_error "names the file to write, found model 'resnet-20'" summary --svg resnet-20 plain-20
usage_error "no network to draw into 'a.svg'" summary --svg a.svg
usage_error "expects networks to draw" summary --dot
for name in a.safetensors a.pth a.pt a.Th b.onnx; do
    usage_error "found model file '$name'" summary resnet-20 --svg $name
done
usage_error "exclude each other" summary resnet-20 --svg --json
usage_error "exclude each other" summary resnet-20 --dot --svg
usage_error "'--detail' is for" summary resnet-20 --detail
usage_error "unknown model.*'resnet-2o'" summary resnet-20 resnet-2o --svg none.svg
failure "no-folder/a.svg" summary resnet-20 --svg no-folder/a.svg
[ ! -e none.svg ] || fail "a picture of a network that there is not"
mkdir folder
failure "folder" summary resnet-20 --svg folder

expect 0 "$RESNET" plan resnet-8 --batch 4 --threads 1
holds out "resnet-8, batch 4, training, float32, cpu engine"
holds out "arena (.* without sharing, .*)"
holds out "a step, predicted: "
holds out "^backward"
expect 0 "$RESNET" plan resnet-8 --batch 4 --inference --engine ref --json --threads 1
holds out '"training":[[:space:]]*false'
holds out '"arena_bytes"'
grep -q '"backward":[[:space:]]*true' out && fail "backward ops in an inference plan"

expect 0 "$RESNET" bench resnet-8 --batch 4 --steps 10 --threads 1
holds out "resnet-8, batch 4, training, float32: 10 steps"
holds out "^  step .* images/s, .* GFLOP/s"
expect 0 "$RESNET" bench resnet-8 --batch 2 --steps 10 --inference --json --threads 1
holds out '"median_seconds"'
expect 0 "$RESNET" bench resnet-8 --batch 4 --steps 10 --threads 1 --dtype bfloat16
holds out "resnet-8, batch 4, training, bfloat16: 10 steps"
expect 0 "$RESNET" plan resnet-8 --dtype bfloat16 --json --threads 1
holds out '"dtype":[[:space:]]*"bfloat16"'
usage_error "'--dtype' expects one of float32|bfloat16" bench resnet-8 --dtype half
failure "ref engine has 'conv' of float32 only" plan resnet-8 --engine ref --dtype bfloat16
finish
