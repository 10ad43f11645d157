/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the device that a dm-mod.create= argument describes, as the kernel does in a guest whose
 * kernel has CONFIG_DM_INIT; Debian's has not. "NAME,,,ro,START SECTORS TARGET PARAMETERS". A
 * guest's tool, linked statically. With a FILE its bytes are a key of the type user, as which the
 * kernel is given the signature of a root hash.
 */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REQUEST_BYTES 4096

struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[REQUEST_BYTES - sizeof(struct dm_ioctl) - sizeof(struct dm_target_spec)];
};

static void prepare(struct request *request, const char *name, uint32_t flags)
{
	request->head = (struct dm_ioctl){
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(*request),
		.data_start = sizeof(request->head),
		.flags = flags,
	};
	snprintf(request->head.name, sizeof(request->head.name), "%s", name);
}

static int call(int control, struct request *request, unsigned long command, const char *what)
{
	if (ioctl(control, command, request) < 0) {
		perror(what);
		return 1;
	}
	return 0;
}

static int parse(const char *argument, char name[DM_NAME_LEN], struct request *request)
{
	unsigned long long start, sectors;
	int parameters = 0;

	if (sscanf(argument, "%127[^,],,,ro,%llu %llu %15s %n", name, &start, &sectors,
		   request->target.target_type, &parameters) < 4 ||
	    strlen(argument + parameters) >= sizeof(request->parameters))
		return 1;
	request->target.sector_start = start;
	request->target.length = sectors;
	strcpy(request->parameters, argument + parameters);
	return 0;
}

/* root_hash_sig_key_desc of the parameters names it. */
static int add_key(const char *path)
{
	char bytes[REQUEST_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (len < 0 || syscall(SYS_add_key, "user", "kataimg:sig", bytes, (size_t)len,
			       KEY_SPEC_PROCESS_KEYRING) < 0) {
		perror(path);
		return 1;
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	static struct request request;
	char name[DM_NAME_LEN];
	int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (control < 0 || argc < 2 || argc > 3 || parse(argv[1], name, &request) != 0) {
		fprintf(stderr, "usage: open-verity 'NAME,,,ro,START SECTORS TARGET PARAMETERS' "
				"[FILE]\n");
		return 1;
	}
	if (argc == 3 && add_key(argv[2]) != 0)
		return 1;
	prepare(&request, name, DM_READONLY_FLAG);
	if (call(control, &request, DM_DEV_CREATE, "create"))
		return 1;
	prepare(&request, name, DM_READONLY_FLAG);
	request.head.target_count = 1;
	if (call(control, &request, DM_TABLE_LOAD, "load"))
		return 1;
	prepare(&request, name, 0); /* not suspended: resume */
	return call(control, &request, DM_DEV_SUSPEND, "resume");
}
