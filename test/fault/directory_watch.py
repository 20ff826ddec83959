"""Waits for changes below a directory with Linux's inotify, to kill a server in the middle of one."""
import ctypes
import os
import select
import struct

CREATE, CLOSE_WRITE, MOVED_TO, IS_FOLDER = 0x100, 0x8, 0x80, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class DirectoryWatch:
    """Folders made later are watched from their first change on."""

    def __init__(self, root):
        self.root = root
        self.folders = {}   # watch -> path relative to root
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.add(root)

    def add(self, top):
        for folder, _, _ in os.walk(top):
            watch = libc.inotify_add_watch(self.descriptor, folder.encode(), CREATE | CLOSE_WRITE | MOVED_TO)
            self.folders[watch] = os.path.relpath(folder, self.root)

    def drain(self):
        while self.wait(0):
            pass

    def wait(self, seconds):
        """(kind of change, folder) of each change; empty when nothing changed in time."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return []
        data, changes, at = os.read(self.descriptor, 65536), [], 0
        while at < len(data):
            watch, mask, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + length].rstrip(b"\0").decode()
            folder = self.folders.get(watch, "")
            if mask & IS_FOLDER:
                self.add(os.path.join(self.root, folder, name))
            changes.append((mask & (CREATE | CLOSE_WRITE | MOVED_TO), folder))
            at += 16 + length
        return changes

    def close(self):
        os.close(self.descriptor)
