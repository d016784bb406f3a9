/* exec: the command line, the environment and the files of the set, with a NUL between.
 * A text that begins with '+' is a variable, one with '@' is PATH=CONTENT of a file, and
 * all others are arguments. */
#include "exec/arguments.h"
#include "exec/reference.h"
#include "fuzz.h"

#define TEXTS_MAX 64

struct given {
	char *env[TEXTS_MAX + 1], *argv[TEXTS_MAX + 1];
	char *paths[TEXTS_MAX], *contents[TEXTS_MAX];
	int argc;
	struct volume_files files;
};

static int read_file(void *arg, const char *path, struct buf *out, struct err *err)
{
	const struct given *g = arg;

	for (size_t i = 0; i < g->files.count; i++)
		if (strcmp(g->paths[i], path) == 0)
			return buf_add(out, g->contents[i], strlen(g->contents[i]), err);
	return err_set(err, ERR_NOTFOUND, "the set has no such file");
}

static void sort_texts(struct given *g, char **texts, size_t count)
{
	size_t vars = 0;

	for (size_t i = 0; i < count; i++) {
		char *text = texts[i], *equals = strchr(text, '=');

		if (text[0] == '+') {
			g->env[vars++] = text + 1;
		} else if (text[0] == '@' && equals != NULL) {
			*equals = '\0';
			g->paths[g->files.count] = text + 1;
			g->contents[g->files.count++] = equals + 1;
		} else {
			g->argv[g->argc++] = text;
		}
	}
	g->files.paths = g->paths;
}

static void fuzz_reference(const char *value)
{
	struct reference r = { 0 };
	struct err err = { 0 };
	bool found;
	int result = reference_parse(&r, value, &found, &err);

	must_explain(result, &err);
	must(result < 0 || found == (r.path != NULL));
	must(result < 0 || (r.part == REFERENCE_WHOLE) == (r.key == NULL));
	(void)reference_is_inside(value);
	reference_done(&r);
}

static void make_all(struct given *g, const struct variables_rules *rules)
{
	static const struct digest_key key = { { 1 } };
	struct buf names = BUF_INIT(65536);
	struct variables_made made = { 0 }, none = { 0 };
	struct err err = { 0 };
	int result =
		variables_make(&made, g->env, rules, &g->files, read_file, g, &key, &err);

	must_explain(result, &err);
	must((result < 0) == (made.faults.count > 0));
	if (result == 0)
		must(variables_changed(&none, &made, &names) == made.given_count);
	variables_forget_values(&made);
	variables_done(&made);
	buf_done(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_texts in = fuzz_split(data, size, '\0', TEXTS_MAX);
	struct given g = { 0 };
	struct arguments o = { 0 };
	struct err err = { 0 };
	int result;

	sort_texts(&g, in.items, in.count);
	for (char **var = g.env; *var; var++)
		if (strchr(*var, '=') != NULL)
			fuzz_reference(strchr(*var, '=') + 1);
	result = arguments_parse(&o, g.argc, g.argv, &err);
	must_explain(result, &err);
	if (result == 0) {
		must(o.command != NULL && o.command[0] != NULL);
		make_all(&g, &o.rules);
	}
	arguments_done(&o);
	fuzz_texts_done(&in);
	return 0;
}
