/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * First contact with libvirt: decides within microseconds whether a call is ours, and leaves if it is not.
 * Links nothing but libc. What is ours goes to the worker, with the domain XML in a memory file.
 * How libvirt calls it: libvirt.md, "How libvirt calls it".
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DOMAIN_NAMESPACE "https://dstack.org/xmlns/libvirt/cvm/1.0"
#define XML_MAX		 (4 * 1024 * 1024) /* libvirt's own limit for a string */
#define TIME_MAX	 10		   /* seconds; the whole host's `virsh list` waits for us */
#define WORKER_NAME	 "dstack-vmm-prep-hook-worker"
#define CONFIG_NAME	 "dstack-vmm-prep-hook.conf"

/* zero pages until read into: costs nothing where there is nothing to read */
static char xml[XML_MAX + 1];
static int may_refuse;

/* one line, and the answer: only a start that has not begun may be refused */
static int
leave(const char *message)
{
	static const char prefix[] = "dstack-vmm-prep: ";
	ssize_t ignored;

	if (!may_refuse)
		return EXIT_SUCCESS;
	ignored = write(STDERR_FILENO, prefix, sizeof(prefix) - 1);
	ignored = write(STDERR_FILENO, message, strlen(message));
	ignored = write(STDERR_FILENO, "\n", 1);
	(void)ignored;
	return EXIT_FAILURE;
}

static void
on_alarm(int number)
{
	(void)number;
	_exit(leave("out of time reading the domain's XML; start it again"));
}

/* reads to the end or one byte past the limit */
static ssize_t
read_xml(void)
{
	size_t have = 0;

	while (have < sizeof(xml)) {
		ssize_t n = read(STDIN_FILENO, xml + have, sizeof(xml) - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* the XML as standard input of the worker: nobody else can change it, and it is gone with the last descriptor */
static int
pass_xml(size_t size)
{
	int fd = memfd_create("domain.xml", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return -1;
	while (done < size) {
		ssize_t n = write(fd, xml + done, size - done);

		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO ? 0 : -1;
}

/* "DIR/NAME" where DIR holds this program; symlinks are resolved, so DIR is where it was built or installed */
static int
fill_path_beside(char *out, const char *name)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return -1;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || (size_t)(slash + 1 - out) + strlen(name) >= PATH_MAX)
		return -1;
	strcpy(slash + 1, name);
	return 0;
}

static int
run_worker(char **argv)
{
	static char worker[PATH_MAX];
	static char config[PATH_MAX];
	char program[] = WORKER_NAME;
	char option[] = "--config";
	char end[] = "--";
	char *with_config[] = {program, option, config, end, argv[1], argv[2], argv[3], argv[4], NULL};
	char *plain[] = {program, end, argv[1], argv[2], argv[3], argv[4], NULL};
	int has_config = fill_path_beside(config, CONFIG_NAME) == 0 && access(config, R_OK) == 0;

	if (fill_path_beside(worker, WORKER_NAME) == 0)
		(void)execv(worker, has_config ? with_config : plain);
	(void)execv(DSTACK_PKGLIBEXECDIR "/" WORKER_NAME, plain);
	return leave("cannot run " DSTACK_PKGLIBEXECDIR "/" WORKER_NAME "; install dstack-vmm-prep again");
}

int
main(int argc, char **argv)
{
	ssize_t size;

	if (argc < 5)
		return EXIT_SUCCESS;
	may_refuse = strcmp(argv[2], "prepare") == 0 && strcmp(argv[3], "begin") == 0;
	if (!may_refuse && strcmp(argv[2], "release") != 0)
		return EXIT_SUCCESS;
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(TIME_MAX);
	size = read_xml();
	if (size < 0)
		return leave("cannot read the domain's XML");
	if (memmem(xml, (size_t)size, DOMAIN_NAMESPACE, sizeof(DOMAIN_NAMESPACE) - 1) == NULL)
		return EXIT_SUCCESS;
	if (size > XML_MAX)
		return leave("the domain's XML is larger than 4 MiB");
	if (pass_xml((size_t)size) < 0)
		return leave("cannot keep the domain's XML in memory");
	return run_worker(argv);
}
