#include "sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "sandbox/seccomp.h"

/* Adds a half sentence to the text. */
static void sandbox_say(struct sandbox *s, const char *what, const char *why)
{
	size_t len = strlen(s->text);

	snprintf(s->text + len, sizeof(s->text) - len, "%s%s%s", len ? "; " : "", what,
		 why);
}

static int sandbox_landlock(struct sandbox *s, const struct sandbox_needs *needs,
			    struct err *err)
{
	const char *why = NULL;
	int abi = landlock_abi(&why);
	char words[64];

	if (needs->runs_programs) {
		sandbox_say(s, "no Landlock: ", "the configuration runs programs");
		return 0;
	}
	if (abi == 0) {
		sandbox_say(s, "no Landlock: ", why);
		return err_set(err, ERR_IO, "Landlock: %s", why);
	}
	if (landlock_enforce(&needs->rules, abi, err) < 0) {
		sandbox_say(s, "no Landlock: ", err->msg);
		return -1;
	}
	s->landlock_abi = abi;
	snprintf(words, sizeof(words), "Landlock ABI %d: files%s", abi,
		 abi >= LANDLOCK_ABI_PORTS ? " and TCP ports" : "");
	sandbox_say(s, words, "");
	return 0;
}

static int sandbox_seccomp(struct sandbox *s, const struct sandbox_needs *needs,
			   struct err *err)
{
	if (seccomp_enforce(needs->runs_programs, err) < 0) {
		sandbox_say(s, "no seccomp: ", err->msg);
		return -1;
	}
	s->seccomp = true;
	sandbox_say(s, "seccomp: calls of the kernel", "");
	return 0;
}

int sandbox_enter(struct sandbox *out, enum sandbox_wish wish,
		  const struct sandbox_needs *needs, struct err *err)
{
	struct err why = { 0 }, other = { 0 };

	*out = (struct sandbox){ 0 };
	if (wish == SANDBOX_OFF) {
		sandbox_say(out, "off", "");
		return 0;
	}
	/* Both want it: what is started later may not gain rights. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err_set_errno(&why, ERR_IO, "no_new_privs cannot be set");
	else if (sandbox_landlock(out, needs, &why) == 0)
		(void)!sandbox_seccomp(out, needs, &why);
	else
		(void)!sandbox_seccomp(out, needs, &other);
	if (wish != SANDBOX_REQUIRE || why.kind == ERR_NONE)
		return 0;
	return err_set(err, ERR_IO,
		       "AKVSYNC_SANDBOX=require, but the sandbox is not complete: %s; "
		       "allow it on this machine, or set AKVSYNC_SANDBOX=on",
		       why.msg);
}

int sandbox_covers(const struct sandbox *s, const struct sandbox_needs *has,
		   const struct sandbox_needs *wants, struct err *err)
{
	/* Landlock lets none be run, and seccomp none be started. */
	if ((s->seccomp || s->landlock_abi > 0) && wants->runs_programs &&
	    !has->runs_programs)
		return err_set(
			err, ERR_CONFIG,
			"it runs a program, which the sandbox of this process does "
			"not allow; that needs a restart");
	for (size_t i = 0; i < wants->rules.path_count && s->landlock_abi > 0; i++)
		if (!landlock_allows_path(&has->rules, &wants->rules.paths[i]))
			return err_set(err, ERR_CONFIG,
				       "it uses '%s', which the sandbox of this process "
				       "does not allow; that needs a restart",
				       wants->rules.paths[i].path);
	for (size_t i = 0;
	     i < wants->rules.port_count && s->landlock_abi >= LANDLOCK_ABI_PORTS; i++)
		if (!landlock_allows_port(&has->rules, wants->rules.ports[i]))
			return err_set(
				err, ERR_CONFIG,
				"it connects to port %u, which the sandbox of "
				"this process does not allow; that needs a restart",
				wants->rules.ports[i]);
	return 0;
}

void sandbox_needs_done(struct sandbox_needs *needs)
{
	landlock_rules_done(&needs->rules);
}
