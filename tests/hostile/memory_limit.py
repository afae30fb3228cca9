"""Limits the memory of a process: a cgroup where one can be made, otherwise RLIMIT_DATA."""

import os
import pathlib
import resource
import sys
import time
import warnings

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import cgroups


def _make(controller, file, value):
    """A cgroup below this process's own."""
    name = f"edgegate-hostile-{os.getpid()}-{file}"
    return cgroups.make(cgroups.own(controller), name, file, value)


class MemoryLimit:
    """`enter` is a preexec_fn that puts the new process under the limit."""

    def __init__(self, megabytes):
        self.bytes = megabytes << 20
        self.cgroup = _make("", "memory.max", self.bytes) or _make(
            "memory", "memory.limit_in_bytes", self.bytes
        )
        self.how = str(self.cgroup or "RLIMIT_DATA")
        if not self.cgroup:
            warnings.warn(
                "no cgroup can be made here: RLIMIT_DATA limits each process of the daemon apart",
                stacklevel=2,
            )

    def enter(self):
        if self.cgroup:
            cgroups.enter(self.cgroup)
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (self.bytes, self.bytes))

    def remove(self):
        if self.cgroup:
            try:
                self.cgroup.rmdir()
            except OSError as error:
                warnings.warn(f"{self.cgroup}: {error}", stacklevel=2)


class TaskLimit:
    """Limits processes and threads: a pids cgroup, or RLIMIT_NPROC where the user is not root."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.cgroup = _make("", "pids.max", tasks) or _make("pids", "pids.max", tasks)

    def available(self):
        return bool(self.cgroup)

    def enter(self):
        cgroups.enter(self.cgroup)

    def remove(self):
        # Killed workers leave the group a little after the daemon.
        for _ in range(100 if self.cgroup else 0):
            try:
                return self.cgroup.rmdir()
            except OSError:
                time.sleep(0.1)
