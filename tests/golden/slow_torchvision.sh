#!/bin/sh
# Exported networks in torchvision and onnxruntime: torchvision_peer.py with RESNET_PYTHON, or in a
# virtual environment of its own (PyTorch from PyPI is large: some 5 GB).
set -eu

program=$BUILD/tests/golden_slow_torchvision
[ -d "${RESNET_DATA:-$SOURCE/../shared/data}/imagenet-sample" ] || {
    echo "skipped: no photographs"
    exit 77
}
python=${RESNET_PYTHON-}
if [ -z "$python" ]; then
    python=$BUILD/venv-torchvision/bin/python
    if [ ! -x "$python" ] && ! { python3 -m venv "$BUILD/venv-torchvision" &&
        "$python" -m pip install --quiet torch==2.15.* torchvision==0.29.* numpy safetensors pillow \
            onnx onnxruntime; }; then
        rm -rf "$BUILD/venv-torchvision"
        echo "skipped: this needs python3-venv and PyPI, or RESNET_PYTHON"
        exit 77
    fi
fi
"$python" "$SOURCE/tests/golden/torchvision_peer.py" "$program"
