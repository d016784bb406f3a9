/* These functions need no provider: loading one takes more memory than a supervisor that
 * stays beside an app may use. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/digest.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"

_Static_assert(sizeof(struct digest) == SHA256_DIGEST_LENGTH, "a digest fits");

void digest_key_make(struct digest_key *key)
{
	size_t done = 0;

	while (done < sizeof(key->bytes)) {
		ssize_t n = getrandom(key->bytes + done, sizeof(key->bytes) - done, 0);

		done += n > 0 ? (size_t)n : 0;
	}
}

struct digest digest_of(const struct digest_key *key, const void *data, size_t len)
{
	struct digest out;
	SHA256_CTX context; /* holds the last bytes of what was digested */

	SHA256_Init(&context);
	SHA256_Update(&context, key->bytes, sizeof(key->bytes));
	SHA256_Update(&context, data, len);
	SHA256_Final(out.bytes, &context);
	wipe(&context, sizeof(context));
	return out;
}
