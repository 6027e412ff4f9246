# `resnet reproduce`: settings, runs that diverge, costs of steps, usage.
. "$SOURCE/tests/cli/lib.sh"

tiny_target 12

expect 0 "$RESNET" reproduce tiny.json --threads 1 --quiet --out whole
holds out "^2 of 2 done; claims: 1 shown, 1 contradicted, 0 not decided$"
holds whole/report.md "| always | test error, % | .* | shown |"
holds whole/report.md "| plain-8 | 8 | 1 of 1 | [0-9.]* | 50 | "
[ -e whole/runs/resnet-8-s1/model.safetensors ] || fail "no ordinary run folder"
expect 1 "$RESNET" reproduce whole --quiet --strict
holds err "1 of 2 claims are not shown"

# What a run has computed stays where its log is damaged, and other runs go on.
cp -r whole damaged
echo '{damage}' >damaged/runs/plain-8-s1/log.jsonl
rm -r damaged/runs/resnet-8-s1
expect 1 "$RESNET" reproduce damaged --quiet
cmp whole/runs/plain-8-s1/model.safetensors damaged/runs/plain-8-s1/model.safetensors ||
    fail "a finished run's model is lost with its log"
holds damaged/report.md "| plain-8-s1 | failed | .*runs/plain-8-s1/log.jsonl"
holds damaged/report.md "| resnet-8-s1 | done |"
rm damaged/runs/plain-8-s1/log.jsonl
mkdir damaged/runs/plain-8-s1/log.jsonl
rm -r damaged/runs/resnet-8-s1
expect 1 "$RESNET" reproduce damaged --quiet
holds damaged/report.md "| plain-8-s1 | failed | .*expected a regular file"
holds damaged/report.md "| resnet-8-s1 | done |"

# A complete run whose log lost its last evaluation says it again.
cp -r whole lost
awk '/"event":"evaluation"/ { last = NR } { line[NR] = $0 }
    END { for (i = 1; i <= NR; i++) if (i != last) print line[i] }' \
    whole/runs/plain-8-s1/log.jsonl >lost/runs/plain-8-s1/log.jsonl
expect 0 "$RESNET" reproduce lost --report
holds lost/report.md "| plain-8-s1 | failed | .*no evaluation of the test set after the last iteration"
expect 0 "$RESNET" reproduce lost --quiet
cmp whole/report.md lost/report.md || fail "a lost line changes the report"

# Other settings than those that were begun with
usage_error "begun with runs 1, asked for is 3" reproduce whole --runs 3
usage_error "begun with scale 1, asked for is 0.5" reproduce tiny.json --out whole --scale 0.5
usage_error "begun with scale 1, asked for is 0.5" reproduce whole --scale 0.5 --report
usage_error "begun with target tiny, asked for is fig1" reproduce fig1 --out whole
usage_error "name two folders" reproduce whole --out other

# A run that diverges is a result of its own.
sed 's/"batch": 16/"batch": 16, "lr": 1000, "schedule": "constant"/' tiny.json >diverging.json
expect 1 "$RESNET" reproduce diverging.json --threads 1 --quiet --out diverging
holds diverging/report.md "| plain-8-s1 | diverged | .*not finite"
expect 1 "$RESNET" reproduce diverging --quiet # and is not tried again
holds err "2 of 2 have no result"

# What comes after the training, and is all that is made anew where it is missing.
sed 's/"name": "tiny"/"name": "ten", "responses": true, "ten_crops": true/' tiny.json >ten.json
expect 0 "$RESNET" reproduce ten.json --scale 0.25 --threads 1 --out ten
holds out "plain-8-s1: ten crops$"
holds ten/report.md "| deviation of layer responses | test error of ten crops, % |$"
cp ten/report.md ten.md
rm ten/runs/plain-8-s1/ten-crops.json ten/runs/resnet-8-s1/responses.json
expect 0 "$RESNET" reproduce ten
! grep -q "begins$\|goes on$" out || fail "a training is repeated for what comes after it"
cmp ten.md ten/report.md || fail "the report changes"

# Pictures that are both training and test set are no test.
mkdir -p photos/a photos/b
printf 'P6\n2 2\n255\n123456789012' >photos/a/1.ppm
cp photos/a/1.ppm photos/b/1.ppm
usage_error "photos' is not divided into training and test pictures" \
    reproduce tiny.json --data photos --out undivided

# Costs of steps, and what is left out of them
cat >cost.json <<'END'
{"name": "cost", "title": "Cost", "paper": "none", "kind": "cost", "batch": 1,
 "runs": [{"model": "resnet-8"}, {"model": "resnet-14"}],
 "claims": [{"text": "cheap", "metric": "step_seconds", "of": "resnet-8", "below": 1000}]}
