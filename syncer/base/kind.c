#include "base/kind.h"

const char *kind_word(enum object_kind kind)
{
	static const char *const words[] = {
		[OBJECT_SECRET] = "secret",
		[OBJECT_KEY] = "key",
		[OBJECT_CERTIFICATE] = "certificate",
	};

	return words[kind];
}
