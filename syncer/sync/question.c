#include "sync/question.h"

#include <stdlib.h>

#include "base/mem.h"

static int question_parse(void *arg, struct http_reply *reply, struct err *err)
{
	struct question *q = arg;

	return vault_object_parse(reply, &q->asked, &q->got, err);
}

void question_ask(struct question *q, struct fetch *fetch, const struct source *source,
		  enum object_kind kind, const char *name, const char *version)
{
	q->url = vault_object_url(source->vault.url, kind, name, version);
	q->words = xasprintf("%s '%s'", kind_word(kind), name);
	q->asked = (struct refusal_context){
		.kind = kind,
		.client_id = identity_id(&source->shared->identity),
		.vault = source->vault.name,
		.id = source_id(source, q->url),
	};
	q->item = (struct fetch_item){ .url = q->url,
				       .words = q->words,
				       .purpose = kind_word(kind),
				       .parse = question_parse,
				       .arg = q };
	fetch_add(fetch, &q->item);
}

void question_repeat(struct question *q)
{
	vault_object_done(&q->got);
	fetch_again(&q->item);
}

void question_change(struct question *q, const struct source *source,
		     enum object_kind kind, const char *name, const char *version)
{
	free(q->url);
	q->url = vault_object_url(source->vault.url, kind, name, version);
	q->item.url = q->url;
	q->asked.id = source_id(source, q->url);
	q->item.err = (struct err){ 0 };
	question_repeat(q);
}

void question_done(struct question *q)
{
	vault_object_done(&q->got);
	free(q->url);
	free(q->words);
	*q = (struct question){ 0 };
}

bool question_is_answered(const struct question *q)
{
	return q->item.state == FETCH_GOT || q->item.state == FETCH_NONE;
}

bool question_failed(const struct question *q)
{
	return !question_is_answered(q);
}
