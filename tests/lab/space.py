"""A space: one network and mount namespace, held open by one sleeping process.

Programs are put into it with nsenter, so that what the lab does can be done by hand as well.
"""

import os
import signal
import subprocess
import time


class Failed(Exception):
    """A component of the lab did not do its part; the text holds its log."""


def tail(path, lines=30):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError as error:
        return f"({path}: {error.strerror})\n"


class Space:
    def __init__(self, name, directory):
        self.name = name
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        self.children = []
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c",
             "ip link set lo up && echo up && exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
        if self.holder.stdout.readline() != b"up\n":
            raise Failed(f"{name}: no namespace")

    def inside(self, command):
        """The command line that runs command in here."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", "--", *map(str, command)]

    def run(self, command, text=None, timeout=60, check=True):
        done = subprocess.run(self.inside(command), input=text, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise Failed(f"{self.name}: {' '.join(map(str, command))}: exit {done.returncode}\n"
                         f"{text or ''}{done.stdout}{done.stderr}")
        return done

    def ip(self, *lines):
        """Lines of `ip -batch`."""
        self.run(["ip", "-batch", "-"], "\n".join(lines) + "\n")

    def nft(self, rules):
        self.run(["nft", "-f", "-"], rules)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, name, command, ready, seconds=20, env=None, pass_fds=()):
        """Starts a server and waits until its log holds the text `ready`."""
        log = self.path(name + ".log")
        with open(log, "ab") as file:
            child = subprocess.Popen(self.inside(command), stdin=subprocess.DEVNULL, stdout=file,
                                     stderr=file, start_new_session=True, env=env,
                                     pass_fds=pass_fds)
        child.log = log
        child.title = f"{self.name}/{name}"
        self.children.append(child)
        self.wait_for(child, ready, seconds)
        return child

    def wait_for(self, child, text, seconds=20):
        """The line of the log that holds text, as soon as it is there."""
        deadline = time.monotonic() + seconds
        while True:
            ended = child.poll()
            with open(child.log, encoding="utf-8", errors="replace") as file:
                for line in file:
                    if text in line:
                        return line.rstrip("\n")
            if ended is not None:
                raise Failed(f"{child.title} ended with {ended}:\n{tail(child.log)}")
            if time.monotonic() > deadline:
                raise Failed(f"{child.title} did not say {text!r} in {seconds} s:\n"
                             f"{tail(child.log)}")
            time.sleep(0.01)

    def stop(self, child, seconds=5):
        """Asks the server to end; true when it did with status 0."""
        child.terminate()
        try:
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        self.kill(child)
        return status == 0

    @staticmethod
    def kill(child):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()

    def logs(self, lines=30):
        return "".join(f"--- {child.title}\n{tail(child.log, lines)}" for child in self.children)

    def close(self):
        for child in reversed(self.children):
            self.kill(child)
        self.children = []
        self.kill(self.holder)
        self.holder.stdout.close()
