#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets as OSS-Fuzz asks for it: its compiler and flags come in CC, CFLAGS and
# LIB_FUZZING_ENGINE; targets and seeds, which are the tree's corpus, go to OUT. So do backends and
# libraries, as the machine that fuzzes has nothing else. tests/fuzz/check-oss-fuzz does so here.
build=${WORK:-/tmp}/kataimg

meson setup "$build" -Dtests=true -Dfuzz-engine="$LIB_FUZZING_ENGINE" -Db_lundef=false \
	-Dbuildtype=debugoptimized
meson compile -C "$build" fuzz
mkdir -p "$OUT/lib" "$OUT/backends"
cp "$build"/plugins/*/kataimg-*-backend.so "$OUT/backends"
find "$build/tests/fuzz" -maxdepth 1 -type f -name 'fuzz-*' -perm -u+x | while read -r target; do
	name=${target##*/fuzz-}
	cp "$target" "$OUT"
	cp tests/fuzz/fuzz.options "$OUT/fuzz-$name.options"
	cp "tests/fuzz/corpus/$name.zip" "$OUT/fuzz-${name}_seed_corpus.zip"
done
# The C library is the one thing that every machine has.
find "$OUT" -type f -perm -u+x -exec ldd '{}' + | awk '$2 == "=>" { print $3 }' | sort -u |
	grep -vE '/(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+)\.so' | xargs cp -t "$OUT/lib"
find "$OUT" -maxdepth 1 -type f -name 'fuzz-*' -perm -u+x -exec patchelf --set-rpath "\$ORIGIN/lib" '{}' +
find "$OUT/lib" "$OUT/backends" -type f -exec patchelf --set-rpath "\$ORIGIN/../lib:\$ORIGIN" '{}' +
