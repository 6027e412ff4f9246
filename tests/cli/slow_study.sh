# `resnet study degradation` on little data: figure and sentences, and the same after ^C in the middle.
. "$SOURCE/tests/cli/lib.sh"

options="study degradation --data shapes:train=640,test=64 --budget 20m"

study() {
    # shellcheck disable=SC2086 # options are words
    "$RESNET" $options "$@"
}

study --out whole >out 2>err || fail "exit status $?: $(cat err)"
for line in '^Plain: with 56 layers the training error ended at' '^Residual: with 56 layers'; do
    grep -q "$line" out || fail "no line '$line' in $(cat out)"
done
head -c 5 whole/curves.svg | grep -q '<?xml\|<svg' || fail "no figure"
[ "$(head -c 4 whole/curves.png | tail -c 3)" = PNG ] || fail "no picture"

cp -r whole again
rm -rf again/runs/*-s1 again/report.* again/curves.*
# A shell's background processes do not take SIGINT unless they are told to.
# shellcheck disable=SC2086 # options are words
env --default-signal=INT "$RESNET" $options --out again >out 2>err &
pid=$!
until [ -s again/runs/plain-56-s1/log.jsonl ] || ! kill -0 $pid 2>/dev/null; do sleep 0.2; done
kill -INT $pid
wait $pid
[ $? -eq 130 ] || fail "not interrupted: $(cat err)"
study --out again >out 2>err || fail "exit status $? of the second call: $(cat err)"
for name in report.md report.html curves.svg curves.png; do
    cmp -s "whole/$name" "again/$name" || fail "$name differs"
done
finish
