/* SPDX-License-Identifier: Apache-2.0 */
/* A tar archive that is made byte by byte, and the tree that it gives. Failed expectations fail the
 * cmocka test. */
#ifndef SUPPORT_TARFILE_H
#define SUPPORT_TARFILE_H

#include "core/archive/archive.h"

struct tarfile {
	char path[64];
	int fd;
	struct tree *tree;
	struct error error;
};

/* For cmocka: *state becomes an empty one. */
int tarfile_set_up(void **state);
int tarfile_tear_down(void **state);

#define TARFILE_TEST(function) \
	cmocka_unit_test_setup_teardown(function, tarfile_set_up, tarfile_tear_down)

void tarfile_append(struct tarfile *fixture, const void *bytes, size_t len);
/* A ustar header. */
void tarfile_header(struct tarfile *fixture, char type, const char *name, const char *target,
		    unsigned long long size);
void tarfile_member(struct tarfile *fixture, char type, const char *name, const char *content);
/* The record "LENGTH KEY=VALUE" of a pax header; its length counts itself. Returns its end. */
char *tarfile_record(char *at, const char *key, const char *value);
/* A pax header of one record in front of the next member. */
void tarfile_pax(struct tarfile *fixture, const char *key, const char *value);
void tarfile_end(struct tarfile *fixture);

/* Reads it. The message is the one without the archive's name in front. */
void tarfile_accept(struct tarfile *fixture);
void tarfile_refuse(struct tarfile *fixture, const char *message);

/* By path, without following links; NULL: it is not there. */
const struct kataimg_node *tarfile_get(const struct tarfile *fixture, const char *path);
void tarfile_expect(struct tarfile *fixture, const char *path, const char *content);

#endif
