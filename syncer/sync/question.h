/*
 * question.h: one request for an object and its answer: the strings and the parsed reply
 * of an item of a fetch.
 */
#ifndef SYNC_QUESTION_H
#define SYNC_QUESTION_H

#include "azure/vault.h"
#include "sync/fetch.h"

struct question {
	char *url, *words;
	struct refusal_context asked;
	struct fetch_item item;  /* FETCH_NONE: not asked */
	struct vault_object got; /* when the item is FETCH_GOT */
};

/* Asks for a version of an object, NULL: the current one.  The question must not move
 * while the fetch lives.  question_done() later. */
void question_ask(struct question *q, struct fetch *fetch, const struct source *source,
		  enum object_kind kind, const char *name, const char *version);

/* True when it has an answer, or was not asked at all. */
bool question_is_answered(const struct question *q);

/* Drops the answer and asks the same again. */
void question_repeat(struct question *q);

/* Drops the answer, or the failure, and asks for another version. */
void question_change(struct question *q, const struct source *source,
		     enum object_kind kind, const char *name, const char *version);
void question_done(struct question *q);

/* True when it was asked and has no answer; its item's err says why. */
bool question_failed(const struct question *q);

#endif
