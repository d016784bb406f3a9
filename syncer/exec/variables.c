#include "exec/variables.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/settings.h"
#include "exec/part.h"
#include "exec/reference.h"

/* The kernel's MAX_ARG_STRLEN with pages of 4 KiB: "NAME=VALUE" and its NUL. */
#define ENTRY_MAX_BYTES (128 * 1024)
#define NAMES_MAX_BYTES (64 * 1024)
#define OWN "AKVSYNC_"

/* What --all never sets: what changes how programs are found, loaded or read. */
static const char *const never[] = {
	"PATH", "HOME", "SHELL",          "TERM",  "USER",      "IFS",
	"LD_*", "LC_*", "GLIBC_TUNABLES", "XDG_*", "AKVSYNC_*", "AZURE_*",
};

/* Where a variable comes from; a later one stands behind an earlier one. */
struct origin {
	char *name;
	const char *entry; /* "NAME=VALUE" to pass on; NULL: by the reference */
	struct reference reference;
	const char *file; /* --all: its path */
	bool faulty;      /* told already */
};

struct origins {
	struct origin *items;
	size_t count;
};

static bool matches(const char *pattern, const char *name)
{
	size_t len = strcspn(pattern, "*");

	return pattern[len] == '*' ? strncmp(name, pattern, len) == 0
				   : strcmp(name, pattern) == 0;
}

bool variables_is_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* Variables of an identity that only others know: Azure's libraries, and App Service and
 * Container Apps, which give one value both as IDENTITY_HEADER and as MSI_SECRET. */
static const char *const foreign[] = {
	"AZURE_USERNAME",
	"AZURE_PASSWORD",
	"MSI_ENDPOINT",
	"MSI_SECRET",
	"IDENTITY_SERVER_THUMBPRINT",
};

/* A variable of an identity, such as AZURE_CLIENT_SECRET. */
static bool is_identity(const char *name)
{
	const char *known;
	bool secret;

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (strcmp(foreign[i], name) == 0)
			return true;
	if (!text_starts(name, "AZURE_") && !text_starts(name, "IDENTITY_"))
		return false;
	for (size_t i = 0; (known = settings_variable(i, &secret)) != NULL; i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

static struct origin *origin_find(const struct origins *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->items[i].name, name) == 0)
			return &s->items[i];
	return NULL;
}

static struct origin *origin_add(struct origins *s, const char *name, size_t len)
{
	struct origin *added;

	s->items = xgrow(s->items, s->count, sizeof(*s->items));
	added = &s->items[s->count++];
	*added = (struct origin){ .name = xstrndup(name, len) };
	return added;
}

static void origins_done(struct origins *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i].name);
		reference_done(&s->items[i].reference);
	}
	free(s->items);
}

static void variables_fault(struct variables_made *out, struct origin *s,
			    const struct err *cause)
{
	faults_add(&out->faults, s->name, cause);
	s->faulty = true;
}

/* ---- which variables, and from where ---- */

static void note_partial(struct variables_made *out, const struct origin *s,
			 const char *value)
{
	if (reference_is_inside(value))
		buf_printf(&out->partial, "%s%s", out->partial.len ? ", " : "", s->name);
}

static bool is_wished(const struct variables_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->wish_count; i++)
		if (strcmp(rules->wishes[i].name, name) == 0)
			return true;
	return false;
}

/* Takes the last one back. */
static void origin_drop(struct origins *s)
{
	struct origin *last = &s->items[--s->count];

	free(last->name);
	reference_done(&last->reference);
}

/* What --env names is left out, however often it is there, and whatever it holds. */
static void take_environment(struct origins *s, char *const *env,
			     const struct variables_rules *rules,
			     struct variables_made *out)
{
	for (; *env; env++) {
		size_t len = strcspn(*env, "=");
		struct origin *added;
		bool found = false;
		struct err err;

		if (text_starts(*env, OWN))
			continue;
		added = origin_add(s, *env, len);
		added->entry = *env;
		if (is_wished(rules, added->name)) {
			origin_drop(s);
			continue;
		}
		if ((*env)[len] == '\0')
			continue;
		if (reference_parse(&added->reference, *env + len + 1, &found, &err) < 0)
			variables_fault(out, added, &err);
		else if (found)
			added->entry = NULL;
		else if (!rules->keep_identity && is_identity(added->name))
			origin_drop(s);
		else
			note_partial(out, added, *env + len + 1);
	}
}

