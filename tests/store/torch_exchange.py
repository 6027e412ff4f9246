"""For slow_torch.c: read FOLDER/ours.pth in every way, check it, and save it in both formats."""
import collections
import os
import sys
import zipfile

import torch

folder = sys.argv[1]
ours = os.path.join(folder, "ours.pth")

with zipfile.ZipFile(ours) as archive:
    assert archive.testzip() is None
    assert archive.read("archive/version") == b"3\n"
    for info in archive.infolist():
        assert info.compress_type == zipfile.ZIP_STORED

state = torch.load(ours, weights_only=True)
for options in ({"weights_only": False}, {"weights_only": True, "mmap": True}):
    again = torch.load(ours, **options)
    assert list(again) == list(state)
    assert all(torch.equal(again[name], state[name]) for name in state)

# slow_torch.c's tensors: element i of tensor t is t + i / 8.
assert type(state) is collections.OrderedDict
shapes = {
    "conv1.weight": (16, 3, 3, 3),
    "bn1.weight": (16,),
    "scalar": (),
    "empty": (0, 4),
    "layer1.0.naïve": (2, 1, 5),
}
assert list(state) == list(shapes)
for t, (name, shape) in enumerate(shapes.items()):
    tensor = state[name]
    assert tensor.dtype == torch.float32 and tuple(tensor.shape) == shape, name
    assert tensor.is_contiguous() and not tensor.requires_grad, name
    assert torch.equal(tensor.flatten(), t + torch.arange(tensor.numel()) / 8), name

network = torch.nn.Module()
network.conv1 = torch.nn.Conv2d(3, 16, 3, bias=False)
network.load_state_dict({"conv1.weight": state["conv1.weight"]})

torch.save(state, os.path.join(folder, "theirs.pth"))
torch.save(state, os.path.join(folder, "legacy.pth"), _use_new_zipfile_serialization=False)
half = {name: tensor.to(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor.double()
        for name, tensor in state.items()}
torch.save({"model": half}, os.path.join(folder, "strided.pth"))
print("PyTorch", torch.__version__, "agrees")
