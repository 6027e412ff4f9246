# --memory: what is planned, what it costs, and that the result is the same.
. "$SOURCE/tests/cli/lib.sh"

# number FILE KEY: the value of a number in JSON.
number() {
    sed -n "s/^.*\"$2\":[[:space:]]*\([-+.eE0-9]*\).*$/\1/p" "$1" | head -1
}

# planned SIZE: bytes of a step of resnet-20 at batch 16 within a limit.
planned() {
    expect 0 "$RESNET" plan resnet-20 --batch 16 --threads 1 --json --memory "$1"
    number out planned_bytes
}

# at_most NUMBER LIMIT
at_most() {
    if [ -z "$1" ] || [ "$1" -gt "$2" ]; then fail "'$1' is more than $2"; fi
}

expect 0 "$RESNET" plan resnet-20 --batch 16 --threads 1 --json
all=$(number out planned_bytes)
few=$(number out repeated_flops)
[ "$(number out repeated_ops)" -ge 4 ] || fail "not one op repeated of the stem and each stage"
at_most "$(number out arena_bytes)" $(($(number out arena_if_all_kept_bytes) * 7 / 8))
parts=$(($(number out arena_bytes) + $(number out parameter_bytes) + $(number out momentum_bytes)))
[ "$parts" -eq "$all" ] || fail "parts make $parts, not $all"

# Units of 1024 and of 1000; a step has some 17 MB.
[ "$(planned 1T)" -eq "$all" ] || fail "a limit that is no limit changes the plan"
[ "$(planned "$all")" -eq "$all" ] || fail "a limit that just suffices changes the plan"
at_most "$(planned 14M)" $((14 * 1024 * 1024))
at_most "$(planned 14mib)" $((14 * 1024 * 1024))
at_most "$(planned 13.5MB)" 13500000
at_most "$(planned "13000 kB")" 13000000
at_most "$(planned 13000000B)" 13000000
[ "$(number out repeated_flops)" -gt "$few" ] || fail "no more repeated under a limit"
for size in "" 0 -1 x 16Q 1e9 0x10 inf 1.2.3 "16 G B" 2000T; do
    usage_error "option '--memory' expects .*" plan resnet-20 --memory="$size"
done

expect 0 "$RESNET" plan resnet-20 --batch 16 --threads 1 --memory 13MB
holds out "batch norm again + relu"
holds out "MiB  arena (.* if all were kept)"
holds out "MiB  momentum"
holds out "MiB  in all"
holds out "ops computed twice instead of kept"
failure "training at batch 16 takes at least [0-9.]* MiB, the memory limit is 1.0 MiB" \
    plan resnet-20 --batch 16 --threads 1 --memory 1M
least=$(sed "s/.*at least \([0-9.]*\) MiB.*/\1/" err)
at_most "$(planned "${least}M")" $((13 * 1024 * 1024))
failure "inference at batch 16 takes [0-9.]* MiB, the memory limit is 1.0 MiB" \
    plan resnet-20 --batch 16 --threads 1 --memory 1M --inference

# What is measured lies above what is planned by the program itself, some 20 MB.
expect 0 "$RESNET" bench resnet-20 --batch 64 --threads 1 --steps 10 --json --memory 80M
at_most "$(number out planned_bytes)" $((80 * 1024 * 1024))
[ "$(number out peak_bytes)" -gt "$(number out planned_bytes)" ] || fail "the peak is below the plan"
if [ -z "$SANITIZE" ]; then
    at_most "$(number out peak_bytes)" $(($(number out planned_bytes) + 60000000))
fi
expect 0 "$RESNET" bench resnet-8 --batch 4 --threads 1 --steps 10
holds out "memory planned .*, peak of the process .* times that"

# A training within a limit ends with the same weights.
train="train resnet-8 $tiny --quiet --iterations 8"
# shellcheck disable=SC2086 # options are words
{
    expect 0 "$RESNET" $train --out free
    expect 0 "$RESNET" $train --out bound --memory 29M
    expect 0 "$RESNET" train resnet-8 $tiny --iterations 8 --out told --memory 29M
    holds out "memory limit: .* MiB of activations instead of .* MiB, for .* % more flops"
    failure "training at batch 16 takes at least .* MiB, the memory limit is 1.0 MiB" \
        $train --out none --memory 1M
    [ ! -e none ] || fail "a folder is left of a training that never began"
    failure "training at batch 16 takes at least" $train --out free --force --memory 1M
    expect 0 "$RESNET" plan resnet-8 --batch 16 --threads 1 --memory 10M # a step alone fits
    failure "training at batch 16 takes at least" $train --out none --memory 10M
    for more in "" "--hold-out 64" "--train-images 32 --hold-out 16"; do
        failure "training at batch 16 takes at least" $train --out free --force --memory 10M $more
    done
    [ ! -e none ] || fail "a folder is left of a training whose step alone fits"
    [ -e free/model.safetensors ] || fail "a run is lost to one that never began"
}
cmp free/model.safetensors bound/model.safetensors || fail "the limit changes the weights"
# Of photographs the network's input decides, not the data's size, which they have not.
mkdir -p photos/train/a photos/val/a
for split in train val; do
    { printf 'P6 20 20 255\n' && head -c 1200 /dev/zero; } >photos/$split/a/1.ppm
done
photos="train resnet-8 --data photos --threads 1 --batch 64 --iterations 1 --quiet"
# shellcheck disable=SC2086
{
    expect 0 "$RESNET" $photos --input 3x16x16 --memory 12M --out small
    failure "training at batch 64 takes at least .* MiB, the memory limit is 12.0 MiB" \
        $photos --memory 12M --out none
    [ ! -e none ] || fail "a folder is left of photographs that never began"
}
grep -q '"memory":[[:space:]]*"29M"' bound/run.json || fail "the limit is not recorded"
finish
