#include "render/render.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "crypto/jwk.h"
#include "crypto/pem.h"
#include "render/keys.h"

/* What Java's own tools use when no secret is meant. */
#define JAVA_PASSWORD "changeit"

static const char pkcs12_type[] = "application/x-pkcs12";
static const char pem_type[] = "application/x-pem-file";

/* ---- secrets ---- */

static int render_decode(const struct buf *value, enum text_encoding encoding,
			 struct buf *out, struct err *err)
{
	switch (encoding) {
	case TEXT_BASE64:
		return text_from_base64(buf_str(value), value->len, out, err);
	case TEXT_HEX:
		return text_from_hex(buf_str(value), value->len, out, err);
	case TEXT_UTF8:
		break;
	}
	return buf_add(out, buf_str(value), value->len, err);
}

static int render_write_text(const struct buf *value, enum text_encoding encoding,
			     struct buf *out, struct err *err)
{
	if (render_decode(value, encoding, out, err) == 0)
		return 0;
	return err_hint(err,
			"the entry says objectEncoding %s: correct it, or the value in "
			"the vault",
			render_encoding_word(encoding));
}

/* A key store or trust store of Java: always encrypted, whatever the vault has. */
static bool is_store(const struct render_how *how)
{
	return how->format == OBJECT_PKCS12 || how->format == OBJECT_TRUSTSTORE;
}

/* Certificates of App Service are plain secrets with the content type of one: they are
 * left as they are unless the configuration asks for more than their text. */
static bool holds_certificate(const struct render_how *how,
			      const struct render_source *source)
{
	const char *type = source->content_type ? source->content_type : "";

	if (source->of_certificate || is_store(how))
		return true;
	return (how->layout != OBJECT_SINGLE || how->password_object != NULL) &&
	       (strcmp(type, pkcs12_type) == 0 || strcmp(type, pem_type) == 0);
}

/* Its content type was not given, or is another one. */
static int refuse_plain(const char *what, const struct render_source *source,
			struct err *err)
{
	err_set(err, ERR_CONFIG,
		"%s needs the secret of a certificate, which this is not, or a secret "
		"with the content type %s or %s",
		what, pkcs12_type, pem_type);
	if (!pem_starts(buf_str(source->value), source->value->len))
		return -1;
	return err_hint(err,
			"its value looks like PEM: give it that type, such as with az "
			"keyvault secret set-attributes --content-type %s",
			pem_type);
}

static int write_plain(const struct render_how *how, const struct render_source *source,
		       struct render_files *out, struct err *err)
{
	auto_free char *layout = xasprintf("layout %s", render_layout_word(how->layout));

	if (how->layout != OBJECT_SINGLE)
		return refuse_plain(layout, source, err);
	if (how->password_object != NULL)
		return refuse_plain("pfxPasswordObject", source, err);
	return render_write_text(source->value, how->encoding, &out->items[0].bytes, err);
}

static int is_pem(const struct render_source *source, bool *pem, struct err *err)
{
	const char *type = source->content_type;
	const struct buf *value = source->value;

	if (type == NULL || *type == '\0')
		*pem = pem_starts(buf_str(value), value->len);
	else if (text_same(type, pem_type) || text_same(type, pkcs12_type))
		*pem = text_same(type, pem_type);
	else
		return err_set(err, ERR_CONFIG,
			       "its content type is neither %s nor %s, as a "
			       "certificate's is",
			       pkcs12_type, pem_type);
	return 0;
}

static int read_certificates(const struct render_source *source, bool pem,
			     struct pki **out, struct err *err)
{
	auto_buf struct buf der = BUF_INIT(RENDER_FILE_MAX);

	if (pem)
		return pki_from_pem(buf_str(source->value), source->value->len, NULL, out,
				    err);
	if (text_from_base64(buf_str(source->value), source->value->len, &der, err) < 0) {
		err_hint(err, "is it the secret of a certificate?");
		return err_wrap(err, "its PKCS#12");
	}
	return pki_from_pkcs12(buf_str(&der), der.len, NULL, out, err);
}

