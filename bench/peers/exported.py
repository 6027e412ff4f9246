"""What workers that read an exported network share: its images, and whether they compute it."""

import numpy

TOLERANCE = 1e-3  # of the largest logit; a network that is another one is off by its whole size


def load(task):
    """Images, and the logits that PyTorch computes of them."""
    with numpy.load(f"{task['model_file']}.npz") as arrays:
        return arrays["images"], arrays["logits"]


def check(logits, expected):
    difference = numpy.abs(numpy.asarray(logits).reshape(expected.shape) - expected).max()
    if not difference <= TOLERANCE * numpy.abs(expected).max():
        raise RuntimeError(f"the logits differ from PyTorch's by {difference:.3g}")
