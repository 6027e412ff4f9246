"""Starting contenders: command lines, environment, files of networks."""

import json
import os
import subprocess
import sys

import rows
from worker_client import Worker, WorkerError, last_line

HERE = os.path.dirname(os.path.abspath(__file__))
# Each contender waits for its threads as it does by default; being stopped between its turns is
# what keeps it from disturbing others.
UNSET = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_PROC_BIND", "GOMP_CPU_AFFINITY")


class Starter:
    """Knows our program, the threads and a folder for logs and exported networks."""

    def __init__(self, program, threads, folder):
        self.program, self.threads, self.folder = program, threads, folder
        self.summaries = {}
        self.exports = {}
        self.bench_help = self._ask_program("bench", "--help")

    def start(self, row, contender):
        """A worker that is setting up; WorkerError if it cannot even start."""
        command = self._peer(row, contender) if contender.is_peer else self._ours(row)
        log = os.path.join(self.folder, f"{row.name}-{contender.name}.log")
        return Worker(command, self._environment(), log)

    def check_network(self, row, told):
        """Stop everything if a peer computes another network than we do."""
        if row.kind == "load":
            return
        ours = self.summary(row)
        for key in ("parameters", "multiply_adds"):
            if key in told and told[key] != ours[key]:
                raise SystemExit(f"{row.spec}: {ours[key]} {key} here, {told[key]} in PyTorch")

    def summary(self, row):
        if row.spec not in self.summaries:
            self.summaries[row.spec] = json.loads(self._ask_program("summary", row.spec, "--json"))
        return self.summaries[row.spec]

    def _ours(self, row):
        if row.kind == "load":
            return [self.program, "data", "bench", rows.PHOTOS, "--recipe", "modern", "--batch", str(row.batch),
                    "--workers", str(self.threads), "--serve"]  # fmt: skip
        command = [self.program, "bench", row.spec, "--batch", str(row.batch), "--serve"]
        command += ["--threads", str(self.threads)]
        if row.kind == "infer":
            command.append("--inference")
        if row.dtype != "float32":
            if "--dtype" not in self.bench_help:
                raise WorkerError(f"'resnet bench' has no {row.dtype}")
            command += ["--dtype", row.dtype]
        return command

    def _peer(self, row, contender):
        task = {**row.task(self.threads), "options": contender.options}
        if contender.model_file:
            task["model_file"] = self._export(row, contender.model_file)
        return [sys.executable, os.path.join(HERE, contender.worker), json.dumps(task)]

    def _export(self, row, form):
        """Path of the row's network in a file, written when it is first wanted."""
        key = (row.network, row.batch, form)
        if key not in self.exports:
            path = os.path.join(self.folder, f"{row.network}-b{row.batch}.{form}")
            self.check_network(row, self._run_export(row, form, path))
            self.exports[key] = path
        return self.exports[key]

    def _run_export(self, row, form, path):
        task = json.dumps({**row.task(self.threads), "format": form})
        log = f"{path}.log"
        with open(log, "w") as errors:
            done = subprocess.run(
                [sys.executable, os.path.join(HERE, "export_network.py"), task, path],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment(),
            )
        if done.returncode != 0:
            raise WorkerError(f"no {form} file: {last_line(log)}")
        return json.loads(done.stdout.splitlines()[-1])

    def _environment(self):
        environment = {k: v for k, v in os.environ.items() if k not in UNSET}
        environment["OMP_NUM_THREADS"] = str(self.threads)
        return environment

    def _ask_program(self, *arguments):
        return subprocess.run(
            [self.program, *arguments], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
