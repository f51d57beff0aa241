"""What a process gives up for good before it runs a stranger's program: files, network, other processes.

A filter of the Linux kernel (seccomp, seccomp(2)) leaves it memory, time, and the pipes that it has open. It is a list
of what is allowed, so that what a later kernel adds is refused. No rights are needed to give rights up.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import signal
import struct
import sys

NO_NEW_PRIVILEGES, PARENT_DEATH_SIGNAL = 38, 1
SET_MODE_FILTER, ALL_THREADS = 1, 1
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
# offsets in what a filter sees: number of the call, kind of the machine, low and high half of the first argument
NUMBER, MACHINE, FIRST_LOW, FIRST_HIGH = 0, 4, 16, 20

# audit number, number of seccomp, of prlimit64, and of what is allowed (asm/unistd_64.h, asm-generic/unistd.h):
# read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 readv writev
# sched_yield mremap mincore madvise nanosleep getpid exit uname getcwd gettimeofday getrlimit getrusage sysinfo times
# getuid getgid geteuid getegid gettid futex sched_getaffinity clock_gettime clock_getres clock_nanosleep exit_group
# set_robust_list restart_syscall poll ppoll select pselect6 getrandom sigaltstack membarrier rseq getcpu time
MACHINES: dict[str, tuple[int, int, int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E, 317, 302,
        (
            0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 24, 25, 27, 28, 35, 39, 60, 63, 79, 96, 97, 98, 99,
            100, 102, 104, 107, 108, 186, 202, 204, 228, 229, 230, 231, 273, 219, 7, 271, 23, 270, 318, 131, 324, 334,
            309, 201,
        ),
    ),
    "aarch64": (
        0xC00000B7, 277, 261,
        (
            63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 67, 65, 66, 124, 216, 232, 233, 101, 172, 93, 160,
            17, 169, 163, 165, 179, 153, 174, 176, 175, 177, 178, 98, 123, 113, 114, 115, 94, 99, 128, 73, 72, 278,
            132, 283, 293, 168,
        ),
    ),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def can_confine() -> bool:
    """Return whether ``confine`` knows this machine: Linux on a 64-bit processor by Intel, AMD or ARM."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def confine() -> None:
    """Refuse this process, in all its threads and for good, every call of the kernel but those on memory, time, and
    files that are open. ``OSError`` where the kernel has no such filter."""
    if not can_confine():
        raise OSError(errno.ENOSYS, "there is no filter of calls for this machine")
    library = ctypes.CDLL(None, use_errno=True)
    program = _program()
    code = ctypes.create_string_buffer(program, len(program))
    given = _Program(len(program) // 8, ctypes.addressof(code))
    if library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "rights cannot be given up")
    seccomp = MACHINES[platform.machine()][1]
    # the number of a thread that could not be bound, or -1
    if library.syscall(seccomp, SET_MODE_FILTER, ALL_THREADS, ctypes.byref(given)):
        raise OSError(ctypes.get_errno() or errno.EPERM, "the calls of this process cannot be filtered")


def end_with_parent() -> None:
    """Have this process killed when the one that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _program() -> bytes:
    """Return the filter (struct sock_filter, each of 8 bytes)."""
    audit, _, limits, allowed = MACHINES[platform.machine()]
    steps = [
        (LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, audit), (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]  # fmt: skip
    for number in allowed:
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    # a process may look at its own limits, not at those of others
    steps += [
        (EQUAL, 0, 5, limits), (LOAD, 0, 0, FIRST_LOW), (EQUAL, 0, 3, 0), (LOAD, 0, 0, FIRST_HIGH), (EQUAL, 0, 1, 0),
        (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | errno.EPERM),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
