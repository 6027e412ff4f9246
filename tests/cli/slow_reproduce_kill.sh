# kill -9 of `resnet reproduce` at random moments, 20 times: it always goes on, and its report ends up
# as if it had never been killed.
. "$SOURCE/tests/cli/lib.sh"

command -v setsid >/dev/null || skip "no setsid"
kills=${KILLS:-20}
seed=${SEED:-1}

tiny_target 60

start() {
    setsid "$RESNET" reproduce tiny.json --runs 2 --threads 1 --processes 2 --quiet --out killed >log 2>err &
    pid=$!
}

check_end() {
    wait $pid || fail "a part fails: $(cat err)"
    cmp whole/report.md killed/report.md || fail "report.md is another one"
    cmp whole/report.html killed/report.html || fail "report.html is another one"
    [ -z "$(find killed -name '*.tmp*')" ] || fail "temporaries are left: $(find killed -name '*.tmp*')"
    [ "$failures" -eq 0 ] || finish
    ends=$((ends + 1))
    rm -rf killed
}

began=$(date +%s%3N)
"$RESNET" reproduce tiny.json --runs 2 --threads 1 --processes 2 --quiet --out whole >log 2>err || {
    cat err
    exit 1
}
milliseconds=$(($(date +%s%3N) - began))

killed=0
ends=0
start
while [ "$killed" -lt "$kills" ]; do
    draw $((milliseconds / 3 + 50))
    sleep "$((random / 1000)).$(printf %03d $((random % 1000)))"
    if kill -9 -$pid 2>/dev/null; then
        killed=$((killed + 1))
        wait $pid 2>/dev/null
    else
        check_end
    fi
    start
done
check_end
echo "killed $killed times during $ends reproductions of four runs, each $milliseconds ms if left alone"
finish
