#include "base/kind.h"

#include <stddef.h>

const char *const kind_formats[] = {
	[OBJECT_PEM] = "pem",
	[OBJECT_PFX] = "pfx",
	[OBJECT_PKCS12] = "pkcs12",
	[OBJECT_TRUSTSTORE] = "truststore",
	NULL,
};

const char *kind_word(enum object_kind kind)
{
	static const char *const words[] = {
		[OBJECT_SECRET] = "secret",
		[OBJECT_KEY] = "key",
		[OBJECT_CERTIFICATE] = "certificate",
	};

	return words[kind];
}
