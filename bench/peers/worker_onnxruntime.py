"""ONNX Runtime: inference on its CPU provider."""

import numpy
import onnxruntime
import worker_protocol


def setup(task):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        task["model_file"], options, providers=["CPUExecutionProvider"]
    )
    shape = (task["batch"], 3, task["size"], task["size"])
    images = numpy.random.default_rng(1).uniform(-1, 1, shape).astype(numpy.float32)
    inputs = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, inputs), {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
