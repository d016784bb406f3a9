// Keys and certificates: Microsoft's clients, unmodified, against the fake.
import assert from "node:assert/strict";
import { X509Certificate, createPublicKey } from "node:crypto";
import { before, test } from "node:test";

import { WorkloadIdentityCredential } from "@azure/identity";
import { CertificateClient } from "@azure/keyvault-certificates";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";

const { VAULT_URL } = process.env;
const options = { retryOptions: { maxRetries: 0 } };
const FAST = { intervalInMs: 50 };

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

let keys, certificates, secrets;
before(() => {
  const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
  keys = new KeyClient(VAULT_URL, credential, options);
  certificates = new CertificateClient(VAULT_URL, credential, options);
  secrets = new SecretClient(VAULT_URL, credential, options);
});

for (const [kind, more, type] of [
  ["RSA", { keySize: 2048 }, "rsa"],
  ["RSA-HSM", { keySize: 2048 }, "rsa"],
  ["EC", { curve: "P-256" }, "ec"],
  ["EC", { curve: "P-384" }, "ec"],
  ["EC", { curve: "P-521" }, "ec"],
  ["EC-HSM", { curve: "P-256" }, "ec"],
]) {
  test(`makes and reads a key: ${kind} ${JSON.stringify(more)}`, async () => {
    const name = `key-${kind}-${more.curve ?? more.keySize}`;
    const made = await keys.createKey(name, kind, { ...more, tags: { team: "shop" } });
    const got = await keys.getKey(name);
    assert.equal(got.keyType, kind);
    assert.equal(got.properties.version, made.properties.version);
    assert.deepEqual({ ...got.properties.tags }, { team: "shop" });
    const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
    const { n, e, x, y, crv } = got.key;
    const jwk = type === "rsa" ? { kty: "RSA", n: b64(n), e: b64(e) } : { kty: "EC", crv, x: b64(x), y: b64(y) };
    assert.equal(createPublicKey({ key: jwk, format: "jwk" }).asymmetricKeyType, type);
  });
}

test("lists keys and versions", async () => {
  for (let i = 0; i < 3; i++) await keys.createKey("many", "EC");
  assert.equal((await all(keys.listPropertiesOfKeyVersions("many"))).length, 3);
  assert.ok((await all(keys.listPropertiesOfKeys())).some((one) => one.name === "many"));
});

for (const contentType of ["application/x-pkcs12", "application/x-pem-file"]) {
  test(`issues a certificate: ${contentType}`, async () => {
    const name = `cert-${contentType.length}`;
    const policy = {
      issuerName: "Self", subject: "CN=web.example.test", contentType, keyType: "EC", keyCurveName: "P-256",
      subjectAlternativeNames: { dnsNames: ["web.example.test"] }, validityInMonths: 3,
    };
    const poller = await certificates.beginCreateCertificate(name, policy, FAST);
    const made = await poller.pollUntilDone();
    assert.equal(made.name, name);
    const leaf = new X509Certificate(Buffer.from(made.cer));
    assert.equal(leaf.subject, "CN=web.example.test");
    const got = await certificates.getCertificate(name);
    assert.equal(got.policy.issuerName, "Self");
    assert.equal(got.policy.contentType, contentType);
    assert.equal(got.policy.validityInMonths, 3);
    const { version } = got.properties;
    const old = await certificates.getCertificateVersion(name, version);
    assert.equal(old.policy, undefined);
    const secret = await secrets.getSecret(name);
    assert.equal(secret.properties.version, version);
    assert.equal(secret.properties.contentType, contentType);
    assert.equal(secret.properties.managed, true);
    assert.equal((await keys.getKey(name)).properties.version, version);
  });
}

test("a certificate under way is disabled and has no key id", async () => {
  const policy = { issuerName: "Self", subject: "CN=late.example.test", keyType: "EC" };
  const poller = await certificates.beginCreateCertificate("late", policy, { intervalInMs: 60_000 });
  const [listed] = (await all(certificates.listPropertiesOfCertificates({ includePending: true }))).filter((one) => one.name === "late");
  assert.equal(listed.enabled, false);
  const operation = await certificates.getCertificateOperation("late", FAST);
  assert.ok(["inProgress", "completed"].includes(operation.getOperationState().certificateOperation.status));
  poller.stopPolling();
});

test("lists certificates and versions", async () => {
  const policy = { issuerName: "Self", subject: "CN=again.example.test", keyType: "EC" };
  for (let i = 0; i < 2; i++) await (await certificates.beginCreateCertificate("again", policy, FAST)).pollUntilDone();
  assert.equal((await all(certificates.listPropertiesOfCertificateVersions("again"))).length, 2);
});
