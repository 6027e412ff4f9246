"""OpenVINO: inference on its CPU device, in float32."""

import numpy
import openvino
import worker_protocol


def setup(task):
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": task["threads"],
    }
    shape = (task["batch"], 3, task["size"], task["size"])
    core = openvino.Core()
    model = core.read_model(task["model_file"])
    model.reshape(shape)
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    images = numpy.random.default_rng(1).uniform(-1, 1, shape).astype(numpy.float32)
    request.set_input_tensor(openvino.Tensor(images))
    return request.infer, {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
