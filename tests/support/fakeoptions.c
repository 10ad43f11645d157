/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeoptions.h"

#include "tests/support/must.h"

static uint64_t parse_number(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t number = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;

	must(end != text && (*end == '\0' || (unit && end[1] == '\0')));
	return unit ? number << (10 * (unit - units + 1)) : number;
}

static uint64_t parse_choice(const struct kataimg_option *option, const char *text)
{
	for (uint64_t i = 0; option->choices[i]; i++)
		if (!strcmp(option->choices[i], text))
			return i;
	must(!"a choice of the option");
	return 0;
}

static void parse_value(const struct kataimg_option *option, const char *text,
			struct kataimg_value *value)
{
	value->is_set = 1;
	switch (option->type) {
	case KATAIMG_OPT_BOOL:
		must(!strcmp(text, "yes") || !strcmp(text, "no"));
		value->number = !strcmp(text, "yes");
		break;
	case KATAIMG_OPT_U64:
	case KATAIMG_OPT_SIZE:
		value->number = parse_number(text);
		break;
	case KATAIMG_OPT_ENUM:
		value->number = parse_choice(option, text);
		value->string = option->choices[value->number];
		break;
	default:
		value->string = text;
	}
}

static const char *find_text(const char *const *texts, const char *name)
{
	size_t len = strlen(name);

	for (; texts && *texts; texts++)
		if (!strncmp(*texts, name, len) && (*texts)[len] == '=')
			return *texts + len + 1;
	return NULL;
}

struct kataimg_value *fakeoptions_parse(const struct kataimg_backend *backend,
					const char *const *texts)
{
	struct kataimg_value *values = must_calloc(backend->option_count + 1, sizeof(*values));
	uint64_t given = 0;

	for (uint64_t i = 0; i < backend->option_count; i++) {
		const struct kataimg_option *option = &backend->options[i];
		const char *text = find_text(texts, option->name);

		values[i].is_given = text != NULL;
		given += text != NULL;
		if (text || option->default_value)
			parse_value(option, text ? text : option->default_value, &values[i]);
	}
	while (texts && *texts) {
		texts++;
		given--;
	}
	must(given == 0); /* else a text names no option of the backend */
	return values;
}
