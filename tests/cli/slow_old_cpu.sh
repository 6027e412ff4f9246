# One binary: a clear message on a processor without AVX2, training on one that has AVX2 only.
# Emulated by qemu (Debian's qemu-user); skipped where that is absent.
. "$SOURCE/tests/cli/lib.sh"

command -v qemu-x86_64 >/dev/null || skip "no qemu-x86_64 (package qemu-user)"
[ -z "$SANITIZE" ] || skip "sanitizers do not run in the emulator"
# Set: the program does not start itself again, which would leave the emulator.
export GOMP_SPINCOUNT=1000
export OMP_NUM_THREADS=1

emulated() { # CPU ARGUMENT...
    cpu=$1
    shift
    qemu-x86_64 -cpu "$cpu" "$RESNET" "$@" 2>err >out
}

emulated Nehalem plan resnet-8 --batch 2
[ $? -eq 1 ] || fail "without AVX2: exit status is not 1"
grep -q "resnet: error: this processor lacks AVX2 or FMA" err || { cat err; fail "no clear message"; }

emulated Haswell train resnet-8 --data shapes:train=64,test=16 --iterations 2 --batch 16 --out run ||
    { cat err; fail "training with AVX2 only fails"; }
grep -q '"engine_description":.*avx2' run/environment.json || fail "AVX2 was not chosen"
finish
