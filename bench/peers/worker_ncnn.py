"""ncnn: inference of one image, in float32."""

import exported
import ncnn
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
    images, expected = exported.load(task)
    source = ncnn.Mat(images[0]).clone()
    in_name, out_name = net.input_names()[0], net.output_names()[0]

    def step():
        extractor = net.create_extractor()
        extractor.input(in_name, source)
        return extractor.extract(out_name)[1]

    exported.check(step(), expected)
    return step, {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
