/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Feeds files to a fuzz target where libFuzzer is not linked: what `make check` replays.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		g_autofree gchar *data = NULL;
		g_autoptr(GError) error = NULL;
		gsize size = 0;

		if (!g_file_get_contents(argv[i], &data, &size, &error)) {
			g_printerr("%s\n", error->message);
			return EXIT_FAILURE;
		}
		(void)LLVMFuzzerTestOneInput((const guint8 *)data, size);
	}
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
