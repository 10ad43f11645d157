# SPDX-License-Identifier: Apache-2.0
"""Walking a tree by descriptors: any bytes in names, any depth, never through a symbolic link."""
import os
import stat

# openat(2) takes less than PATH_MAX at once.
STEP_BYTES = 4000
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _steps(path):
    """Cuts a relative path into pieces that one openat takes."""
    step = b''
    for name in path.split(b'/'):
        if step and len(step) + len(name) + 1 > STEP_BYTES:
            yield step
            step = name
        else:
            step = step + b'/' + name if step else name
    if step:
        yield step


def open_directory(root_fd, path):
    fd = os.open(b'.', DIRECTORY, dir_fd=root_fd)
    for step in _steps(path):
        try:
            below = os.open(step, DIRECTORY, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def join(directory, name):
    return directory + b'/' + name if directory else name


def proc_path(directory_fd, name):
    """A path for calls that take no descriptor; a symbolic link at its end can be left alone."""
    return b'/proc/self/fd/%d/%s' % (directory_fd, name)


def walk(root):
    """Yields (path, descriptor of its directory, name, stat) for everything below root.

    A directory precedes what is in it; the descriptor lives until the next entry.
    """
    root_fd = os.open(root, DIRECTORY & ~os.O_NOFOLLOW)
    try:
        pending = [b'']
        while pending:
            directory = pending.pop()
            fd = open_directory(root_fd, directory)
            try:
                for name in sorted(os.fsencode(name) for name in os.listdir(fd)):
                    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(join(directory, name))
                    yield join(directory, name), fd, name, status
            finally:
                os.close(fd)
    finally:
        os.close(root_fd)
