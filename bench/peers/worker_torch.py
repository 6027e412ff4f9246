"""PyTorch: training steps or inference, eager or compiled."""

import importlib
import json
import sys

import networks
import torch
import torch.nn.functional as F
import worker_protocol


def preload(task):
    """What is imported later would count as memory of the network."""
    if task["size"] == 224:
        importlib.import_module("torchvision")
    if task["options"].get("compile"):
        importlib.import_module("torch._inductor.compile_fx")


def memory_format(task):
    return torch.channels_last if task["options"].get("channels_last") else torch.contiguous_format


def make_images(task):
    images = torch.rand(task["batch"], 3, task["size"], task["size"]) * 2 - 1
    return images.contiguous(memory_format=memory_format(task))


def compiled(task, function):
    """Frozen: weights are constants, batch norms part of the convolutions. C++: no Python between ops."""
    if not task["options"].get("compile"):
        return function
    config = importlib.import_module("torch._inductor.config")
    config.freezing = task["options"].get("frozen", False)
    config.cpp_wrapper = task["options"].get("cpp_wrapper", False)
    return torch.compile(function)


def training_step(task, model):
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4, fused=True)
    images = make_images(task)
    labels = torch.arange(task["batch"]) % task["classes"]
    bf16 = task["options"].get("dtype", task["dtype"]) == "bfloat16"

    def loss_of(images, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return F.cross_entropy(model(images), labels)

    loss_of = compiled(task, loss_of)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(images, labels).backward()
        optimizer.step()

    return step


def inference_step(task, model):
    images = make_images(task)
    model = compiled(task, model)

    def step():
        with torch.inference_mode():
            model(images)

    return step


def setup(task):
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    told = networks.describe(task["network"], task["classes"], task["size"])
    model = networks.build(task["network"], task["classes"]).to(memory_format=memory_format(task))
    model.train(task["kind"] == "train")
    make = training_step if task["kind"] == "train" else inference_step
    return make(task, model), told


if __name__ == "__main__":
    preload(json.loads(sys.argv[1]))
    worker_protocol.serve(setup)
