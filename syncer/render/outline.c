#include "render/outline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Of extracted keys: how many there are, and their folder, so that it is known of files
 * on the volume whether they are all. */
#define EXTRACTED ";extract="

const char *render_encoding_word(enum text_encoding encoding)
{
	switch (encoding) {
	case TEXT_BASE64:
		return "base64";
	case TEXT_HEX:
		return "hex";
	case TEXT_UTF8:
		break;
	}
	return "utf-8";
}

const char *render_layout_word(enum object_layout layout)
{
	return layout == OBJECT_TLS ? "kubernetes.io/tls" : "split";
}

static char *render_options(const struct render_how *how)
{
	struct buf text = BUF_INIT(512);
	char *options;

	if (how->kind != OBJECT_SECRET)
		buf_text(&text, how->kind == OBJECT_KEY ? "public-key" : "certificate");
	else
		buf_printf(&text, "encoding=%s", render_encoding_word(how->encoding));
	if (how->format != OBJECT_PEM)
		buf_printf(&text, ";format=%s", kind_formats[how->format]);
	if (how->layout != OBJECT_SINGLE)
		buf_printf(&text, ";layout=%s", render_layout_word(how->layout));
	if (how->password_object != NULL)
		buf_printf(&text, ";password=%s", how->password_object);
	options = xstrdup(buf_str(&text));
	buf_done(&text);
	return options;
}

static struct render_file *render_add(struct render_files *files, char *path, mode_t mode,
				      char *options)
{
	files->items = xgrow(files->items, files->count, sizeof(*files->items));
	files->items[files->count] = (struct render_file){
		.path = path,
		.mode = mode,
		.options = options,
		.bytes = BUF_INIT(RENDER_FILE_MAX),
	};
	return &files->items[files->count++];
}

void render_outline(const struct render_how *how, struct render_files *out)
{
	static const char *const suffixes[][4] = {
		[OBJECT_SINGLE] = { "" },
		[OBJECT_SPLIT] = { "", ".crt", ".key" },
		[OBJECT_TLS] = { "/tls.crt", "/tls.key", "/ca.crt" },
	};
	auto_free char *options = render_options(how);

	*out = (struct render_files){ .validity = { -1, -1 } };
	for (const char *const *s = suffixes[how->layout]; *s && !how->without_whole; s++)
		render_add(out, xasprintf("%s%s", how->path, *s), how->mode,
			   xstrdup(options));
	for (size_t i = 0; i < how->part_count; i++)
		render_add(
			out, xstrdup(how->parts[i].path), how->parts[i].mode,
			xasprintf("%s;jmesPath=%s", options, how->parts[i].expression));
	out->outlined = out->count;
}

char *render_key_options(const struct render_how *how, size_t count)
{
	auto_free char *options = render_options(how);

	return xasprintf("%s" EXTRACTED "%zu:%s", options, count,
			 how->folder ? how->folder : "");
}

const char *render_extracted(const char *options, size_t *count)
{
	const char *found = strstr(options, EXTRACTED);

	*count = 0;
	for (const char *c = found ? found + strlen(EXTRACTED) : "";
	     isdigit((unsigned char)*c); c++)
		*count = *count * 10 + (size_t)(*c - '0');
	return found;
}

struct render_file *render_add_key(const struct render_how *how,
				   struct render_files *files, const char *key)
{
	const char *folder = how->folder ? how->folder : "";

	return render_add(files, xasprintf("%s%s%s", folder, *folder ? "/" : "", key),
			  how->mode, NULL);
}

void render_finish_keys(const struct render_how *how, struct render_files *files)
{
	for (size_t i = files->outlined; i < files->count; i++)
		files->items[i].options =
			render_key_options(how, files->count - files->outlined);
}

void render_files_done(struct render_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].path);
		free(files->items[i].options);
		buf_done(&files->items[i].bytes);
	}
	free(files->items);
	*files = (struct render_files){ 0 };
}
