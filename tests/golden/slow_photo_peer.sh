#!/bin/sh
# Views of all photographs beside torchvision's: photo_peer.py with RESNET_PYTHON.
set -eu

[ -d "${RESNET_DATA:-$SOURCE/../shared/data}/imagenet-sample" ] || {
    echo "skipped: no photographs"
    exit 77
}
[ -n "${RESNET_PYTHON-}" ] || {
    echo "skipped: RESNET_PYTHON is not set"
    exit 77
}
"$RESNET_PYTHON" "$SOURCE/tests/golden/photo_peer.py" "$BUILD/tests/golden_test_photographs"
