/*
 * facts.h: a process as proc.h would have read it, from the row of a table.
 */
#ifndef TESTS_FACTS_H
#define TESTS_FACTS_H

#include "unit.h"

#include "deliver/proc.h"

/* "python3 -u shop.py": arguments are separated by single spaces; NULL: unreadable. */
static inline struct proc facts(const char *comm, const char *exe, const char *arguments)
{
	struct proc p = { .pid = 7, .running = true, .shows_signals = true };
	struct err err = { 0 };

	p.comm = xstrdup(comm);
	p.exe = exe ? xstrdup(exe) : NULL;
	p.cmdline = BUF_INIT(1024);
	if (arguments == NULL)
		return p;
	assert_int_equal(buf_add(&p.cmdline, arguments, strlen(arguments) + 1, &err), 0);
	for (char *c = p.cmdline.data; *c; c++)
		*c = *c == ' ' ? '\0' : *c;
	return p;
}

#endif
