# A page that is open beside 500 runs takes less than a hundredth of what the processors can do.
. "$SOURCE/tests/cli/lib.sh"

command -v python3 >/dev/null || skip "no python3"

python3 "$SOURCE/tests/dashboard/make_runs.py" many 500 100 || fail "no runs"
"$RESNET" train resnet-20 --data shapes --iterations 100000 --out many/mine --dashboard --log-every 10 \
    --quiet >out 2>err &
pid=$!
tries=0
until grep -q "http" out err && grep -q '"step"' many/mine/log.jsonl; do
    sleep 0.1
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { fail "no dashboard: $(cat err)"; break; }
done
url=$(sed -n 's/.*\(http:[^ ]*\).*/\1/p' out err)
spent=$(python3 "$SOURCE/tests/dashboard/cost.py" $pid "$url" 40) || fail "no answer"
kill -s TERM $pid
wait $pid
echo "processor seconds of the server, of all, seconds: $spent"
echo "$spent" | awk -v processors="$(nproc)" '{exit !($1 > 0 && $1 < 0.01 * $3 * processors)}' || fail "the dashboard took $spent"
finish
