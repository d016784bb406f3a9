#include "config/object.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/path.h"

static const char *const choice_words[] = { "current", "newest-enabled", "newest-valid" };

const char *object_choice_word(enum object_choice choice)
{
	return choice_words[choice];
}

bool object_choice_parse(const char *word, enum object_choice *out)
{
	for (size_t i = 0; i < ARRAY_LEN(choice_words); i++) {
		if (!text_same(word, choice_words[i]))
			continue;
		*out = (enum object_choice)i;
		return true;
	}
	return false;
}

void object_done(struct object *o)
{
	for (size_t i = 0; i < o->tag_count; i++) {
		free(o->tags[i].name);
		free(o->tags[i].value);
	}
	free(o->tags);
	for (size_t i = 0; i < o->part_count; i++) {
		free(o->parts[i].expression);
		free(o->parts[i].path);
	}
	free(o->parts);
	free(o->folder);
	free(o->name);
	free(o->pattern);
	free(o->vault);
	free(o->version);
	free(o->path);
	free(o->password_object);
	*o = (struct object){ 0 };
}

static bool object_is_store(const struct object *o)
{
	return o->format == OBJECT_PKCS12 || o->format == OBJECT_TRUSTSTORE;
}

static int check_secret_only(const struct object *o, struct err *err)
{
	const char *only = o->encoding != TEXT_UTF8     ? "objectEncoding"
			   : o->layout != OBJECT_SINGLE ? "layout"
			   : o->part_count > 0          ? "jmesPath"
			   : o->extract                 ? "extract"
							: NULL;
	bool formatted = o->format != OBJECT_PEM &&
			 !(object_is_store(o) && o->kind == OBJECT_CERTIFICATE);

	if (o->kind != OBJECT_SECRET && (only != NULL || formatted))
		return err_set(
			err, ERR_CONFIG,
			"%s%s needs objectType secret; the secret of a certificate "
			"has the certificate's name",
			formatted ? "objectFormat " : only,
			formatted ? kind_formats[o->format] : "");
	return 0;
}

static int check_combinations(const struct object *o, struct err *err)
{
	if (o->password_object != NULL && o->format == OBJECT_PEM)
		return err_set(err, ERR_CONFIG,
			       "passwordObject (pfxPasswordObject) needs objectFormat: "
			       "pfx, pkcs12 or truststore");
	if (o->layout != OBJECT_SINGLE && o->format != OBJECT_PEM)
		return err_set(err, ERR_CONFIG,
			       "layout cannot split a %s; leave objectFormat out",
			       kind_formats[o->format]);
	if (o->encoding != TEXT_UTF8 && object_is_store(o))
		return err_set(err, ERR_CONFIG,
			       "objectFormat %s makes a binary file; leave "
			       "objectEncoding out",
			       kind_formats[o->format]);
	if (o->layout != OBJECT_SINGLE && o->encoding != TEXT_UTF8)
		return err_set(err, ERR_CONFIG,
			       "layout makes PEM files; leave objectEncoding out");
	return check_secret_only(o, err);
}

/* Values inside of a JSON text are those of one text. */
static int check_json(const struct object *o, struct err *err)
{
	const char *own = o->part_count > 0 ? "jmesPath" : "extract";
	const char *other = object_selects(o)         ? "a selection by pattern or tags"
			    : o->history              ? "objectVersionHistory"
			    : o->format != OBJECT_PEM ? "objectFormat"
			    : o->layout != OBJECT_SINGLE ? "layout"
							 : NULL;

	if (!object_is_json(o) && o->without_whole)
		return err_set(err, ERR_CONFIG,
			       "excludeObjectName leaves no file, since neither jmesPath "
			       "nor extract is there");
	if (object_is_json(o) && other != NULL)
		return err_set(err, ERR_CONFIG, "%s and %s cannot stand in one entry",
			       own, other);
	return 0;
}

