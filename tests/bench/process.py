"""Runs the measured programs: commands to their end, and servers for the length of a `with` block.

Both have time limits. Servers listen on the loopback address only.
"""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

KILOBYTES = 1024  # to the megabyte
COMMAND_LIMIT_S = 1800
START_LIMIT_S = 600  # includes the time to quantize a large model
STOP_LIMIT_S = 30
LOOPBACK = "127.0.0.1"
UNSET = ("OPENBLAS_CORETYPE",)  # would override the choice of kernels of the measured programs


def environment_of(more=None):
    """This process's environment without UNSET, and `more`."""
    return {k: v for k, v in os.environ.items() if k not in UNSET} | (more or {})


def run(command, environment=None, limit_s=COMMAND_LIMIT_S):
    """Returns a command's output and its peak resident memory in MB. TimeoutError after `limit_s`."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(
            list(map(str, command)), stdout=out, stderr=err, env=environment_of(environment)
        )
        exceeded = threading.Event()
        limit = threading.Timer(limit_s, lambda: (exceeded.set(), child.kill()))
        limit.start()
        _, status, usage = os.wait4(child.pid, 0)
        limit.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if exceeded.is_set():
            raise TimeoutError(f"{command[0]} did not end within {limit_s} s")
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            last_words = err.read().strip()[-500:]
            raise RuntimeError(f"{command[0]} ended with {child.returncode}: {last_words}")
        return out.read(), usage.ru_maxrss / KILOBYTES


def free_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


class Server:
    """A server in a process of its own; `with` starts it, waits until it is healthy, and ends it.

    `ready_s` is the time from its start until /health answers with 200.
    """

    def __init__(self, command):
        self.port = free_port()
        self.command = [*map(str, command), "--host", LOOPBACK, "--port", str(self.port)]

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as the server)
        start = time.perf_counter()
        self.process = subprocess.Popen(
            self.command, stdout=self.log, stderr=self.log, env=environment_of()
        )
        try:
            self._wait_until_healthy(start + START_LIMIT_S)
        except BaseException:
            self._end()
            raise
        self.ready_s = time.perf_counter() - start
        return self

    def __exit__(self, *error):
        self._end()

    def peak_memory_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return int(fields["VmHWM"].split()[0]) / KILOBYTES

    def _wait_until_healthy(self, deadline):
        while not self._is_healthy():
            if self.process.poll() is not None or time.perf_counter() > deadline:
                self.log.seek(0)
                last_words = self.log.read().strip()[-500:]
                raise RuntimeError(f"{self.command[0]} does not serve: {last_words}")
            time.sleep(0.005)

    def _is_healthy(self):
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