/* Java derives a key from printable ASCII only. */
static bool is_of_java(const struct buf *password)
{
	for (size_t i = 0; i < password->len; i++)
		if (password->data[i] < ' ' || password->data[i] > '~')
			return false;
	return true;
}

static int write_locked(const struct render_how *how, const struct pki *pki,
			const struct buf *given, struct buf *out, struct err *err)
{
	const char *password = how->password_object ? given->data : JAVA_PASSWORD;

	if (how->password_object != NULL &&
	    (given->len == 0 || memchr(given->data, '\0', given->len) != NULL))
		return err_set(err, ERR_CONFIG,
			       "the value of its passwordObject (pfxPasswordObject) '%s' "
			       "is empty or holds a "
			       "NUL character: no password",
			       how->password_object);
	if (is_store(how) && how->password_object != NULL && !is_of_java(given))
		return err_set(err, ERR_CONFIG,
			       "the value of its passwordObject (pfxPasswordObject) '%s' "
			       "holds a character "
			       "that Java takes in no password of a PKCS#12, such as a "
			       "final line end: only printable ASCII",
			       how->password_object);
	if (how->format == OBJECT_TRUSTSTORE)
		return pki_write_truststore(pki, password, how->name, out, err);
	return pki_write_pkcs12(pki, password, how->name, out, err);
}

/* PEM whose certificates stand in their order stays as it is, to the byte. */
static int write_bundle(const struct pki *pki, const struct buf *value, struct buf *out,
			struct err *err)
{
	if (pki_is_in_order(pki))
		return buf_add(out, buf_str(value), value->len, err);
	return pki_write_bundle(pki, out, err);
}

/* PEM that programs can read, but that no order can be given to, such as one with several
 * private keys, stays as it is: the CSI provider does not look at it either. */
static bool stays_as_it_is(const struct render_how *how, const struct buf *value)
{
	return how->layout == OBJECT_SINGLE && how->password_object == NULL &&
	       !is_store(how) && pem_is_readable(buf_str(value), value->len);
}

static int write_layout(const struct render_how *how, const struct pki *pki,
			const struct buf *value, struct render_files *out,
			struct err *err)
{
	struct render_file *files = out->items;

	switch (how->layout) {
	case OBJECT_SINGLE:
		return write_bundle(pki, value, &files[0].bytes, err);
	case OBJECT_SPLIT:
		if (write_bundle(pki, value, &files[0].bytes, err) < 0 ||
		    pki_write_all(pki, &files[1].bytes, err) < 0)
			return -1;
		return pki_write_key(pki, &files[2].bytes, err);
	case OBJECT_TLS:
		break;
	}
	if (pki_write_chain(pki, &files[0].bytes, err) < 0 ||
	    pki_write_key(pki, &files[1].bytes, err) < 0)
		return -1;
	return pki_write_root(pki, &files[2].bytes, err);
}

static int write_certificates(const struct render_how *how,
			      const struct render_source *source,
			      struct render_files *out, struct err *err)
{
	auto_pki struct pki *pki = NULL;
	struct err unread;
	bool pem = false;

	if (is_pem(source, &pem, err) < 0)
		return -1;
	if (how->format == OBJECT_PFX && how->password_object == NULL)
		return render_write_text(source->value, how->encoding,
					 &out->items[0].bytes, err);
	if (how->format == OBJECT_PEM && how->encoding != TEXT_UTF8)
		return err_set(
			err, ERR_CONFIG,
			"objectEncoding %s does not fit a certificate in PEM form; "
			"leave it out, or set objectFormat: pfx",
			render_encoding_word(how->encoding));
	if (read_certificates(source, pem, &pki, &unread) < 0) {
		if (!pem || !stays_as_it_is(how, source->value)) {
			*err = unread;
			return -1;
		}
		out->unread = unread;
		return buf_add(&out->items[0].bytes, buf_str(source->value),
			       source->value->len, err);
	}
	out->without_key = pki_key(pki) == NULL && how->format != OBJECT_TRUSTSTORE;
	out->validity = pki_leaf_validity(pki);
	if (how->password_object != NULL || is_store(how))
		return write_locked(how, pki, source->password, &out->items[0].bytes,
				    err);
	return write_layout(how, pki, source->value, out, err);
}

