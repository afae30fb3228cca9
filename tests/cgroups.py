"""Makes cgroups, of version 2 or 1, for tests and measurements that limit a process."""

import os
import pathlib

ROOT = pathlib.Path("/sys/fs/cgroup")
PERIOD_US = 100000


def own(controller):
    """The folder of this process's cgroup for a controller ("" means version 2), or None."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller == names or (controller and controller in names.split(",")):
            base = ROOT / controller if controller else ROOT
            return base / path.lstrip("/")
    return None


def make(parent, name, file, value):
    """A cgroup below `parent` whose `file` is set to `value`; None where that is not allowed."""
    if parent is None or not parent.is_dir():
        return None
    folder = parent / name
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    try:
        if (folder / file).exists():
            (folder / file).write_text(str(value))
            return folder
    except OSError:
        pass
    folder.rmdir()
    return None


def make_quota(name, processors):
    """A cgroup below the root that may use so many processors; None where that is not allowed."""
    quota = int(processors * PERIOD_US)
    return make(ROOT, name, "cpu.max", f"{quota} {PERIOD_US}") or make(
        ROOT / "cpu", name, "cpu.cfs_quota_us", quota
    )


def enter(group):
    """Puts this process into a cgroup; for a preexec_fn."""
    (group / "cgroup.procs").write_text(str(os.getpid()))
