#include "sandbox/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

int harden(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return err_set_errno(err, ERR_IO, "cannot forbid core dumps");
	return 0;
}
