# bench --serve: steps on demand.
. "$SOURCE/tests/cli/lib.sh"

# serve INPUT ARGUMENT...: leaves ./status, ./out and ./err.
serve() {
    input=$1
    shift
    # shellcheck disable=SC2059 # the input is written as a format
    printf "$input" | "$RESNET" bench resnet-8 --batch 2 --threads 1 --serve "$@" >out 2>err
    echo $? >status
}

lines() {
    [ "$(wc -l <out)" -eq "$1" ] || fail "not $1 lines: $(cat out)"
}

number='[0-9][-+.e0-9]*'
ready="^{\"threads\":1,\"flops\":$number,\"loaded_bytes\":$number}$"

for mode in "" --inference; do
    # shellcheck disable=SC2086 # nothing, or one word
    serve '3\n1' $mode # the last line need not end
    [ "$(cat status)" -eq 0 ] || fail "exit status $(cat status): $(cat err)"
    lines 3
    sed -n 1p out | grep -q "$ready" || fail "not ready: $(cat out)"
    sed -n 2p out | grep -q "^{\"seconds\":\[$number,$number,$number\]}$" || fail "$(cat out)"
    sed -n 3p out | grep -q "^{\"seconds\":\[$number\]}$" || fail "$(cat out)"
done

serve ''
[ "$(cat status)" -eq 0 ] || fail "exit status $(cat status) without a request"
lines 1

for request in 0 -1 1000001 x '' '1 2' 1.5 99999999999999999999; do
    serve "1\n$request\n1\n"
    [ "$(cat status)" -eq 2 ] || fail "exit status $(cat status) for '$request'"
    holds err "expected a number of steps from 1 to 1000000, found '$request'"
    lines 2
done

# Answers come at once, not when a buffer is full.
mkfifo requests answers
"$RESNET" bench resnet-8 --batch 2 --threads 1 --serve <requests >answers 2>err &
exec 3>requests 4<answers
read -r line <&4
echo "$line" | grep -q "$ready" || fail "not ready: $line"
for _ in 1 2; do
    echo 1 >&3
    read -r line <&4
    echo "$line" | grep -q "^{\"seconds\":" || fail "no answer: $line"
done
exec 3>&-
wait $! || fail "exit status $? at the end of the input"
exec 4<&-

usage_error "'--serve' excludes '--steps', '--ops', '--trace' and '--json'" bench resnet-8 --serve --steps 5
usage_error "'--serve' excludes '--steps', '--ops', '--trace' and '--json'" bench resnet-8 --serve --json
finish
