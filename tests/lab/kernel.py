"""The few system calls that Python 3.11 lacks, and the way into a lab of one's own.

enter() runs a function as the first process of new pid, mount and network namespaces (and a user
namespace when we are not root).  When that process ends, however it ends, the kernel kills every
process below it and drops its namespaces, mounts and interfaces: nothing has to be tidied up, not
even after kill -9.
"""

import ctypes
import errno
import os
import platform
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}    # the C library has no function for it
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(Exception):
    """The kernel, or who runs us, does not allow a lab here."""


def _call(name, *args):
    if getattr(_libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def unshare(flags):
    _call("unshare", flags)


def mount(source, target, kind, flags=0, data=""):
    _call("mount", os.fsencode(source), os.fsencode(target), kind.encode(),
          ctypes.c_ulong(flags), data.encode() if data else None)


def die_with_parent(number=signal.SIGKILL):
    _call("prctl", PR_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0)


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _become_root_of_user_namespace():
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {uid} 1\n")
    _write("/proc/self/gid_map", f"0 {gid} 1\n")


def _unshare_all():
    try:
        if os.geteuid() != 0:
            _become_root_of_user_namespace()
        unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS, errno.EINVAL, errno.ENOSPC, errno.EACCES):
            raise Forbidden(f"no namespaces here ({error.filename}: {error.strerror}); "
                            "run as root, or allow user namespaces") from error
        raise


def _leave_chroot():
    """Makes the folder that we were chrooted into the root of our mount namespace.

    In a chroot nothing can be made private, since / is no mount, and whoever enters our mount
    namespace by its number would find himself at the real root.
    """
    if platform.machine() not in PIVOT_ROOT:
        raise Forbidden(f"in a chroot on {platform.machine()}")
    here, namespace = os.open("/", os.O_PATH), os.open("/proc/self/ns/mnt", os.O_RDONLY)
    _call("setns", namespace, CLONE_NEWNS)
    folder = os.readlink(f"/proc/self/fd/{here}")
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    mount(folder, folder, "none", MS_BIND | MS_REC)
    os.chdir(folder)
    # The old root comes to lie on top of the new one, and is taken off.
    _call("syscall", PIVOT_ROOT[platform.machine()], b".", b".")
    _call("umount2", b".", MNT_DETACH)
    os.chdir("/")
    os.close(here)
    os.close(namespace)


def make_private():
    """Keeps the mounts of our new mount namespace from all others, also in a chroot."""
    try:
        mount("none", "/", "none", MS_REC | MS_PRIVATE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        folder = os.getcwd()
        _leave_chroot()
        os.chdir(folder)


def _settle():
    """In the first process of the new pid namespace: make /proc and the mounts ours."""
    try:
        make_private()
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError as error:
        raise Forbidden(f"cannot mount in a namespace ({error.filename}: {error.strerror})") from error


def _run_first(main, parent):
    """The life of the first process; never returns."""
    status = 1
    try:
        die_with_parent()
        if os.getppid() != parent and os.getppid() != 0:
            os._exit(1)
        # The outer number of this process, for people who want to look in: /proc is still theirs.
        pid_outside = int(os.readlink("/proc/self"))
        _settle()
        status = main(pid_outside)
    except Forbidden as reason:
        print(f"lab: skipped: {reason}", file=sys.stderr)
        status = 77
    except KeyboardInterrupt:
        status = 130
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)


def enter(main):
    """Runs main(pid_outside) in a lab and returns its exit status; 77 when forbidden."""
    parent = os.getpid()
    sys.stdout.flush()
    try:
        _unshare_all()
    except Forbidden as reason:
        print(f"lab: skipped: {reason}", file=sys.stderr)
        return 77
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        _run_first(main, parent)
    # A terminal sends its signals to both of us; the child decides what they mean.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: os.kill(child, signal.SIGTERM))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
