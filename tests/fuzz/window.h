/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images as fuzz inputs: an image of some MiB is mostly zeros, so the input is what is not. All
 * numbers are little-endian: the image's size in units of 4096 bytes (16 bits), then pieces: where
 * it goes in units of 64 bytes (32 bits), its length in bytes (16 bits), its bytes. `make-seeds`
 * makes such inputs out of images.
 */
#ifndef FUZZ_WINDOW_H
#define FUZZ_WINDOW_H

#include "core/inspect/inspect.h"
#include "tests/fuzz/target.h"

#define FUZZ_WINDOW_MAX ((size_t)64 << 20)

struct fuzz_window {
	struct fuzz_file file;
	uint8_t *bytes; /* mapped */
	size_t len;
};

/* 0, or -1: the input is too short to be one. */
int fuzz_window_open(struct fuzz_window *window, const uint8_t *bytes, size_t len);
/* The input is the image, byte for byte. -1: it is empty. */
int fuzz_window_open_plain(struct fuzz_window *window, const uint8_t *bytes, size_t len);
void fuzz_window_close(struct fuzz_window *window);

/* Hears why a window, or a file in it, was refused; NULL, which it is: nobody does. */
extern void (*fuzz_hear)(const char *sentence);

/* Reads the window by a backend, and the files that are then there; what was accepted can be told
 * and archived. */
void fuzz_window_read(const struct fuzz_window *window, const struct kataimg_backend *table);

/* Makes the sums of GPTs right: a mutation should get past them. */
void fuzz_seal_gpt(uint8_t *bytes, size_t len);

/* What inspect has found can be told, and is JSON where it is to be. */
void fuzz_check_inspection(const struct inspection *inspection);

#endif
