/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/process.h"
#include "core/cli/cli.h"

int main(int argc, char **argv)
{
	if (process_prepare() < 0)
		return 1;
	return cli_main(argc, argv);
}
