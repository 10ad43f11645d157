# SPDX-License-Identifier: Apache-2.0
"""Guest images as targets: an action has the program, its backends, their libraries, a configuration and an
archive as inputs, runs in the sandbox without a network and without root, and gives the same bytes wherever
it runs.
"""

def _kataimg_image_impl(ctx):
    image = ctx.actions.declare_file(ctx.label.name + ".img")
    arguments = ctx.actions.args()
    arguments.add("-q")
    arguments.add("-c", ctx.file.config)
    for module in ctx.files.backends:
        arguments.add("--backend-dir", module.dirname)
    for setting in ctx.attr.settings:
        arguments.add("--set", setting)
    arguments.add("-o", image)
    arguments.add(ctx.file.source)
    ctx.actions.run(
        executable = ctx.executable.program,
        arguments = [arguments],
        inputs = [ctx.file.config, ctx.file.source] + ctx.files.backends + ctx.files.libraries +
                 ctx.files.srcs,
        outputs = [image] + ctx.outputs.beside,
        mnemonic = "KataImage",
        progress_message = "Making the guest image %s" % ctx.label,
        # Nothing of an image comes from the environment but SOURCE_DATE_EPOCH, which is not passed on:
        # say build-time in the configuration.
        env = {},
    )
    return [DefaultInfo(files = depset([image] + ctx.outputs.beside))]

kataimg_image = rule(
    implementation = _kataimg_image_impl,
    doc = "An image, NAME.img, of an archive.",
    attrs = {
        "backends": attr.label_list(
            allow_files = True,
            default = ["@kataimg//:backends"],
            doc = "What filesystems are made by: none, where they are built in.",
        ),
        "beside": attr.output_list(
            doc = "What the configuration has written beside the image: root_hash_NAME.txt.",
        ),
        "config": attr.label(
            allow_single_file = [".ini"],
            doc = "The configuration; source and output are given by the rule.",
            mandatory = True,
        ),
        "libraries": attr.label_list(
            allow_files = True,
            default = ["@kataimg//:libraries"],
            doc = "What program and backends are linked with: the dynamic linker finds these where they " +
                  "always are, but others are another input. None, where kataimg is static.",
        ),
        "program": attr.label(
            allow_single_file = True,
            cfg = "exec",
            default = "@kataimg//:program",
            executable = True,
        ),
        "settings": attr.string_list(
            doc = "SECTION.KEY=VALUE, over the configuration.",
        ),
        "source": attr.label(
            # A directory would come into the sandbox as links.
            allow_single_file = [".tar", ".tar.gz", ".tar.xz", ".tar.zst"],
            doc = "The root filesystem: a tar, as pkg_tar makes one.",
            mandatory = True,
        ),
        "srcs": attr.label_list(
            allow_files = True,
            doc = "What the configuration names besides: an overlay, labels.",
        ),
    },
)

def _libraries(ctx, program, modules):
    """Paths of the shared libraries of all these files, each once."""
    paths = {}
    for file in [program] + modules:
        listed = ctx.execute(["ldd", file])  # fails, and lists none, of what is static
        for line in listed.stdout.splitlines():
            words = line.strip().split(" ")
            path = words[2] if len(words) > 2 and words[1] == "=>" else words[0]
            if path.startswith("/"):
                paths[path] = True
    return paths.keys()

def _kataimg_repository_impl(ctx):
    program = ctx.which("kataimg")
    if not program:
        fail("there is no kataimg in PATH")
    listed = ctx.execute([program, "backends"])
    if listed.return_code:
        fail(listed.stderr)
    ctx.symlink(program, "kataimg")
    modules = []
    for name in [line.split(" ")[0] for line in listed.stdout.splitlines() if line]:
        said = ctx.execute([program, "backends", name])
        for line in said.stdout.splitlines():
            if line.startswith("file:      /"):  # else it is built in
                modules.append(line[len("file:"):].strip())
    files = {"backends": modules, "libraries": _libraries(ctx, program, modules)}
    groups = []
    for group, paths in files.items():
        names = [group + "/" + path.split("/")[-1] for path in paths]
        for path, name in zip(paths, names):
            ctx.symlink(path, name)
        groups.append("filegroup(name = %r, srcs = %r)\n" % (group, names))
    ctx.file("BUILD.bazel", """
package(default_visibility = ["//visibility:public"])
exports_files(["kataimg"])
alias(name = "program", actual = "kataimg")
""" + "".join(groups))

kataimg_repository = repository_rule(
    implementation = _kataimg_repository_impl,
    doc = "The kataimg of this machine, its backends, and their libraries, as inputs of actions.",
    environ = ["PATH", "KATAIMG_BACKEND_PATH", "LD_LIBRARY_PATH"],
    local = True,
)
