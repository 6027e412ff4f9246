"""torchvision: photographs read, cut at random, mirrored and normalised, by processes of its loader."""

import torch
import torchvision
import worker_protocol
from torchvision.transforms import v2

BATCH = 8  # one process makes a batch: small ones share the work evenly
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read_tensor(path):
    data = torchvision.io.read_file(path)
    return torchvision.io.decode_image(data, mode=torchvision.io.ImageReadMode.RGB)


def transform(task):
    """Pillow's pictures, or tensors of bytes; the same changes."""
    first = [] if task["options"].get("tensors") else [v2.PILToTensor()]
    crop = v2.RandomResizedCrop(task["size"], antialias=True)
    last = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION)]
    return v2.Compose([crop, v2.RandomHorizontalFlip(), *first, *last])


def setup(task):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    options = {"loader": read_tensor} if task["options"].get("tensors") else {}
    data = torchvision.datasets.ImageFolder(task["data"], transform(task), **options)
    loader = torch.utils.data.DataLoader(
        data, batch_size=BATCH, shuffle=True, num_workers=task["threads"], persistent_workers=True
    )

    def step():
        seen = sum(len(labels) for _, labels in loader)
        assert seen == task["batch"], f"{seen} pictures, expected {task['batch']}"

    return step, {}


if __name__ == "__main__":
    worker_protocol.serve(setup)
