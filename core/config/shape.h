/* SPDX-License-Identifier: Apache-2.0 */
/* What an image that no device holds has of the section [image], and what not. */
#ifndef CONFIG_SHAPE_H
#define CONFIG_SHAPE_H

#include "core/config/config.h"
#include "core/config/keys.h"

/* Gathers what does not apply to such an image, and settles what follows for it. */
int config_settle_no_disk(struct config *config, struct error *error);

/* Does key say something of this image? Of what is no disk nothing that a disk alone has. */
bool config_key_applies(const struct config *config, const struct config_key *key);

/* Is the output a tag of a layout? A name that was refused says as well what was meant. */
bool config_wants_layout(const struct config *config);

/* Gathers what does not go together in compress and level. */
int config_check_compress(struct config *config, struct error *error);

/* Gathers what does not go together in the keys of an image in a layout. */
int config_check_artifact(struct config *config, struct error *error);

#endif
