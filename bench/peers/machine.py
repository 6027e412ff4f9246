"""What it was measured on, and with."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess

FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
PEERS = ("torch", "torchvision", "onnx", "onnxruntime", "openvino", "ncnn", "pnnx")


def read_text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def processor_field(text, key):
    found = re.search(rf"^{key}\s*:\s*(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def processor_flags():
    words = set(processor_field(read_text("/proc/cpuinfo"), "flags").split())
    return [flag for flag in FLAGS if flag in words]


def has_bf16():
    return "avx512_bf16" in processor_flags()


def memory_bytes():
    found = re.search(r"^MemTotal:\s*(\d+)", read_text("/proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def peer_versions():
    versions = {}
    for name in PEERS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return versions


def first_line(command, folder=None):
    try:
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip() if done.returncode == 0 else ""


def commit(root):
    """The commit, with "+" where tracked files differ from it (results do not count)."""
    name = first_line(["git", "rev-parse", "--short=12", "HEAD"], root)
    status = ["git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/results"]
    return name + ("+" if name and first_line(status, root) else "")


def describe(root, threads):
    text = read_text("/proc/cpuinfo")
    return {
        "processor": processor_field(text, "model name"),
        "family_model_stepping": [
            processor_field(text, key) for key in ("cpu family", "model", "stepping")
        ],
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "flags": processor_flags(),
        "memory_bytes": memory_bytes(),
        "kernel": re.match(r"[0-9.]*", platform.release())[0],
        "python": platform.python_version(),
        "compiler": first_line(["c++", "--version"]),
        "peers": peer_versions(),
        "commit": commit(root),
        "date": datetime.date.today().isoformat(),
        "resnet_isa": os.environ.get("RESNET_ISA", ""),
        "load": os.getloadavg()[0],
    }


def short_name(described):
    """For file names: "amd-epyc-avx512"."""
    name = re.sub(r"\((R|TM)\)|@.*|\b(CPU|Processor|\d+-Core)\b", " ", described["processor"])
    widest = "avx512" if "avx512f" in described["flags"] else "avx2"
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()) + [described["resnet_isa"] or widest])


def processor_times():
    """Ticks of all processors since the machine began: user, nice, system, idle, ..., steal."""
    return [int(word) for word in read_text("/proc/stat").partition("\n")[0].split()[1:9]]


def lost_shares(before, after, used):
    """Shares of the processors' time that went to other virtual machines and to other processes here.

    used: ticks of the processes that were measured.
    """
    passed = [b - a for a, b in zip(before, after)]
    if len(passed) < 8 or sum(passed) <= 0:
        return {"stolen": None, "others": None}
    user, nice, system, _, _, irq, softirq, stolen = passed
    others = max(user + nice + system + irq + softirq - used, 0)
    return {"stolen": stolen / sum(passed), "others": others / sum(passed)}
