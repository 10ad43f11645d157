# SPDX-License-Identifier: Apache-2.0
"""For MODULE.bazel: the kataimg of this machine."""

load(":kataimg.bzl", "kataimg_repository")

def _kataimg_impl(_ctx):
    kataimg_repository(name = "kataimg")

kataimg = module_extension(implementation = _kataimg_impl)
