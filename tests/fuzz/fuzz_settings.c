/* All variables of the environment, as /proc/PID/environ has them: with a NUL between. */
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_texts env = fuzz_split(data, size, '\0', 64);
	char **copy;

	copy = environment_take(env.items);
	fuzz_settings(copy);
	environment_untake(copy);
	fuzz_texts_done(&env);
	return 0;
}
