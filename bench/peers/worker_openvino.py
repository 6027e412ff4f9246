"""OpenVINO: inference on its CPU device, in float32."""

import exported
import openvino
import worker_protocol


def setup(task):
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": task["threads"],
    }
    images, expected = exported.load(task)
    core = openvino.Core()
    model = core.read_model(task["model_file"])
    model.reshape(images.shape)
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(images))
    request.infer()
    exported.check(request.get_output_tensor().data, expected)
    return request.infer, {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
