"""System calls that the seccomp filter refuses, or allows under conditions.

Each is listed with its number on x86-64 and on arm64; None: this processor lacks the call.
"""

import socket
from dataclasses import dataclass

Numbers = tuple[int | None, int | None]

OTHER_PROCESSES: dict[str, Numbers] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_getfd": (438, 438),
    "perf_event_open": (298, 241),
}
"""Calls that access the memory and open files of other processes."""
KERNEL: dict[str, Numbers] = {
    "io_uring_setup": (425, 425),  # opens sockets without `socket`
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
}
"""Calls into parts of the kernel that no operation needs."""
NAMESPACES: dict[str, Numbers] = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
}
"""Calls that change mounts, or enter namespaces. In a namespace, a process has all capabilities."""
KEPT_BY_THE_KERNEL: dict[str, Numbers] = {
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
}
"""Calls that make memory, queues and semaphores that outlive the process. Its memory limit does not count them."""
METADATA: dict[str, Numbers] = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
"""Calls that change mode, owner, times and attributes of files. Landlock allows them for all files of the user.

For some, a descriptor that is open for reading suffices, so the calls on descriptors are refused, too."""
WATCHES: dict[str, Numbers] = {"inotify_add_watch": (254, 27), "fanotify_init": (300, 262)}
"""Calls that report names of files in folders that Landlock closes."""
REFUSED = OTHER_PROCESSES | KERNEL | NAMESPACES | KEPT_BY_THE_KERNEL | METADATA | WATCHES

UNKNOWN: dict[str, Numbers] = {"clone3": (435, 435)}
"""Calls that fail as on an older kernel.

clone3 passes its flags in memory, which a filter cannot read; the C library uses clone instead."""
UNKNOWN_WITHOUT_SHARED_MEMORY: dict[str, Numbers] = {"memfd_create": (319, 279), "memfd_secret": (447, 447)}
"""Calls that create files in memory, which the memory limit does not count."""


@dataclass(frozen=True)
class Condition:
    """A condition on one argument of a system call.

    The bits of the argument in `mask` equal `value`.
    """

    argument: int
    value: int
    mask: int = 0xFFFFFFFF


_KIND_BITS = 0xF
"""Bits of a socket's type that state its kind. Others are flags."""
_NAMESPACE_FLAGS = 0x7E020000
"""Flags of clone that create namespaces."""
_OWN = (Condition(0, 0),)  # process 0: the calling thread
ALLOWED_IF: dict[str, tuple[Numbers, tuple[Condition, ...]]] = {
    "prlimit64": ((302, 261), _OWN),
    "sched_setparam": ((142, 118), _OWN),
    "sched_setscheduler": ((144, 119), _OWN),
    "sched_setattr": ((314, 274), _OWN),
    "migrate_pages": ((256, 238), _OWN),
    "move_pages": ((279, 239), _OWN),
    "setpriority": ((141, 140), (Condition(0, 0), Condition(1, 0))),  # a process; itself
    "ioprio_set": ((251, 30), (Condition(0, 1), Condition(1, 0))),  # a process; itself
    "clone": ((56, 220), (Condition(0, 0, _NAMESPACE_FLAGS),)),
}
"""Calls that are allowed if all their conditions hold, and refused otherwise."""
IGNORED_UNLESS: dict[str, tuple[Numbers, tuple[Condition, ...]]] = {"sched_setaffinity": ((203, 122), _OWN)}
"""Calls that are executed if all their conditions hold. Otherwise they do nothing and report success.

Libraries such as ONNX Runtime bind each of their threads to a processor by its number, which a filter cannot tell from another process's.
They report a refusal as an error, and work without."""
SOCKET: Numbers = (41, 198)
SOCKETPAIR: Numbers = (53, 199)
LOCAL = (Condition(0, int(socket.AF_UNIX)),)
CONNECTED_STREAMS = (*LOCAL, Condition(1, int(socket.SOCK_STREAM), _KIND_BITS))
"""Conditions of a pair of local stream sockets. Pairs of datagram sockets could be connected to other programs later."""
