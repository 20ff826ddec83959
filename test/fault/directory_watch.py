"""Waits for changes below a directory with Linux's inotify, to kill a server in the middle of one."""
import ctypes
import os
import select
import struct

CREATE, CLOSE_WRITE, MOVED_TO = 0x100, 0x8, 0x80
libc = ctypes.CDLL(None, use_errno=True)


class DirectoryWatch:
    def __init__(self, root):
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        for folder, _, _ in os.walk(root):
            libc.inotify_add_watch(self.descriptor, folder.encode(), CREATE | CLOSE_WRITE | MOVED_TO)

    def drain(self):
        while self.wait(0):
            pass

    def wait(self, seconds):
        """Names of changed files; empty when nothing changed in time."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return []
        data, names, at = os.read(self.descriptor, 65536), [], 0
        while at < len(data):
            _, _, _, length = struct.unpack_from("iIII", data, at)
            names.append(data[at + 16:at + 16 + length].rstrip(b"\0").decode())
            at += 16 + length
        return names

    def close(self):
        os.close(self.descriptor)
