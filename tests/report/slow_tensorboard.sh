# Events files in TensorBoard's own reader: tensorboard_peer.py with a Python that has the package
# tensorboard (RESNET_TENSORBOARD_PYTHON), or in a virtual environment of its own.
. "$SOURCE/tests/cli/lib.sh"

python=${RESNET_TENSORBOARD_PYTHON-}
if [ -z "$python" ]; then
    python=$BUILD/venv-tensorboard/bin/python
    if [ ! -x "$python" ] && ! { python3 -m venv "$BUILD/venv-tensorboard" &&
        "$python" -m pip install --quiet tensorboard; }; then
        rm -rf "$BUILD/venv-tensorboard"
        skip "this needs python3-venv and PyPI, or RESNET_TENSORBOARD_PYTHON"
    fi
fi

agree() {
    "$python" "$SOURCE/tests/report/tensorboard_peer.py" "$1" || fail "TensorBoard reads something else of $1"
}

# shellcheck disable=SC2086 # options are words
expect 0 "$RESNET" train resnet-8 --iterations 40 --out whole --log-every 3 --log-gradients 10 \
    --tensorboard --checkpoint-every 10 --hold-out 64 --ema 0.9 $tiny
agree whole

# Killed behind a checkpoint and resumed: what was logged beyond it is forgotten, and comes again.
cp -r whole torn
rm torn/model.safetensors torn/checkpoint-40.safetensors torn/checkpoint-30.safetensors
expect 0 "$RESNET" train --resume torn
[ "$(find torn -name 'events.out.tfevents.*' | wc -l)" -eq 2 ] || fail "not a file for each process"
agree torn
finish
