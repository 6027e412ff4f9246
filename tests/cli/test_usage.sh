# Nonsense on the command line: one clear line, exit status 2.
. "$SOURCE/tests/cli/lib.sh"

expect 2 "$RESNET"
holds err "^Usage: resnet COMMAND"

usage_error "unknown command 'trian'; did you mean 'train'?" trian
usage_error "unknown command 'xyzzy'" xyzzy
usage_error "unknown option '--frob'" --frob
usage_error "unknown option '--epoch'; did you mean '--epochs'?" train resnet-20 --epoch 3
usage_error "unknown option '-z'" train resnet-20 -z
usage_error "unknown option '--no-batch'" train resnet-20 --no-batch
usage_error "unknown command 'shw'; did you mean 'show'?" data shw
usage_error "'resnet data' expects show|pack|preview|verify|download|bench" data

usage_error "unknown model.*'resnet-2o'.*resnet-20" summary resnet-2o
usage_error "unknown model.*resnet-20" train resnet2O
usage_error "expects MODEL" train
usage_error "expects MODEL, found one more: 'resnet-32'" train resnet-20 resnet-32
usage_error "found nothing" plan
usage_error "found only 'model.safetensors'" predict model.safetensors

for value in 0 -1 65537 x '' 1e3 1.5 0x10 99999999999999999999 '1 2'; do
    usage_error "option '--batch' expects .*1 to 65536.*'$value'" train resnet-20 --batch "$value"
done
for value in nan inf -0.1 0 x 1e999 0x1p3 1001; do
    usage_error "option '--lr' expects a number, above 0, up to 1000, found '$value'" \
        train resnet-20 --lr "$value"
done
usage_error "option '--epochs' expects .*found '-1'" train resnet-20 --epochs -1
usage_error "option '--factor' expects a number, above 0, below 1, found '1'" train x --factor 1
for option in ema momentum; do
    usage_error "option '--$option' expects a number, 0 or more, below 1, found '1'" \
        train resnet-20 --$option 1
done
usage_error "option '--threads' expects .*0 to 1024, found '100000'" \
    train resnet-20 --threads 100000
usage_error "option '--schedule' expects one of constant|step.*found 'stairs'" \
    train resnet-20 --schedule stairs
usage_error "option '--schedule' expects one of" train resnet-20 --schedule const
usage_error "option '--split' expects one of test|train, found ''" eval m.safetensors --split=

usage_error "option '--out' expects FOLDER, but nothing follows it" train resnet-20 --out
usage_error "option '--out' expects FOLDER, found option '--quiet'" train resnet-20 --out --quiet
usage_error "option '--out' expects FOLDER, found nothing" train resnet-20 --out=
usage_error "option '--quiet' takes no value, found 'yes'" train resnet-20 --quiet=yes
usage_error "option '--batch' is given twice, as '16' and as '32'" \
    train resnet-20 --batch 16 -b 32
usage_error "'--flip' and '--no-flip' contradict" train resnet-20 --flip --no-flip
usage_error "'--epochs' and '--iterations' exclude" train resnet-20 --epochs 1 --iterations 5
usage_error "'--json' and '--csv' exclude" predict m.safetensors a.png --json --csv
usage_error "option '--set' expects KEY=VALUE, found 'lr'" train resnet-20 --set lr
usage_error "option '--set': .*'lrr'" train resnet-20 --set lrr=1
usage_error "option '--set': .*'head_lr' is -1, expected" train resnet-20 --set lr-head=-1
usage_error "recipe.*'paper-cifra'.*paper-cifar" train resnet-20 --recipe paper-cifra
usage_error "option '--input' expects CxHxW" summary resnet-20 --input 3x32
usage_error "option '--input' expects CxHxW" summary resnet-20 --input 3x32x32x
usage_error "option '--resume' expects FOLDER" train --resume
usage_error "name two folders" train --resume a --out b
usage_error "no known download 'cifar11'; did you mean 'cifar10'?" data download cifar11
usage_error "bash" completion fish

# Control characters must not reach the terminal.
expect 2 "$RESNET" "$(printf 'a\033[31m\nb')"
[ "$(wc -l <err)" -eq 2 ] || fail "a newline in an argument breaks the error line"
! grep -q "$(printf '\033')" err || fail "an escape sequence reaches the terminal"

failure "none.json" train resnet-20 --recipe none.json
failure "no-such" data show no-such
failure "no-such" eval no-such.safetensors --data shapes
failure "no folder 'no-such'" train --resume no-such
[ ! -e runs ] || fail "a refused training left a run folder"

# What is allowed: the same value twice, -- before words, values behind '=' or a letter.
expect 0 "$RESNET" summary --classes 10 --classes 10 -- resnet-20
expect 0 "$RESNET" summary resnet-20 --classes=100 --input=1x28x28
finish
