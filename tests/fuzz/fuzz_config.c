/* The configuration file: our own YAML, or a SecretProviderClass; and all that it sets.
 */
#include "config/document.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[] = "AKVSYNC_DIR=/x", client[] = "AZURE_CLIENT_ID=y";
	char *const none[] = { dir, client, NULL };
	struct overlay overlay = { 0 }, chosen = { 0 };
	struct err err = { 0 };
	char **env;

	must_explain(document_read(&overlay, (const char *)data, size, NULL, &err), &err);
	env = overlay_environ(&overlay, none);
	fuzz_settings(env);
	overlay_environ_free(env);
	overlay_done(&overlay);
	must_explain(document_read(&chosen, (const char *)data, size, "b/a", &err), &err);
	overlay_done(&chosen);
	return 0;
}
