# SPDX-License-Identifier: Apache-2.0
"""How calls of each kind go wrong, and what must then hold."""
import errno

from faults import look, spread

# How a call of a kind goes wrong: the error, or how else.
DISK = (errno.EIO, errno.ENOSPC, errno.EINTR)
SHORT = ('short', 'short-on')
FAULTS = {
    'open': (errno.EACCES, errno.EMFILE, errno.EINTR),
    'close': (errno.EIO,),
    'read': (errno.EIO, errno.EINTR, *SHORT),
    'pread': (errno.EIO, errno.EINTR, *SHORT),
    'pwrite': (*DISK, *SHORT),
    'truncate': (errno.EFBIG, *DISK),
    'sync': (errno.EIO, errno.ENOSPC),
    'writeback': (errno.EIO,),
    'rename': (errno.EIO, errno.EXDEV),
    'link': (errno.EIO, errno.EPERM),
    'unlink': (errno.EIO,),
    'mode': (errno.EIO, errno.EPERM),
    'make': (errno.EIO, errno.ENOSPC),
    'stat': (errno.EIO, errno.EACCES),
    'directory': (errno.EIO,),
    'readlink': (errno.EIO,),
    'xattr': (errno.EIO, errno.ERANGE),
    'map': (errno.ENOMEM,),
    'ioctl': (errno.ENOTTY, errno.EIO),
    'lock': (errno.EWOULDBLOCK, errno.EINTR, errno.ENOLCK),
    'seek': (errno.EIO, errno.ESPIPE),
    'descriptor': (errno.EMFILE,),
    'thread': (errno.EAGAIN,),
    'process': (errno.ENOENT,),
    'confine': (errno.ENOSYS, errno.EPERM),
}
# What is interrupted, or held by others, for ever is waited for, for ever.
WAYS = {errno.EINTR: ('fail',), errno.EWOULDBLOCK: ('fail',)}


def judge(bench, scenario, what, before, result, kind):
    files = look(scenario.directory)
    if kind == 'unlink':  # then the next build removes it
        files = {name: files[name] for name in files if not name.endswith('.tmp')}
    said = result.stderr.decode(errors='replace')
    if result.returncode == 0:
        if (files, result.stdout) != scenario.result[:2]:
            bench.fail(f'{what}: exit 0, and another result: {files}; {said}')
        elif kind == 'sync':
            bench.fail(f'{what}: exit 0, though what was made may not be on the disk; {said}')
        return
    # What inspect says where no backend may be looked for.
    if result.returncode == 3 and 'sound as far as it could be checked' in said:
        return
    if result.returncode not in (1, 2):
        bench.fail(f'{what}: exit {result.returncode}; {said}')
    if 'error: ' not in said:
        bench.fail(f'{what}: no sentence; {said}')
    if scenario.makes_directory:
        return
    # Names that cannot be changed any more cannot be changed back: then it is said where old files are.
    if kind == 'rename' and 'is kept as' in said and set(before.values()) <= set(files.values()):
        return
    if files != before:
        bench.fail(f'{what}: exit {result.returncode}, and then there are {files}; {said}')


def campaign(bench, scenario, kind, tried, each=False):
    """How many calls there are. The first of each place in the program goes wrong, or each."""
    scenario.begin()
    count, numbers = bench.places(scenario.arguments, kind)
    if each:
        numbers = list(range(1, count + 1))
    for fault in FAULTS[kind]:
        ways = WAYS.get(fault, (fault,) if isinstance(fault, str) else ('fail', 'fail-on'))
        for how in ways:
            for at in [1] if how == 'short-on' else spread(numbers, tried):
                before = scenario.begin()
                number = fault if isinstance(fault, int) else 0
                result = bench.run(scenario.arguments, kind, at, how, number=number)
                name = errno.errorcode.get(number, '')
                judge(bench, scenario, f'{scenario.name}: {kind} {at} of {count}, {how} {name}',
                      before, result, kind)
    return count


def with_temporary_names(bench, scenario, kind):
    """From each place on all calls of the kind fail, in a filesystem that has no files without a name."""
    for at in bench.places(scenario.arguments, kind)[1]:
        before = scenario.begin()
        result = bench.run(scenario.arguments, kind, at, 'fail-on', 'tmpfile')
        judge(bench, scenario, f'{scenario.name}: {kind} {at}, with temporary names', before, result, kind)