static int check_wish(const struct variables_wish *wish, size_t same, struct err *err)
{
	if (same > 1)
		return err_set(err, ERR_CONFIG, "--env names it %zu times", same);
	if (text_starts(wish->name, OWN))
		return err_set(err, ERR_CONFIG,
			       "variables " OWN "… are never given to CMD");
	if (!variables_is_name(wish->name))
		return err_set(err, ERR_CONFIG,
			       "a variable's name has letters, digits and '_', and does "
			       "not begin with a digit");
	return 0;
}

static void take_wish(struct origins *s, const struct variables_rules *rules, size_t i,
		      struct variables_made *out)
{
	const struct variables_wish *wish = &rules->wishes[i];
	struct origin *at;
	bool found = false;
	size_t same = 0;
	struct err err;

	for (size_t j = 0; j < rules->wish_count; j++)
		if (strcmp(rules->wishes[j].name, wish->name) == 0) {
			same++;
			if (j < i)
				return;
		}
	at = origin_add(s, wish->name, strlen(wish->name));
	if (check_wish(wish, same, &err) < 0 ||
	    reference_parse(&at->reference, wish->reference, &found, &err) < 0 ||
	    (!found &&
	     err_set(&err, ERR_CONFIG,
		     "--env takes a reference: NAME=akvsync:PATH, NAME=akvsync:PATH#KEY "
		     "or NAME=FILE@azurekeyvault") < 0))
		variables_fault(out, at, &err);
}

