/* The configuration file: our own YAML, or a SecretProviderClass. */
#include "config/document.h"
#include "config/environment.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[] = "AKVSYNC_DIR=/x", client[] = "AZURE_CLIENT_ID=y";
	char *const none[] = { dir, client, NULL };
	struct overlay overlay = { 0 };
	struct settings settings;
	struct err err = { 0 };
	int result = document_read(&overlay, (const char *)data, size, NULL, &err);
	char **env;

	must_explain(result, &err);
	env = overlay_environ(&overlay, none);
	err = (struct err){ 0 };
	must_explain(environment_load(&settings, env, &err), &err);
	settings_done(&settings);
	overlay_environ_free(env);
	overlay_done(&overlay);
	return 0;
}
