#include "exec/faults.h"

#include "base/json.h"

#define LIST_MAX_BYTES (256 * 1024)
/* Of one message, each of whose characters may be written as \u00.., with ",]. */
#define QUOTED_MAX_BYTES (6 * sizeof(((struct err *)0)->msg) + 4)

void faults_add(struct faults *f, const char *variable, const struct err *cause)
{
	struct err named = *cause;

	(void)err_wrap(&named, "%.100s", variable);
	f->list.max = f->text.max = LIST_MAX_BYTES;
	if (f->list.len + QUOTED_MAX_BYTES < LIST_MAX_BYTES) {
		/* The last bracket gives way. */
		if (f->count > 0)
			buf_truncate(&f->list, f->list.len - 1);
		buf_text(&f->list, f->count == 0 ? "[" : ",");
		json_quote(&f->list, named.msg);
		buf_text(&f->list, "]");
	}
	buf_printf(&f->text, "%s%s", f->count == 0 ? "" : "; ", named.msg);
	if (f->count == 0 || err_outranks(&named, &f->worst))
		f->worst = named;
	f->count++;
}

int faults_error(const struct faults *f, struct err *err)
{
	if (f->count == 1) {
		*err = f->worst;
		return -1;
	}
	return err_set(err, f->worst.kind, "%zu variables cannot be set: %s", f->count,
		       buf_str(&f->text));
}

const char *faults_list(const struct faults *f)
{
	return f->count > 1 ? buf_str(&f->list) : "";
}

void faults_done(struct faults *f)
{
	buf_done(&f->list);
	buf_done(&f->text);
	*f = (struct faults){ 0 };
}
