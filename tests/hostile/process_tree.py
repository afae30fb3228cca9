"""CPU time, memory, threads and descriptors of a process and all its descendants, from /proc."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat from `state` on."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def tree(root):
    """The pids of `root` and its descendants."""
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                children = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
                queue += [int(child) for child in children.split()]
        except OSError:
            continue
    return found


def cpu_seconds(root):
    """User and system time of the tree, reaped children included."""
    total = 0
    for pid in tree(root):
        try:
            fields = _stat(pid)
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


class CpuWatch:
    """Sums the CPU time of processes that come and go, also where nobody reaps them by wait()."""

    def __init__(self, root):
        self.root, self.seen, self.before = root, {}, {}
        self.sample()
        self.before = dict(self.seen)

    def sample(self):
        for pid in tree(self.root):
            try:
                fields = _stat(pid)
            except OSError:
                continue
            # With its start time a pid names one process.
            self.seen[pid, fields[19]] = sum(int(field) for field in fields[11:13])

    def seconds(self):
        """User and system time since the start, as far as it was sampled."""
        return sum(t - self.before.get(key, 0) for key, t in self.seen.items()) / TICKS


def _field_kb(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def _sum_mb(root, file, field):
    """The field of a /proc file, summed over the tree. Processes that have ended are left out."""
    total = 0
    for pid in tree(root):
        try:
            total += _field_kb(f"/proc/{pid}/{file}", field)
        except OSError:
            continue
    return total / 1024


def rss_anon_mb(root):
    """RssAnon of the tree. Pages that forked processes share are counted once for each."""
    return _sum_mb(root, "status", "RssAnon:")


def pss_anon_mb(root):
    """Anonymous memory of the tree; shared pages are counted once."""
    return _sum_mb(root, "smaps_rollup", "Pss_Anon:")


def rss_mb(root):
    return _sum_mb(root, "status", "VmRSS:")


def counts(root):
    """(processes, threads, descriptors) of the tree."""
    processes = threads = descriptors = 0
    for pid in tree(root):
        try:
            threads += len(os.listdir(f"/proc/{pid}/task"))
            descriptors += len(os.listdir(f"/proc/{pid}/fd"))
            processes += 1
        except OSError:
            continue
    return processes, threads, descriptors
