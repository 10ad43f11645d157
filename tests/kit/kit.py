# SPDX-License-Identifier: Apache-2.0
"""The development kit as somebody else has it: installed to a directory, and found by pkg-config."""
import glob
import os
import shutil
import subprocess

from harness.tap import Failure


def run(*command, environment=None):
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f'{" ".join(command)}: exit code {result.returncode}\n'
                      f'{(result.stdout + result.stderr)[-4000:]}')
    return result.stdout


def _find(pattern):
    found = glob.glob(pattern, recursive=True)
    if len(found) != 1:
        raise Failure(f'{pattern}: {found}')
    return found[0]


class Kit:
    """`meson install` of a build directory below root; nothing else of kataimg is used after."""

    def __init__(self, build, root):
        self.root = root
        run('meson', 'install', '-C', build, '--no-rebuild', '--quiet',
            environment={**os.environ, 'DESTDIR': root})
        package = _find(f'{root}/**/pkgconfig/kataimg.pc')
        self.program = _find(f'{root}/**/bin/kataimg')
        self.check = _find(f'{root}/**/bin/kataimg-backend-check')
        self.environment = {
            **os.environ,
            'PKG_CONFIG_PATH': os.path.dirname(package),
            'PKG_CONFIG_SYSROOT_DIR': root,
            'PATH': os.path.dirname(self.program) + ':' + os.environ['PATH'],
        }

    def variable(self, name):
        return run('pkg-config', f'--variable={name}', 'kataimg',
                   environment=self.environment).strip()

    def example(self, name):
        return os.path.join(self.variable('docdir'), 'examples', name)

    def build_backend(self, source, work):
        """Builds a copy of a backend's project outside the kit. Its file."""
        project, build = os.path.join(work, 'project'), os.path.join(work, 'build')
        shutil.copytree(source, project)
        run('meson', 'setup', '--werror', build, project, environment=self.environment)
        run('meson', 'compile', '-C', build, environment=self.environment)
        return _find(f'{build}/kataimg-*-backend.so')

    def commands_of_man_page(self):
        """The shell commands of kataimg-backend(3), as a reader copies them."""
        with open(_find(f'{self.root}/**/man3/kataimg-backend.3'), encoding='utf-8') as page:
            text = page.read()
        start, end = text.index('\ncc \\-shared'), text.index('\n.fi')
        return text[start:end].replace('\\-', '-').replace('\\e', '\\')

    def install_backend(self, work):
        """Installs what build_backend made beside our own backends. The directory of all."""
        run('meson', 'install', '-C', os.path.join(work, 'build'), '--no-rebuild', '--quiet',
            environment=self.environment)
        return self.variable('backenddir')
