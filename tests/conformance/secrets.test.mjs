// Microsoft's own client does to the fake what it does to Key Vault, unmodified, signed in as a
// pod is. The environment is that of a pod; test_conformance.py gives it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";

import { WorkloadIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const { VAULT_URL, OTHER_CLIENT_ID, EXPIRED_ASSERTION_FILE } = process.env;
const FAST = { intervalInMs: 50 };

function client(identity = {}) {
  // Instance discovery asks a public host; all else is as an application has it.
  const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true, ...identity });
  return new SecretClient(VAULT_URL, credential, { retryOptions: { maxRetries: 0 } });
}

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

const refused = (status, code, message = /./) => (error) => {
  assert.equal(error.name, "RestError");
  assert.equal(error.statusCode, status);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

let secrets;
before(() => {
  secrets = client();
});

test("sets a secret and reads it back", async () => {
  const value = randomUUID();
  const set = await secrets.setSecret("plain", value, { tags: { team: "shop" } });
  const got = await secrets.getSecret("plain");
  assert.equal(got.value, value);
  assert.equal(got.properties.version, set.properties.version);
  assert.match(got.properties.version, /^[0-9a-f]{32}$/);
  assert.deepEqual({ ...got.properties.tags }, { team: "shop" });
  assert.equal(got.properties.enabled, true);
  assert.ok(Math.abs(Date.now() - got.properties.createdOn) < 60_000);
});

test("reads the content type", async () => {
  // Set beforehand: this version of the client drops it from what it sends.
  assert.equal((await secrets.getSecret("typed")).properties.contentType, "text/plain");
});

test("keeps every version", async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  const old = await secrets.setSecret("versions", first);
  await secrets.setSecret("versions", second);
  assert.equal((await secrets.getSecret("versions")).value, second);
  const { version } = old.properties;
  assert.equal((await secrets.getSecret("versions", { version })).value, first);
  const listed = await all(secrets.listPropertiesOfSecretVersions("versions"));
  assert.equal(listed.length, 2);
  assert.ok(listed.some((one) => one.version === version));
});

test("lists over several pages", async () => {
  const names = Array.from({ length: 27 }, (_, i) => `page-${i}`);
  for (const name of names) await secrets.setSecret(name, randomUUID());
  const listed = (await all(secrets.listPropertiesOfSecrets())).map((one) => one.name);
  for (const name of names) assert.ok(listed.includes(name), name);
  assert.equal(new Set(listed).size, listed.length);
});

test("a disabled version is not given", async () => {
  const { properties } = await secrets.setSecret("off", randomUUID());
  await secrets.updateSecretProperties("off", properties.version, { enabled: false });
  await assert.rejects(secrets.getSecret("off"), refused(403, "Forbidden", /disabled secret/));
  await secrets.updateSecretProperties("off", properties.version, { enabled: true });
  assert.ok((await secrets.getSecret("off")).value);
});

test("deletes, recovers, purges", async () => {
  const value = randomUUID();
  await secrets.setSecret("gone", value);
  const deleted = await (await secrets.beginDeleteSecret("gone", FAST)).pollUntilDone();
  assert.ok(deleted.recoveryId.endsWith("/deletedsecrets/gone"));
  await assert.rejects(secrets.getSecret("gone"), refused(404, "SecretNotFound"));
  assert.equal((await secrets.getDeletedSecret("gone")).name, "gone");
  await assert.rejects(secrets.setSecret("gone", "x"), refused(409, "Conflict"));
  await (await secrets.beginRecoverDeletedSecret("gone", FAST)).pollUntilDone();
  assert.equal((await secrets.getSecret("gone")).value, value);
  await (await secrets.beginDeleteSecret("gone", FAST)).pollUntilDone();
  await secrets.purgeDeletedSecret("gone");
  await assert.rejects(secrets.getDeletedSecret("gone"), refused(404, "SecretNotFound"));
});

test("what does not exist is refused by name", async () => {
  await assert.rejects(secrets.getSecret("nothing"), refused(404, "SecretNotFound", /nothing/));
});

test("an identity without a role is refused", async () => {
  const other = client({ clientId: OTHER_CLIENT_ID });
  await assert.rejects(other.getSecret("plain"), refused(403, "Forbidden", /not authorized/));
});

test("an expired assertion is refused with Entra's code", async () => {
  const late = client({ tokenFilePath: EXPIRED_ASSERTION_FILE });
  await assert.rejects(late.getSecret("plain"), /AADSTS700024/);
});
