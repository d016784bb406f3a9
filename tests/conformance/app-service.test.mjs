// As identity.test.mjs, in a process of its own: the library keeps the endpoint, its header and tokens for
// the process.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const { VAULT_URL, AZURE_CLIENT_ID, REFUSED } = process.env;
const OPTIONS = { retryOptions: { maxRetries: 0 } };
const read = () => new SecretClient(VAULT_URL, new ManagedIdentityCredential(AZURE_CLIENT_ID, OPTIONS), OPTIONS).getSecret("s");

test("a managed identity by App Service", async () => {
  if (REFUSED) await assert.rejects(read(), /X-IDENTITY-HEADER/);
  else assert.equal((await read()).value, "value");
});
