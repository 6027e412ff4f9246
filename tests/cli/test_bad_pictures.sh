# Pictures that cannot be read, and names that are hard to show: each is named once, in one line.
. "$SOURCE/tests/cli/lib.sh"

mkdir -p set/a set/b
for i in 1 2 3 4; do
    { printf 'P6 20 20 255\n'; head -c 1200 /dev/urandom; } >set/a/$i.ppm
    cp set/a/$i.ppm set/b/$i.ppm
done
printf 'P6 65500 65500 255\n123' >set/b/bomb.ppm
: >"set/b/new
line.ppm"

# 4,096 bytes below the set, in parts: no path that long can be named at once. Then one byte more.
part=$(printf '%0200d' 0)
deep() {
    (
        cd set/b || exit 1
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            mkdir -p "$part"
            cd -P "./$part" || exit 1
        done
        echo damaged >"$(printf '%0*d' $(($1 - 4)) 0).ppm"
    ) || fail "cannot make deep folders"
}
deep 74 # "b/", 20 parts with their slashes, and the name
longest=$(cd set && find . -name '*.ppm' | sed 's,^\./,,' | awk '{ if (length > n) n = length } END { print n }')
[ "$longest" -eq 4096 ] || fail "the longest name has $longest bytes"

# once FILE PATTERN: exactly one line has it
once() {
    [ "$(grep -c -e "$2" "$1")" -eq 1 ] || fail "'$2' is not in one line of $1: $(cut -c1-200 "$1")"
}

# each_once FILE PREFIX: all three bad pictures, a line each
each_once() {
    once "$1" "$2b/bomb.ppm'*: "
    once "$1" "$2b/new\\\\nline.ppm'*: "
    once "$1" "$2b/$part"
}

expect 1 "$RESNET" data verify set
each_once out "^WRONG  *"
[ "$(grep -c ^WRONG out)" -eq 3 ] || fail "not three are wrong"
awk '/^WRONG/ && length > 4096 { long++ } END { exit long != 1 }' out || fail "the long name is cut"
expect 0 "$RESNET" data pack set set.rnpack --bad-images skip
each_once err "^left out "
holds out "8 pictures.*3 left out"

# Both sets are this one: a picture is told of once, however many epochs there are.
expect 0 "$RESNET" train resnet-8 --data set --input 3x16x16 --batch 8 --epochs 4 --lr 0.01 \
    --schedule constant --threads 1 --out run
for name in "b/bomb.ppm'" "b/new\\\\nline.ppm'" "b/$part"; do
    [ "$(grep -c "note: '$name" out)" -eq 1 ] || fail "'$name' is not named once"
done
[ "$(grep -c "^epoch .*test.* error" out)" -ge 3 ] || fail "fewer than three evaluations"
expect 1 "$RESNET" train resnet-8 --data set --input 3x16x16 --bad-images stop --out no --threads 1
expect 0 "$RESNET" eval run --data set --bad-images skip --threads 1
each_once err "left out: '"
expect 1 "$RESNET" predict run set --threads 1
[ "$(grep -c "bomb.ppm" err)" -eq 1 ] || fail "predict does not name the bomb once"

# The limit of pixels is the user's.
RESNET_MAX_PIXELS=399 expect 1 "$RESNET" data verify set
[ "$(grep -c "picture is 20 x 20, expected 1 to 399 pixels" out)" -eq 8 ] || fail "no limit"
RESNET_MAX_PIXELS=many expect 1 "$RESNET" data verify set
holds out "RESNET_MAX_PIXELS is 'many', expected 1 to"

deep 75
failure "4097 bytes, expected at most 4096" data show set
rm -rf set
finish
