"""check_onnx.py FOLDER: what slow_onnx_files.c wrote there, checked by onnx and ONNX Runtime."""
import pathlib
import sys

import numpy
import onnx
import onnxruntime

folder = pathlib.Path(sys.argv[1])
failures = 0


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])


def floats(path, shape):
    return numpy.fromfile(path, numpy.float32).reshape(shape)


for line in (folder / "list").read_text().splitlines():
    name, channels, size, classes, computed = line.split()
    channels, size, classes = int(channels), int(size), int(classes)
    for kind in "plain", "folded":
        path = folder / f"{name}.{kind}.onnx"
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert [o.version for o in model.opset_import] == [17], model.opset_import
        assert model.ir_version == 8 and model.producer_name == "resnet"
        spec = {p.key: p.value for p in model.metadata_props}["resnet.model"]
        run = session(path)
        assert run.get_inputs()[0].shape == ["N", channels, size, size], run.get_inputs()[0].shape
        assert run.get_outputs()[0].shape == ["N", classes], run.get_outputs()[0].shape
        worst = 0.0
        for batch in 1, 7:
            if computed != "1":
                images = numpy.zeros((batch, channels, size, size), numpy.float32)
                assert run.run(["logits"], {"input": images})[0].shape == (batch, classes)
                continue
            images = floats(folder / f"{name}.images{batch}", (batch, channels, size, size))
            ours = floats(folder / f"{name}.logits{batch}", (batch, classes))
            theirs = run.run(["logits"], {"input": images})[0]
            scale = max(1.0, float(abs(ours).max()))
            worst = max(worst, float(abs(ours - theirs).max()) / scale)
        nodes = sum(1 for n in model.graph.node if n.op_type == "BatchNormalization")
        print(f"{spec:60} {kind:7} {nodes:4} batch norms, differs by {worst:.1e}"
              + ("" if computed == "1" else " (not compared)"))
        failures += worst > 1e-4
sys.exit(failures > 0)
