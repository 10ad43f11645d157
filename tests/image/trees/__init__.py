# SPDX-License-Identifier: Apache-2.0
"""Awkward trees, by name. A module a concern; each registers its generators with @tree."""
import dataclasses
import importlib

MODULES = ['structure', 'names', 'metadata', 'xattrs', 'files', 'sparse', 'directories', 'links',
           'randomised', 'large', 'xfs', 'erofs']


@dataclasses.dataclass(frozen=True)
class Tree:
    name: str
    make: object       # make(Maker)
    privileged: bool   # only root can read all of it
    only: tuple        # the filesystems that can hold it; empty: all
    reduced: bool      # small enough for a slow (sanitizer) build
    large: bool        # runs apart, once


_registry = {}


def tree(name, privileged=False, only=(), reduced=True, large=False):
    def register(make):
        _registry[name] = Tree(name, make, privileged, only, reduced and not large, large)
        return make
    return register


def all_trees():
    for module in MODULES:
        importlib.import_module(f'trees.{module}')
    return dict(_registry)


def get(name):
    return all_trees()[name]