/* ---- keys and certificates ---- */

static int write_public_key(const struct json *jwk, struct buf *out, struct err *err)
{
	const struct jwk key = {
		.kty = json_string(jwk, "kty"),
		.n = json_string(jwk, "n"),
		.e = json_string(jwk, "e"),
		.crv = json_string(jwk, "crv"),
		.x = json_string(jwk, "x"),
		.y = json_string(jwk, "y"),
	};

	return jwk_to_pem(&key, out, err);
}

static int write_leaf(const struct render_how *how, const struct render_source *source,
		      struct render_files *out, struct err *err)
{
	auto_buf struct buf der = BUF_INIT(RENDER_FILE_MAX);
	struct buf *bytes = &out->items[0].bytes;
	auto_pki struct pki *pki = NULL;

	if (text_from_base64(source->cer, strlen(source->cer), &der, err) < 0)
		return err_wrap(err, "its certificate");
	if (pki_from_certificate(buf_str(&der), der.len, &pki, err) < 0)
		return -1;
	out->validity = pki_leaf_validity(pki);
	return is_store(how) ? write_locked(how, pki, source->password, bytes, err)
			     : pki_write_all(pki, bytes, err);
}

/* Also of a secret of a certificate, whose value is no JSON. */
static int write_json(const struct render_how *how, const struct render_source *source,
		      struct render_files *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(RENDER_FILE_MAX);

	if (render_write_text(source->value, how->encoding, &text, err) < 0)
		return -1;
	if (!how->without_whole &&
	    buf_add(&out->items[0].bytes, buf_str(&text), text.len, err) < 0)
		return -1;
	return keys_write(how, &text, out, err);
}

static int write_files(const struct render_how *how, const struct render_source *source,
		       struct render_files *out, struct err *err)
{
	switch (how->kind) {
	case OBJECT_KEY:
		return write_public_key(source->jwk, &out->items[0].bytes, err);
	case OBJECT_CERTIFICATE:
		return write_leaf(how, source, out, err);
	case OBJECT_SECRET:
		break;
	}
	if (how->part_count > 0 || how->extract != OBJECT_EXTRACT_NONE)
		return write_json(how, source, out, err);
	return holds_certificate(how, source) ? write_certificates(how, source, out, err)
					      : write_plain(how, source, out, err);
}

int render_object(const struct render_how *how, const struct render_source *source,
		  struct render_files *out, struct err *err)
{
	struct render_files files;

	render_outline(how, &files);
	if (write_files(how, source, &files, err) < 0) {
		/* Past the bound: as much a thing of this object as the other causes. */
		if (err->kind == ERR_UNAVAILABLE)
			err->kind = ERR_CONFIG;
		render_files_done(&files);
		return -1;
	}
	*out = files;
	return 0;
}

/* ---- metadata ---- */

static void write_time(struct buf *out, const char *name, int64_t seconds)
{
	time_t at = (time_t)seconds;
	char text[40] = "";
	struct tm tm;

	if (seconds >= 0 && gmtime_r(&at, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_text(out, ",");
	json_member(out, name, text[0] ? text : NULL);
}

void render_metadata(const struct render_facts *facts, struct buf *out)
{
	const char *comma = "";

	buf_text(out, "{");
	json_member(out, "name", facts->name);
	buf_text(out, ",");
	json_member(out, "type", facts->kind);
	buf_text(out, ",");
	json_member(out, "version", facts->version);
	write_time(out, "created", facts->created);
	write_time(out, "updated", facts->updated);
	write_time(out, "notBefore", facts->not_before);
	write_time(out, "expires", facts->expires);
	buf_text(out, ",");
	json_member(out, "contentType", facts->content_type);
	buf_text(out, ",\"tags\":{");
	for (const struct json *t = json_first(facts->tags); t; t = json_next(t)) {
		if (json_name(t) == NULL || json_text(t) == NULL)
			continue;
		buf_text(out, comma);
		json_quote(out, json_name(t));
		buf_text(out, ":");
		json_quote(out, json_text(t));
		comma = ",";
	}
	buf_text(out, "}}\n");
}
