# SPDX-License-Identifier: Apache-2.0
# Shortcuts around meson, for the first minute; everything else is `meson ... -C build`.
BUILD ?= build
DESTDIR ?=
# lib: where pkg-config looks below /usr/local, whatever else meson finds on this machine
SETUP = test -e $(BUILD)/build.ninja || meson setup $(BUILD) --libdir=lib -Dauto_features=enabled

image: build-packages
	$(SETUP) -Dtests=false
	meson compile -C $(BUILD)
	examples/make-rootfs $(BUILD)/rootfs
	meson devenv -C $(BUILD) kataimg -c $(CURDIR)/examples/quickstart.ini \
		--set image.output=$(abspath $(BUILD))/kata-containers.img $(abspath $(BUILD))/rootfs
	meson devenv -C $(BUILD) kataimg inspect $(abspath $(BUILD))/kata-containers.img

# One static program with the backends built in: $(BUILD)/static/core/kataimg
static: build-packages
	packages/install packages/debian-static
	test -e $(BUILD)/static/build.ninja || meson setup $(BUILD)/static -Dstatic=true -Dauto_features=enabled
	meson compile -C $(BUILD)/static

# For another machine: ARCH is one of cross/, and $(BUILD)/cross/ARCH/build where it goes
cross: build-packages
	packages/make-cross $(ARCH) $(BUILD)/cross/$(ARCH) -Dtests=false

# SETUP_OPTIONS: more of meson's, such as --werror
test: build-packages test-packages
	$(SETUP) $(SETUP_OPTIONS)
	meson configure $(BUILD) -Dtests=true
	meson compile -C $(BUILD)
	meson test -C $(BUILD) --print-errorlogs

deb: build-packages
	packages/install packages/debian-deb
	packages/make-deb $(BUILD)/deb

# KEY: whose signature is laid beside the archive
dist:
	packages/make-dist $(BUILD)/dist $(KEY)

bench: build-packages
	packages/install packages/debian-bench
	$(SETUP) -Dtests=false
	meson compile -C $(BUILD)
	bench/run --build $(abspath $(BUILD))
	bench/run --build $(abspath $(BUILD)) --back

# TARGET: one or more of tests/fuzz, not given: all; TIME: seconds for each
fuzz: build-packages test-packages
	tests/fuzz/run --build $(BUILD)/fuzz --time $(or $(TIME),600) $(TARGET)

install: build-packages
	$(SETUP) -Dtests=false
	DESTDIR=$(DESTDIR) meson install -C $(BUILD)

build-packages:
	packages/install packages/debian-build

test-packages:
	packages/install packages/debian-test

clean:
	rm -rf $(BUILD)

.PHONY: image static cross test deb dist bench fuzz install build-packages test-packages clean