static int check_selection(const struct object *o, struct err *err)
{
	const char *other = o->name                   ? "objectName"
			    : o->version || o->choice ? "objectVersion"
			    : o->history              ? "objectVersionHistory"
						      : NULL;

	if (object_selects(o) && other != NULL)
		return err_set(err, ERR_CONFIG,
			       "objectNamePattern and tags select objects by listing the "
			       "vault; %s cannot stand beside them",
			       other);
	return 0;
}

/* Names and numbers that are appended to the path must fit as well. */
static int check_depth(const struct object *o, struct err *err)
{
	bool suffixed = o->layout == OBJECT_SPLIT || o->metadata;
	auto_free char *deepest =
		xasprintf("%s%s%s%s%s", o->path, object_selects(o) ? "/x" : "",
			  o->history > 0 ? "/0" : "", suffixed ? ".json" : "",
			  o->layout == OBJECT_TLS ? "/tls.crt" : "");

	if (path_check(deepest, err) < 0)
		return err_wrap(err, "path '%.200s'", deepest);
	return 0;
}

int object_check(const struct object *o, struct err *err)
{
	if (check_selection(o, err) < 0 || check_json(o, err) < 0 ||
	    check_combinations(o, err) < 0)
		return -1;
	if (o->choice && o->history)
		return err_set(err, ERR_CONFIG,
			       "objectVersion %s cannot stand beside "
			       "objectVersionHistory, which leaves disabled versions out",
			       object_choice_word(o->choice));
	if (!object_selects(o) && o->name == NULL)
		return err_set(err, ERR_CONFIG, "objectName is missing");
	return o->path ? check_depth(o, err) : 0;
}

static bool has_tag(const struct object_tag *wanted, const struct object_tag *tags,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(tags[i].name, wanted->name) == 0)
			return strcmp(tags[i].value, wanted->value) == 0;
	return false;
}

bool object_matches(const struct object *o, const char *name,
		    const struct object_tag *tags, size_t tag_count)
{
	if (o->pattern != NULL && fnmatch(o->pattern, name, FNM_CASEFOLD) != 0)
		return false;
	for (size_t i = 0; i < o->tag_count; i++)
		if (!has_tag(&o->tags[i], tags, tag_count))
			return false;
	return true;
}

char *object_words(const struct object *o)
{
	const char *kind = kind_word(o->kind);

	if (!object_selects(o))
		return xasprintf("%s '%s'", kind, o->name);
	if (o->pattern == NULL)
		return xasprintf("%ss with tag '%s'", kind, o->tags[0].name);
	return xasprintf("%ss like '%s'", kind, o->pattern);
}

/* Texts that differ in one character have hashes that differ by little: in a sum over a
 * list such differences would cancel each other.  The finalizer of splitmix64. */
static uint64_t object_spread(uint64_t hash)
{
	hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
	return hash ^ (hash >> 31);
}

uint64_t object_fingerprint(const struct object *o)
{
	const char *const texts[] = { o->name,    o->pattern, o->vault,
				      o->version, o->path,    o->password_object };
	uint64_t hash = TEXT_HASH;
	auto_free char *rest =
		xasprintf("%d %d %o %d %d %d %d %d", (int)o->kind, o->history,
			  (unsigned)o->mode, (int)o->encoding, (int)o->format,
			  (int)o->layout, o->optional, o->metadata);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hash = text_hash(hash, texts[i]);
	for (size_t i = 0; i < o->tag_count; i++)
		hash = text_hash(text_hash(hash, o->tags[i].name), o->tags[i].value);
	if (o->choice != OBJECT_CURRENT)
		hash = text_hash(hash, object_choice_word(o->choice));
	/* Only what is there, so that an upgrade knows the lists of before. */
	for (size_t i = 0; i < o->part_count; i++) {
		auto_free char *mode = xasprintf("%o", (unsigned)o->parts[i].mode);

		hash = text_hash(text_hash(hash, o->parts[i].expression),
				 o->parts[i].path);
		hash = text_hash(hash, mode);
	}
	if (object_is_json(o)) {
		auto_free char *more =
			xasprintf("%d %d", (int)o->extract, o->without_whole);

		hash = text_hash(text_hash(hash, more), o->folder);
	}
	return object_spread(text_hash(hash, rest));
}