END
expect 0 "$RESNET" reproduce cost.json --threads 1 --quiet --memory 2M --out cost
holds cost/report.md "| resnet-8 | done | [0-9]"
holds cost/report.md "| resnet-14 | left out | .* | needs .* more than 2.0 MiB |"
holds cost/report.md "| cheap | .* | shown |"

# Where there is memory, what was left out is measured.
sed 's/"name": "cost"/"name": "again"/' cost.json >again.json
mkdir -p again/points
echo '{"left_out": "needs 1 GiB, more than 2.0 MiB"}' >again/points/resnet-14.json
expect 0 "$RESNET" reproduce again.json --threads 1 --quiet --out again --runs 1
holds again/report.md "| resnet-14 | done | [0-9]"

# A study goes on with what it was begun with, and a folder of its name is not taken for it.
expect 0 "$RESNET" reproduce degradation --data shapes:train=64,test=16 --scale 0.1 --threads 1 \
    --quiet --out degradation
expect 0 "$RESNET" study degradation --quiet --out degradation
failure "no folder '/nowhere'" study degradation --data /nowhere

# Why a step cannot be measured, and a parent that ignores its children's ends
failure "resnet bench plain-8 .*' fails: .*memory" reproduce tiny.json --threads 1 --memory 1K --out little
expect 0 timeout 60 env --ignore-signal=CHLD "$RESNET" reproduce whole --quiet --processes 64
holds err "^resnet: note: 64 processes of 1 thread each"
sed 's/"name": "cost"/"name": "third"/' cost.json >third.json
expect 0 timeout 60 env --ignore-signal=CHLD "$RESNET" reproduce third.json --threads 1 --quiet --runs 1

# A path is bytes.
place=$(printf 'd\351t')
mkdir "$place"
for batch in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    head -c 61460 /dev/urandom >"$place/$batch.bin" # 20 pictures
    for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do # of class 3
        printf '\3' | dd of="$place/$batch.bin" bs=1 seek=$((3073 * i)) conv=notrunc 2>/dev/null
    done
done
expect 0 "$RESNET" reproduce tiny.json --data "$place" --threads 1 --quiet --out bytes
rm -r bytes/runs/resnet-8-s1
expect 0 "$RESNET" reproduce bytes --quiet
expect 0 "$RESNET" reproduce tiny.json --data "$place" --quiet --out bytes

# Usage
usage_error "'--batch' is for steps that are measured" reproduce tiny.json --batch 7 --out none
usage_error "'--batch' is for steps that are measured" reproduce whole --batch 7
for option in --data --processes; do
    usage_error "'$option' is for trainings; .* target 'depth-cost'" \
        reproduce depth-cost $option 2 --plan --out none
    usage_error "'$option' is for trainings; .* target 'cost'" reproduce cost $option 2
done
[ ! -e none ] || fail "a folder for what is refused"
usage_error "expects TARGET" reproduce
usage_error "unknown target 'fig66'; did you mean 'fig6'" reproduce fig66
usage_error "'--report' and '--plan' exclude each other" reproduce whole --report --plan
usage_error "'--report' and '--processes' exclude each other" reproduce whole --report --processes 2
failure "never/plan.json" reproduce tiny.json --report --out never
[ ! -e never ] || fail "a folder for the report of nothing"
usage_error "'--budget' and '--scale' exclude each other" reproduce tiny.json --budget 1h --scale 0.5
usage_error "'--budget' is 'soon', expected a time" reproduce tiny.json --budget soon
usage_error "scale 0.01 is below 0.1" reproduce tiny.json --scale 0.01 --out low
usage_error "target 'fig4' needs ImageNet: name its folder with --data" reproduce fig4
usage_error "target 'fig6' needs CIFAR-10.*data download cifar10" reproduce fig6
usage_error "'--budget' is 'never', expected a time" study degradation --budget never
usage_error "unknown command 'degradatoin'; did you mean 'degradation'" study degradatoin
failure "no folder '/nowhere'" reproduce tiny.json --data /nowhere --out nowhere
failure "folder '.*/photos' holds no plan.json" reproduce "$PWD/photos"
for folder in low nowhere reproduce/fig4 reproduce/fig6; do
    [ ! -e $folder ] || fail "a folder '$folder' for what is refused"
done
echo '{"name": "x"}' >wrong.json
failure "target './wrong.json': 'title' is missing" reproduce ./wrong.json
expect 0 "$RESNET" reproduce --list
[ "$(grep -A3 '^degradation ' out | grep -c needs)" = 0 ] || fail "a target with data of its own needs some"
holds out "; needs ImageNet$"
for target in fig1 fig4 fig6 fig7 table6 shortcuts preact-table1 preact-table2 preact-table3 depth-cost degradation; do
    holds out "^$target "
done
finish
