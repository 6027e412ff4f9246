"""Write a network for the peers that read files: export_network.py TASK-JSON FILE.

The task's "format" says what: "onnx" writes FILE, "ncnn" FILE.param and FILE.bin. FILE.npz holds
images and the logits that PyTorch computes of them. What was exported is told in a line of JSON.
"""

import json
import os
import sys
import tempfile

import networks
import numpy
import torch


def write_onnx(model, images, path):
    torch.onnx.export(model, (images,), path, input_names=["images"], output_names=["logits"], dynamo=False)


def write_ncnn(model, images, path):
    import pnnx

    networks.PadShortcut.pooling = True
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)  # pnnx leaves files where it is
        try:
            pnnx.export(
                model, "model.pt", images, ncnnparam=f"{path}.param", ncnnbin=f"{path}.bin", fp16=False
            )
        finally:
            os.chdir(before)
    if not os.path.exists(f"{path}.bin"):
        raise RuntimeError("pnnx wrote no network for ncnn")


def main():
    task, path = json.loads(sys.argv[1]), os.path.abspath(sys.argv[2])
    told = networks.describe(task["network"], task["classes"], task["size"])
    torch.manual_seed(1)
    model = networks.build(task["network"], task["classes"]).eval()
    images = torch.rand(task["batch"], 3, task["size"], task["size"]) * 2 - 1
    write = {"onnx": write_onnx, "ncnn": write_ncnn}[task["format"]]
    with torch.no_grad():
        numpy.savez(f"{path}.npz", images=images.numpy(), logits=model(images).numpy())
        write(model, images, path)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
