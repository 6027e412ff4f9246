# The plots among the results are what their commands draw.
. "$SOURCE/tests/cli/lib.sh"

cp -R "$SOURCE/docs/results" results
cd results || fail "no results"
find . -name '*.svg' -exec rm {} +
sed -n 's/^    resnet plot //p' README.md >commands
[ "$(wc -l <commands)" -ge 4 ] || fail "hardly a command in docs/results/README.md"
while read -r words; do
    picture=${words##*--out }
    eval "expect 0 \"\$RESNET\" plot $words"
    cmp -s "$picture" "$SOURCE/docs/results/$picture" ||
        fail "docs/results/$picture is not what is drawn: resnet plot $words"
done <commands
finish
