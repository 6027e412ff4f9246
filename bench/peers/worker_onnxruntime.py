"""ONNX Runtime: inference on its CPU provider."""

import exported
import onnxruntime
import worker_protocol


def setup(task):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        task["model_file"], options, providers=["CPUExecutionProvider"]
    )
    images, expected = exported.load(task)
    inputs = {session.get_inputs()[0].name: images}
    exported.check(session.run(None, inputs)[0], expected)
    return lambda: session.run(None, inputs), {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
