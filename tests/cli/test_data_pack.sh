# data pack and data verify, on pictures of any size.
. "$SOURCE/tests/cli/lib.sh"

# picture FILE WIDTH HEIGHT: a PPM
picture() {
    mkdir -p "$(dirname "$1")"
    { printf 'P6\n%d %d\n255\n' "$2" "$3"; head -c $(($2 * $3 * 3)) /dev/urandom; } >"$1"
}

for i in $(seq 1 60); do
    picture "set/train/c$((i % 3))/$i.ppm" $((100 + i)) $((300 - i))
done
picture set/val/c1/1.ppm 30 40

# What was packed is a source in every way.
expect 0 "$RESNET" data pack set whole.rnpack --shorter 48
holds out "whole.rnpack: 61 pictures"
[ ! -e whole.rnpack.part ] || fail "the part is left"
expect 0 "$RESNET" data show whole.rnpack
holds out "60 encoded pictures"
holds out "c2  *20"
expect 0 "$RESNET" data show whole.rnpack --json
holds out '"count":[[:space:]]*60'
expect 0 "$RESNET" data verify whole.rnpack
holds out "^ok .*60 pictures"
usage_error "cannot be shrunk" data pack set x.rnpack --format keep --shorter 48
usage_error "'x.rnpack.x' does not end in .rnpack" data pack set x.rnpack.x
usage_error "images of one size" data pack shapes x.rnpack
failure "no-such/x.rnpack" data pack set no-such/x.rnpack
expect 0 "$RESNET" train resnet-8 --data whole.rnpack --recipe smoke --input 3x32x32 --out run
holds out "data .*: 60 pictures, 3 classes"
holds out "test accuracy"
[ -f run/best.safetensors ] || fail "the best weights were not kept"

# Killed at any moment, with any number of threads, it goes on and gives the same file.
for delay in 0.01 0.05 0.1 0.2; do
    "$RESNET" data pack set killed.rnpack --shorter 48 --threads 3 >/dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
done
expect 0 "$RESNET" data pack set killed.rnpack --shorter 48 --threads 1
cmp whole.rnpack killed.rnpack || fail "the file is another one after kill -9"

# A full disk is told, and what is there stays for the next call. 200 blocks of 512 bytes.
rm killed.rnpack
(ulimit -f 200; trap '' XFSZ; "$RESNET" data pack set killed.rnpack --shorter 48 >out 2>err)
[ $? -eq 1 ] || fail "no failure where the disk is full"
holds err "killed.rnpack.part': File too large"
[ "$(wc -c <killed.rnpack.part)" -gt 50000 ] || fail "what was written is gone"
expect 0 "$RESNET" data pack set killed.rnpack --shorter 48
holds out "of an earlier call"
cmp whole.rnpack killed.rnpack || fail "the file is another one after a full disk"

# Only one process writes a file.
expect 1 flock x.rnpack.part "$RESNET" data pack set x.rnpack
holds err "being written by another process"

# Damaged pictures are listed once, in one line, and can be left out.
head -c 1000 set/train/c0/3.ppm >"set/train/c0/cut
off.ppm"
: >set/train/c2/empty.jpg
ln -s nowhere set/val/c1/dead.png
expect 1 "$RESNET" data verify set
[ "$(grep -c ^WRONG out)" -eq 3 ] || fail "not three files are wrong: $(cat out)"
holds out '^WRONG  *train/c0/cut\\noff.ppm: '
holds out '^WRONG  *train/c2/empty.jpg: .*empty'
holds out '^WRONG  *val/c1/dead.png: .*No such file'
failure 'cut\\noff.ppm' data pack set bad.rnpack --shorter 48
failure "bad.rnpack.part' is of another job" data pack set bad.rnpack --shorter 48 --bad-images skip
expect 0 "$RESNET" data pack set bad.rnpack --shorter 48 --bad-images skip --restart
[ "$(grep -c '^left out ' err)" -eq 3 ] || fail "not three pictures are left out: $(cat err)"
holds out "61 pictures.*3 left out"

# Damaged bytes of one picture in a pack.
printf 'XYZXYZ' | dd of=whole.rnpack bs=1 seek=2000 conv=notrunc status=none
expect 1 "$RESNET" data verify whole.rnpack
[ "$(grep -c ^WRONG out)" -eq 1 ] || fail "not one entry is wrong: $(cat out)"
holds out "^WRONG .*the sum of its bytes is wrong"
head -c 5000 killed.rnpack >cut.rnpack
failure "cut off" data verify cut.rnpack
finish
