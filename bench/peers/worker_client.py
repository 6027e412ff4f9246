"""A contender's process, as the measuring program sees it: stopped except in its turns."""

import json
import os
import select
import shutil
import signal
import subprocess

SETUP_SECONDS = 3600  # compilers take their time
TURN_SECONDS = 900
CLOSE_SECONDS = 5


class WorkerError(Exception):
    """Why a contender has no result."""


def last_line(path):
    with open(path, errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    if len(lines) > 1 and lines[-1].startswith("try 'resnet "):  # says where help is, not what is wrong
        lines.pop()
    return lines[-1][:300] if lines else ""


def with_parent(command):
    """Let the process end with us, however we end: stopped, it would never see its pipe close."""
    return ["setpriv", "--pdeathsig", "KILL", *command] if shutil.which("setpriv") else command


class Worker:
    """Start it, then ask(); it holds memory, but no processor, outside of ask()."""

    def __init__(self, command, environment, log_path):
        self.log_path = log_path
        self.buffer = b""
        with open(log_path, "w") as log:
            self.process = subprocess.Popen(
                with_parent(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def wait_ready(self):
        """What the worker tells once it is warm."""
        told = self._read(SETUP_SECONDS)
        self._signal(signal.SIGSTOP)
        return told

    def ask(self, steps):
        """Times of so many steps, in seconds."""
        self._signal(signal.SIGCONT)
        try:
            self.process.stdin.write(f"{steps}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the log says why
        seconds = self._read(TURN_SECONDS)["seconds"]
        self._signal(signal.SIGSTOP)
        return seconds

    def memory(self, key):
        """A number of bytes from the kernel: "VmRSS" now, "VmHWM" at most; None if unknown."""
        try:
            with open(f"/proc/{self.process.pid}/status") as file:
                for line in file:
                    if line.startswith(key + ":"):
                        return int(line.split()[1]) * 1024
        except OSError:
            pass
        return None

    def processor_ticks(self):
        """Processor time that it has used, in the kernel's ticks."""
        try:
            with open(f"/proc/{self.process.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return 0
        return int(fields[11]) + int(fields[12])  # utime, stime: 14 and 15 in proc(5)

    def forget_peak(self):
        """Let VmHWM begin anew; False where the kernel does not allow it."""
        try:
            with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
                file.write("5")
            return True
        except OSError:
            return False

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self._signal(signal.SIGCONT)
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def _signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def _read(self, limit):
        """The next line of JSON."""
        output = self.process.stdout
        while b"\n" not in self.buffer:
            if not select.select([output], [], [], limit)[0]:
                raise WorkerError(f"no answer within {limit} s")
            part = os.read(output.fileno(), 1 << 16)
            if not part:
                status = self.process.wait()
                raise WorkerError(last_line(self.log_path) or f"ended with status {status}")
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer
