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

expect 0 "$RESNET" plan resnet-8 --batch 4 --threads 1
holds out "resnet-8, batch 4, training, cpu engine"
holds out "arena (.* without sharing)"
holds out "a step, predicted: "
holds out "^backward"
expect 0 "$RESNET" plan resnet-8 --batch 4 --inference --engine ref --json --threads 1
holds out '"training":[[:space:]]*false'
holds out '"arena_bytes"'
grep -q '"backward":[[:space:]]*true' out && fail "backward ops in an inference plan"

expect 0 "$RESNET" bench resnet-8 --batch 4 --steps 10 --threads 1
holds out "resnet-8, batch 4, training: 10 steps"
holds out "^  step .* images/s, .* GFLOP/s"
expect 0 "$RESNET" bench resnet-8 --batch 2 --steps 10 --inference --json --threads 1
holds out '"median_seconds"'
finish
