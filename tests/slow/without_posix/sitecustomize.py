"""Shows the project's own modules what Python on Windows offers; libraries go on seeing the real system.

Python imports a module of this name by itself. With its folder on PYTHONPATH and the project's root in WITHOUT_POSIX,
an `import` in a file below that root gets stand-ins for the modules that differ on Windows: names are missing, calls
fail as they fail there, and processes start by "spawn".
"""

import builtins
import errno
import os
from types import ModuleType

ABSENT = {
    *("resource", "fcntl", "pwd", "grp", "termios", "pty", "tty", "syslog", "posix", "readline", "curses"),
}
ABSENT_FROM_OS = {
    *("fork", "forkpty", "register_at_fork", "killpg", "setsid", "getsid", "setpgid", "getpgid", "getpgrp"),
    *(
        "getuid",
        "geteuid",
        "getgid",
        "getegid",
        "setuid",
        "setgid",
        "getgroups",
        "nice",
        "uname",
        "getloadavg",
    ),
    *("sched_getaffinity", "sched_setaffinity", "sysconf", "statvfs", "fstatvfs", "mkfifo", "mknod", "chown"),
    *(
        "fchown",
        "lchown",
        "fchmod",
        "wait",
        "wait3",
        "wait4",
        "waitid",
        "WNOHANG",
        "pread",
        "pwrite",
        "sendfile",
    ),
    *("posix_fallocate", "posix_fadvise", "fdatasync", "memfd_create", "eventfd", "pipe2", "openpty"),
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "O_DSYNC"),
}
SIGNALS = {"SIGINT", "SIGTERM", "SIGABRT", "SIGFPE", "SIGILL", "SIGSEGV"}
ABSENT_FROM_SIGNAL = {
    "alarm",
    "setitimer",
    "getitimer",
    "pause",
    "pthread_kill",
    "pthread_sigmask",
    "sigwait",
}


class StandIn(ModuleType):
    """A module with some names missing and some replaced."""

    def __init__(self, real, absent=(), **replaced):
        super().__init__(real.__name__)
        vars(self).update(_real=real, _absent=frozenset(absent), **replaced)

    def __getattr__(self, name):
        if name in self._absent:
            raise AttributeError(f"module {self._real.__name__!r} has no attribute {name!r} (without POSIX)")
        return getattr(self._real, name)


def stand_in_for(name, real):
    """What a module of the project gets for one of Python's; None where Windows has the same."""
    if name == "os":
        return StandIn(real, ABSENT_FROM_OS, fsync=_fsync, kill=_kill, open=_open)
    if name == "sys":
        return StandIn(real, platform="win32")
    if name == "signal":
        others = {
            each for each in dir(real) if each.startswith("SIG") and each[3:4] != "_" and each not in SIGNALS
        }
        return StandIn(real, others | ABSENT_FROM_SIGNAL, signal=_handler_of(real))
    if name == "subprocess":
        return StandIn(real, Popen=_popen(real))
    if name == "psutil":
        return StandIn(real, Process=_process(real))
    return None


def _fsync(handle):
    import fcntl

    if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "Bad file descriptor (flushing what is open for reading)")
    os.fsync(handle)


def _open(path, *rest, **named):
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied (a folder)", str(path))
    return os.open(path, *rest, **named)


def _kill(pid, number):
    raise OSError(errno.EINVAL, f"os.kill({pid}, {number}) would send Ctrl+C, or end the process at once")


def _handler_of(real):
    allowed = {getattr(real, name) for name in SIGNALS}

    def handle(number, handler):
        if number not in allowed:
            raise ValueError("signal number out of range")
        return real.signal(number, handler)

    return handle


def _popen(real):
    class Popen(real.Popen):
        def __init__(self, *rest, **named):
            if named.get("preexec_fn") or named.get("pass_fds"):
                raise ValueError("preexec_fn and pass_fds are not supported on Windows platforms")
            super().__init__(*rest, **named)

        def send_signal(self, number):
            if int(number) != 15:
                raise ValueError(f"Unsupported signal: {number}")
            self.kill()

        terminate = real.Popen.kill

    return Popen


def _process(real):
    class Process(real.Process):
        def send_signal(self, number):
            if int(number) != 15:
                raise ValueError("only SIGTERM, CTRL_C_EVENT and CTRL_BREAK_EVENT are supported on Windows")
            self.kill()

        terminate = real.Process.kill

    return Process


def install(root):
    """From now on answer imports made below that folder."""
    import multiprocessing

    multiprocessing.set_start_method("spawn", force=True)
    root = os.path.realpath(root) + os.sep
    real_import, made = builtins.__import__, {}

    def without_posix(name, globals=None, locals=None, fromlist=(), level=0):
        file = os.path.realpath((globals or {}).get("__file__") or "/")
        ours = file.startswith(root) and "site-packages" not in file and not file.startswith(root + "tests")
        if level == 0 and ours and name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r} (without POSIX)", name=name)
        module = real_import(name, globals, locals, fromlist, level)
        if level == 0 and ours and name in ("os", "sys", "signal", "subprocess", "psutil"):
            if name not in made:
                made[name] = stand_in_for(name, module)
            return made[name]
        return module

    builtins.__import__ = without_posix


if os.environ.get("WITHOUT_POSIX"):
    install(os.environ["WITHOUT_POSIX"])
