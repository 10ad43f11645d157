/* SPDX-License-Identifier: Apache-2.0 */
/* Included first in what the analyzers look at, which see one file at a time: that
 * core/base/error.c never returns 0 they would not know. Without it they follow each error to where
 * all went well. */
#include "core/base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_set_lines(...) (error_set_lines(__VA_ARGS__), -1)
#define error_errno(...) (error_errno(__VA_ARGS__), -1)
#define error_usage(...) (error_usage(__VA_ARGS__), -1)
#define error_nomem(...) (error_nomem(__VA_ARGS__), -1)
