# The page in a real browser (browser_checks.py): many runs, long logs, names with markup, a phone.
. "$SOURCE/tests/cli/lib.sh"

command -v python3 >/dev/null || skip "no python3"
command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
    skip "no Chromium: apt-get install chromium"

python3 "$SOURCE/tests/dashboard/make_runs.py" many 500 100 || fail "no runs"
python3 "$SOURCE/tests/dashboard/make_runs.py" long 1 10000 || fail "no long run"
mkdir changing
# shellcheck disable=SC2086 # options are words
"$RESNET" train resnet-8 $tiny --iterations 48 --out trained/one --quiet >out || fail "no training"

serve() { # FOLDER: leaves pid and url
    : >served # of the dashboard before
    "$RESNET" dashboard "$1" >served 2>err &
    pid=$!
    tries=0
    until grep -q "http" served; do
        sleep 0.05
        tries=$((tries + 1))
        [ $tries -lt 400 ] || { fail "no dashboard of $1: $(cat err)"; finish; }
    done
    url=$(sed -n 's/.*\(http:[^ ]*\).*/\1/p' served)
}

check_page() { # FOLDER
    serve "$1"
    python3 "$SOURCE/tests/dashboard/browser_checks.py" "$1" "$url" || fail "$1"
    kill -s TERM $pid
    wait $pid || fail "exit status $? after SIGTERM"
}
check_page many
check_page long
check_page changing
check_page trained
finish
