"""Limits the memory of a process: a cgroup where one can be made, otherwise RLIMIT_DATA."""

import os
import pathlib
import resource
import time
import warnings

ROOT = pathlib.Path("/sys/fs/cgroup")


def _own(controller):
    """The folder of this process's cgroup for a controller ("" means version 2), or None."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller == names or (controller and controller in names.split(",")):
            base = ROOT / controller if controller else ROOT
            return base / path.lstrip("/")
    return None


def _make(parent, file, value):
    """A cgroup below `parent` whose `file` is set to `value`; None where that is not allowed."""
    if parent is None or not parent.is_dir():
        return None
    folder = parent / f"edgegate-hostile-{os.getpid()}-{file}"
    try:
        folder.mkdir(exist_ok=True)
        if (folder / file).exists():
            (folder / file).write_text(str(value))
            return folder
        folder.rmdir()
    except OSError:
        return None
    return None


class MemoryLimit:
    """`enter` is a preexec_fn: it puts the new process under the limit."""

    def __init__(self, megabytes):
        self.bytes = megabytes << 20
        self.cgroup = _make(_own(""), "memory.max", self.bytes) or _make(
            _own("memory"), "memory.limit_in_bytes", self.bytes
        )
        self.how = str(self.cgroup or "RLIMIT_DATA")
        if not self.cgroup:
            warnings.warn(
                "no cgroup can be made here: RLIMIT_DATA limits each process of the daemon apart",
                stacklevel=2,
            )

    def enter(self):
        if self.cgroup:
            (self.cgroup / "cgroup.procs").write_text(str(os.getpid()))
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
        self.cgroup = _make(_own(""), "pids.max", tasks) or _make(_own("pids"), "pids.max", tasks)

    def available(self):
        return bool(self.cgroup)

    def enter(self):
        (self.cgroup / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        # Killed workers leave the group a little after the daemon.
        for _ in range(100 if self.cgroup else 0):
            try:
                return self.cgroup.rmdir()
            except OSError:
                time.sleep(0.1)
