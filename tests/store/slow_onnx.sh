# Exported ONNX files pass onnx's checker, and ONNX Runtime computes our logits from them.
# Needs a Python with onnx, onnxruntime and numpy: RESNET_PYTHON=/path/to/python.
if [ -z "${RESNET_PYTHON-}" ] ||
    ! "$RESNET_PYTHON" -c 'import numpy, onnx, onnxruntime' 2>/dev/null; then
    echo "skipped: RESNET_PYTHON is not set to a Python with onnx, onnxruntime and numpy"
    exit 77
fi
ONNX_FOLDER=$PWD "$BUILD/tests/store_slow_onnx_files" || exit 1
exec "$RESNET_PYTHON" "$SOURCE/tests/store/check_onnx.py" "$PWD"
