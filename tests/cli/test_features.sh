# Features: arrays of any layer's outputs, the list of their pictures, data sets.
. "$SOURCE/tests/cli/lib.sh"

expect 0 "$RESNET" convert resnet-8 m.safetensors --seed 3
features() {
    "$RESNET" features m.safetensors --threads 1 "$@"
}

mkdir set
for i in 1 2 3 4 5; do
    printf 'P5 2 1 255\n%d%d' $i $((i + 3)) >set/$i.pgm
done
odd=$(printf 'set/new\nline\\.pgm')
cp set/1.pgm "$odd"
echo nonsense >set/3.pgm

mkdir -p set2/a set2/b
cp set/1.pgm set2/a
cp set/2.pgm set2/b
expect 1 features set --out all.npy --batch 2
holds out "^all.npy: 5 x 64 of 'avgpool'; all.txt$"
[ "$(wc -l <err)" -eq 2 ] || fail "not one line for the bad picture and one in the end"
printf 'set/1.pgm\nset/2.pgm\nset/4.pgm\nset/5.pgm\nset/new\\nline\\\\.pgm\n' | cmp -s - all.txt ||
    fail "list of names: $(cat all.txt)"
holds all.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 64), }"
[ "$(wc -c <all.npy)" -eq $((192 + 5 * 64 * 4)) ] || fail "size of the array"
tail -c +193 all.npy | head -c 256 >first
tail -c 256 all.npy | cmp -s - first || fail "equal pictures have other features"

expect 0 features set/1.pgm --out map.npy --layer layer2.0.bn2 --names names
[ "$(cat names)" = set/1.pgm ] || fail "--names"
holds map.npy "'shape': (1, 32, 16, 16)"
expect 0 features set/1.pgm -o mean.npy --layer layer2.0.bn2 --pool
holds mean.npy "'shape': (1, 32)"
expect 0 features set/1.pgm -o ref.npy --engine ref
python=$(command -v python3) && "$python" -c 'import numpy' 2>/dev/null &&
    { "$python" - <<'END' || fail "numpy finds other numbers"; }
import numpy as np
assert np.load("all.npy").shape == (5, 64)
assert np.abs(np.load("map.npy").mean((2, 3)) - np.load("mean.npy")).max() < 1e-6
assert np.abs(np.load("all.npy")[:1] - np.load("ref.npy")).max() < 1e-4
END

expect 0 features --data shapes:train=20,test=9 --out data.npy --batch 4
holds data.npy "'shape': (9, 64)"
holds data.labels.npy "{'descr': '<i4', 'fortran_order': False, 'shape': (9,), }"
[ "$(wc -c <data.labels.npy)" -eq $((192 + 36)) ] || fail "size of the labels"
expect 0 features --data shapes:train=20,test=9 --split train --out data.npy
holds data.npy "'shape': (20, 64)"

rm -f none.*
expect 1 features set/3.pgm --out none.npy
holds err "nothing is written"
if [ -e none.npy ] || [ -e none.txt ]; then fail "something is written"; fi
[ -z "$(find . -name '*tmp*')" ] || fail "a temporary is left"
usage_error "'--out' expects a name that ends in .npy, found 'set/1.pgm'" features m.safetensors \
    -o set/1.pgm set/2.pgm
usage_error "'--names' would replace the picture 'set/2.pgm' itself" features m.safetensors \
    set/1.pgm set/2.pgm --out x.npy --names ./set/2.pgm
usage_error "'--out' must say" features m.safetensors set
usage_error "'--split' is given without '--data'" features m.safetensors set --split train -o x.npy
usage_error "'--null' is given without" features m.safetensors --data shapes -0 -o x.npy
usage_error "'--data' and pictures" features m.safetensors set --data shapes --out x.npy
failure "no layer 'layer2.0.bn'; did you mean 'layer2.0.bn[12]'" features m.safetensors set \
    --layer layer2.0.bn --out x.npy
for names in ./x.npy x.labels.npy; do
    usage_error "'--names' expects a file of its own, found '$names'" \
        features m.safetensors --data set2 --out x.npy --names $names
done
failure "cannot write 'nowhere/names'" features m.safetensors set/1.pgm --out x.npy \
    --names nowhere/names
[ -z "$(find . -name 'x.*')" ] || fail "something is written that has no list"
failure "nowhere" features m.safetensors set/1.pgm --out nowhere/x.npy
finish