/* "db/password" becomes DB_PASSWORD. */
static char *name_of_file(const char *prefix, const char *path)
{
	char *name = xasprintf("%s%s", prefix, path);

	for (char *c = name + strlen(prefix); *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return name;
}

static bool is_forbidden(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (matches(never[i], name))
			return true;
	return false;
}

static void take_file(struct origins *s, const char *prefix, const char *path,
		      struct variables_made *out)
{
	auto_free char *name = name_of_file(prefix, path);
	struct origin *at;
	struct err err;

	if (is_forbidden(name)) {
		buf_printf(&out->skipped, "%s%s (file '%s')",
			   out->skipped.len ? ", " : "", name, path);
		return;
	}
	at = origin_find(s, name);
	if (at != NULL && at->file == NULL)
		return;
	if (at != NULL) {
		err_set(&err, ERR_CONFIG,
			"--all finds two files with this name, '%.100s' and '%.100s'; "
			"choose one by --env %s=akvsync:PATH",
			at->file, path, name);
		variables_fault(out, at, &err);
		return;
	}
	at = origin_add(s, name, strlen(name));
	at->file = path;
	at->reference.path = xstrdup(path);
	if (!variables_is_name(name)) {
		err_set(&err, ERR_CONFIG,
			"--all makes this name, which begins with a digit, from the file "
			"'%.100s'; take --all=PREFIX_",
			path);
		variables_fault(out, at, &err);
	}
}

/* ---- their values ---- */

struct filling {
	const struct variables_rules *rules;
	const struct volume_files *files;
	variables_read *read;
	void *arg;
	const struct digest_key *key;
};

static void trim_newline(struct buf *value)
{
	size_t len = value->len;

	if (len > 0 && value->data[len - 1] == '\n')
		len--;
	if (len < value->len && len > 0 && value->data[len - 1] == '\r')
		len--;
	buf_truncate(value, len);
}

static int check_value(const struct origin *s, const struct buf *value, struct err *err)
{
	if (value->len > 0 && memchr(value->data, '\0', value->len) != NULL)
		return err_set(
			err, ERR_CONFIG,
			"'%.100s' holds a NUL byte, which no variable can; let CMD "
			"read the file",
			s->reference.path);
	/* '=' and the NUL. */
	if (strlen(s->name) + value->len + 2 > ENTRY_MAX_BYTES)
		return err_set(err, ERR_CONFIG,
			       "'%.100s' is too long for a variable: the kernel takes %d "
			       "bytes with the name; let CMD read the file",
			       s->reference.path, ENTRY_MAX_BYTES);
	return 0;
}

static int refuse_absent(const struct filling *f, const char *path, struct err *err)
{
	const char *nearest =
		text_nearest(path, (const char *const *)f->files->paths, f->files->count);

	if (strchr(path, '?') != NULL)
		return err_hint(err, "before a key stands '#', not '?'");
	return nearest ? err_hint(err, "did you mean '%.100s'?", nearest) : -1;
}

static int get_value(const struct filling *f, const struct origin *s, struct buf *value,
		     struct err *err)
{
	auto_buf struct buf file = BUF_INIT(VOLUME_FILE_MAX_BYTES);

	if (f->read(f->arg, s->reference.path, &file, err) < 0)
		return err->kind == ERR_NOTFOUND
			       ? refuse_absent(f, s->reference.path, err)
			       : -1;
	if (part_take(&s->reference, &file, value, err) < 0)
		return -1;
	if (f->rules->trim_newline)
		trim_newline(value);
	return check_value(s, value, err);
}

static void env_add(struct variables_made *out, const char *name, const char *value)
{
	size_t len = strlen(name) + (value ? strlen(value) + 1 : 0);
	char *entry = wipe_malloc(len + 1);
	char *end = stpcpy(entry, name);

	if (value != NULL) {
		*end++ = '=';
		stpcpy(end, value);
	}
	out->env = xgrow(out->env, out->count, sizeof(*out->env));
	out->env[out->count++] = entry;
}

static int given_compare(const void *name, const void *given)
{
	return strcmp(name, ((const struct variables_given *)given)->name);
}

static void given_add(struct variables_made *out, const char *name, struct digest digest)
{
	struct variables_given *items;
	size_t at = 0;

	while (at < out->given_count && given_compare(name, &out->given[at]) > 0)
		at++;
	items = xgrow(out->given, out->given_count, sizeof(*items));
	memmove(&items[at + 1], &items[at], (out->given_count - at) * sizeof(*items));
	items[at] = (struct variables_given){ .name = xstrdup(name), .digest = digest };
	out->given = items;
	out->given_count++;
}

static void variables_fill(const struct filling *f, struct origin *s,
			   struct variables_made *out)
{
	auto_buf struct buf value = BUF_INIT(VOLUME_FILE_MAX_BYTES);
	struct err err;

	if (s->faulty)
		return;
	if (s->entry != NULL) {
		env_add(out, s->entry, NULL);
		return;
	}
	if (get_value(f, s, &value, &err) < 0) {
		variables_fault(out, s, &err);
		return;
	}
	env_add(out, s->name, buf_str(&value));
	given_add(out, s->name, digest_of(f->key, buf_str(&value), value.len));
}

int variables_make(struct variables_made *out, char *const *env,
		   const struct variables_rules *rules, const struct volume_files *files,
		   variables_read *read, void *arg, const struct digest_key *key,
		   struct err *err)
{
	const struct filling filling = { rules, files, read, arg, key };
	struct origins s = { 0 };

	*out = (struct variables_made){ .skipped = BUF_INIT(NAMES_MAX_BYTES),
					.partial = BUF_INIT(NAMES_MAX_BYTES) };
	take_environment(&s, env, rules, out);
	for (size_t i = 0; i < rules->wish_count; i++)
		take_wish(&s, rules, i, out);
	for (size_t i = 0; rules->all && i < files->count; i++)
		take_file(&s, rules->prefix, files->paths[i], out);
	for (size_t i = 0; i < s.count; i++)
		variables_fill(&filling, &s.items[i], out);
	origins_done(&s);
	out->env = xgrow(out->env, out->count, sizeof(*out->env));
	out->env[out->count] = NULL;
	return out->faults.count > 0 ? faults_error(&out->faults, err) : 0;
}

void variables_forget_values(struct variables_made *v)
{
	for (size_t i = 0; i < v->count; i++)
		wipe_free(v->env[i]);
	free(v->env);
	v->env = NULL;
	v->count = 0;
}

void variables_done(struct variables_made *v)
{
	variables_forget_values(v);
	for (size_t i = 0; i < v->given_count; i++)
		free(v->given[i].name);
	free(v->given);
	buf_done(&v->skipped);
	buf_done(&v->partial);
	faults_done(&v->faults);
	*v = (struct variables_made){ 0 };
}

/* NULL behind the last one. */
static const struct variables_given *variables_at(const struct variables_made *v,
						  size_t i)
{
	return i < v->given_count ? &v->given[i] : NULL;
}

size_t variables_changed(const struct variables_made *before,
			 const struct variables_made *now, struct buf *names)
{
	size_t a = 0, b = 0, changed = 0;

	for (;;) {
		const struct variables_given *x = variables_at(before, a);
		const struct variables_given *y = variables_at(now, b);
		int order;

		if (x == NULL && y == NULL)
			return changed;
		order = x == NULL ? 1 : y == NULL ? -1 : strcmp(x->name, y->name);
		a += order <= 0;
		b += order >= 0;
		if (order != 0 || memcmp(&x->digest, &y->digest, sizeof(x->digest)) != 0)
			buf_printf(names, "%s%s", changed++ ? ", " : "",
				   order <= 0 ? x->name : y->name);
	}
}
