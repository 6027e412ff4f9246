# Where output goes, and what happens when it cannot.
. "$SOURCE/tests/cli/lib.sh"

escape=$(printf '\033')

# on_terminal COLUMNS COMMAND-LINE: what a terminal of that width gets, in ./screen.
on_terminal() {
    script -qec "stty cols $1; $2" /dev/null >screen 2>&1 </dev/null
}

if script -qec true /dev/null >/dev/null 2>&1; then # else there is no pseudo-terminal here
    TERM=xterm
    export TERM
    run="'$RESNET' train resnet-8 $tiny --log-every 1 --iterations 6 --force --out"
    for columns in 30 60 80 132; do
        on_terminal $columns "env -u NO_COLOR LC_ALL=C $run wide" # bytes are columns
        holds screen "ETA"
        # Each redrawn line must fit, or it would leave a copy behind.
        tr '\r' '\n' <screen | sed "s/$escape\[[0-9;]*[mK]//g" | grep ETA |
            awk -v most=$((columns - 1)) 'length > most' | grep . && fail "wider than $columns"
    done
    holds screen "${escape}\[1m"
    on_terminal 80 "env NO_COLOR=1 $run plain"
    grep -q "${escape}\[[0-9;]*m" screen && fail "colours despite NO_COLOR"
    on_terminal 80 "env TERM=dumb $run dumb"
    grep -q "$escape" screen && fail "escape sequences on a dumb terminal"
fi

# A full disk behind standard output, and a pipe that nobody reads.
if [ -w /dev/full ]; then
    for command in --help "summary resnet-20" "summary --json resnet-8" --man "completion bash"; do
        # shellcheck disable=SC2086 # words
        "$RESNET" $command >/dev/full 2>err
        [ $? -eq 1 ] || fail "success although nothing could be written: $command"
        holds err "cannot write to standard output: No space left"
    done
fi
mkfifo pipe
{ exec <pipe; read -r line; } &
{
    "$RESNET" --man
    echo $? >status
} >pipe 2>err
wait
case $(cat status) in
0 | 1) [ ! -s err ] || fail "a closed pipe is complained about: $(cat err)" ;;
*) fail "exit status $(cat status) with a closed pipe" ;;
esac

# A list without an end, of whose answers nobody wants more; and one that goes on behind a failure.
expect 0 "$RESNET" convert resnet-8 m.safetensors --input 3x8x8
printf 'P5 2 1 255\n12' >picture.pgm
predict="timeout 60 $RESNET predict m.safetensors --threads 1 --csv --files-from -"
{
    yes picture.pgm | $predict 2>err
    echo $? >status
} | head -1 >out
holds out "^file"
[ "$(cat status)" -eq 1 ] || fail "exit status $(cat status) of a list without an end"
[ ! -s err ] || fail "a closed pipe is complained about: $(cat err)"
mkfifo list
for command in "$predict --batch 1" \
    "timeout 60 $RESNET features m.safetensors --threads 1 --out f.npy --files-from -"; do
    { echo none.png; exec sleep 120; } >list &
    $command --bad-images stop <list >out 2>err
    status=$?
    kill $!
    [ $status -eq 1 ] || fail "exit status $status where a list goes on: $command"
    holds err "none.png"
done

# Paths that cannot be written: below a file.
: >file
# shellcheck disable=SC2086 # options are words
failure "file/run" train resnet-8 $tiny --iterations 4 --out file/run
[ ! -s file ] || fail "the file was touched"

# A full disk behind the run folder.
full_disk() {
    mkdir -p disk
    mount -t tmpfs -o size=1m,mode=700 tmpfs disk 2>/dev/null || return 0
    # shellcheck disable=SC2086 # options are words
    expect 1 "$RESNET" train resnet-20 $tiny --iterations 4 --out disk/run --quiet
    holds err "^resnet: error: .*No space left"
    [ -z "$(find disk -name '*.safetensors' -size 0)" ] || fail "an empty model file is left"
    umount disk
}
[ "$(id -u)" -ne 0 ] || full_disk
finish
