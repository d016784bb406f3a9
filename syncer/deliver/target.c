#include "deliver/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

size_t target_list_count(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

char **target_list_add(char **list, const char *item)
{
	size_t count = target_list_count(list);

	/* The final NULL is an item, too. */
	list = xgrow(list, list ? count + 1 : 0, sizeof(*list));
	list[count] = wipe_strdup(item);
	list[count + 1] = NULL;
	return list;
}

void target_list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		wipe_free(list[i]);
	free(list);
}

int target_split(struct target *t, const char *text, struct err *err)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy, *word;

	while ((word = strsep(&rest, " \t")) != NULL)
		if (*word != '\0')
			t->argv = target_list_add(t->argv, word);
	if (t->argv == NULL || t->argv[0][0] != '/')
		return err_set(err, ERR_CONFIG,
			       "it names no program; write its absolute path, and its "
			       "arguments behind it, such as %s=/usr/bin/redis-cli PING",
			       t->kind->word);
	for (char **arg = t->argv; *arg; arg++)
		if (**arg == '"' || **arg == '\'')
			return err_set(err, ERR_CONFIG,
				       "%c is no quote here: the arguments are separated "
				       "by blanks, and no shell reads them; put what "
				       "needs more into a script",
				       **arg);
	return 0;
}

int target_check_rest(const char *rest, struct err *err)
{
	static const char *const words[] = { ",signal=",  ",on=",    ",process=",
					     ",pidfile=", ",header", ",status=",
					     ",timeout=" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(rest, words[i]) != NULL)
			return err_set(err, ERR_CONFIG,
				       "'%.20s' stands behind the action: entries are "
				       "separated by ';', and options such as on=first, "
				       "stand in front of it",
				       words[i]);
	return 0;
}

void target_done(struct target *t)
{
	free(t->text);
	paths_done(&t->filters);
	free(t->process);
	free(t->pidfile);
	wipe_free(t->url);
	free(t->socket);
	target_list_free(t->headers);
	free(t->header_file);
	free(t->path);
	target_list_free(t->argv);
	*t = (struct target){ 0 };
}
