"""ncnn: inference of one image, in float32."""

import ncnn
import numpy
import worker_protocol


def make_net(task):
    net = ncnn.Net()
    net.opt.num_threads = task["threads"]
    net.opt.use_vulkan_compute = False
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
        if hasattr(net.opt, f"use_{name}"):
            setattr(net.opt, f"use_{name}", False)
    for load, suffix in ((net.load_param, "param"), (net.load_model, "bin")):
        if load(f"{task['model_file']}.{suffix}") != 0:
            raise RuntimeError(f"ncnn cannot load the network's .{suffix} file")
    return net


def setup(task):
    net = make_net(task)
    shape = (3, task["size"], task["size"])
    images = numpy.random.default_rng(1).uniform(-1, 1, shape).astype(numpy.float32)
    source = ncnn.Mat(images)
    in_name, out_name = net.input_names()[0], net.output_names()[0]

    def step():
        extractor = net.create_extractor()
        extractor.input(in_name, source)
        status, result = extractor.extract(out_name)
        if status != 0 or result.w != task["classes"]:
            raise RuntimeError(f"ncnn gives {result.w} logits with status {status}")

    return step, {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
