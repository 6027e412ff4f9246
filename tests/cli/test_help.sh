# Help, man page and completion come from the tables of options and agree with them.
. "$SOURCE/tests/cli/lib.sh"

commands="train eval predict features convert summary plan diff bn-recalibrate quantize
    responses plot study reproduce dashboard data bench help completion"

expect 0 "$RESNET" --version
holds out "^resnet [0-9]*\.[0-9]*\.[0-9]*$"
expect 0 "$RESNET" --help
cp out overview
expect 0 "$RESNET" help
cmp -s out overview || fail "'help' and '--help' differ"
for command in $commands; do
    holds overview "^  $command "
done

check_help() {
    expect 0 "$RESNET" "$@" --help
    holds out "^Usage: resnet $*"
    holds out "-h, --help"
    cp out long
    awk 'length > 80' out | grep . && fail "lines over 80 columns: $*"
    grep -q "  *$" out && grep -n "  *$" out && fail "blanks at a line's end: $*"
    expect 0 "$RESNET" "$@" -h
    cmp -s out long || fail "'-h' and '--help' differ: $*"
    expect 0 "$RESNET" help "$@"
    cmp -s out long || fail "'help $*' and '$* --help' differ"
}
for command in $commands "study degradation" "data show" "data pack" "data preview" "data verify" \
    "data download" "data bench"; do
    # shellcheck disable=SC2086 # two words are meant
    check_help $command
done
expect 0 "$RESNET" train --help
for option in data recipe out resume epochs lr momentum weight-decay hold-out; do
    holds out "--$option"
done
holds out "above 0, below 1"
holds out "0: RESNET_THREADS, else"

sed -n '/^Recipes:/,/^$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p' out >recipes
while read -r recipe; do
    holds "$SOURCE/docs/cli.md" "^| \`$recipe\` | "
done <recipes

expect 0 "$RESNET" --man
cp out resnet.1
holds resnet.1 '^.fBWhat to train:.fR$'
for text in '^.SH OPTIONS$' 'version' 'What log.jsonl has, for TensorBoard' 1512.03385 1603.05027; do
    holds resnet.1 "$text"
done
for text in responses.json tfevents GOMP_SPINCOUNT OMP_WAIT_POLICY; do
    holds resnet.1 "$text"
done
sed -n 's/^\.SS //p' resnet.1 | sort | uniq -d >twice
[ ! -s twice ] || fail "two sections of the man page are called $(cat twice)"
if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww resnet.1 >page 2>warnings || fail "groff fails"
    [ ! -s warnings ] || fail "groff warns: $(head -3 warnings)"
    for section in NAME SYNOPSIS COMMANDS FILES ENVIRONMENT "EXIT STATUS"; do
        grep -q "^\.SH $section" resnet.1 || fail "no section $section in the man page"
    done
fi

expect 0 "$RESNET" completion bash
cp out completion
if command -v bash >/dev/null; then
    # complete WORD...: what bash would offer for the last word.
    cat >complete.bash <<'END'
source ./completion
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_resnet
printf '%s\n' "${COMPREPLY[@]}"
END
    offers() {
        offered=$1
        shift
        expect 0 bash complete.bash "$@"
        [ ! -s err ] || fail "the completion complains: $(cat err)"
        grep -qx -e "$offered" out || fail "'$offered' is not offered for: $*"
    }
    offers train resnet tr
    offers --man resnet --
    offers --weight-decay resnet train --weig
    offers --no-flip resnet train --no
    offers resnet-20 resnet train resnet-2
    offers cosine resnet train --schedule cos
    offers quick resnet train x -r q
    offers download resnet data d
    offers --sheet resnet data show --s
    offers --budget resnet study degradation --bu
    offers degradation resnet study d
    offers cifar10 resnet data download cifar
    offers --json resnet bench --
fi
finish
