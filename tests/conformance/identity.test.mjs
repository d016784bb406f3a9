// Microsoft's own credentials sign in to the fake, each as its documentation says, and are refused with
// Entra's codes. The environment is given by test_conformance.py.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
} from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const { VAULT_URL, FOLDER, IMDS, OBJECT_ID, AZURE_TENANT_ID, AZURE_CLIENT_ID } = process.env;
// Instance discovery asks a public host; all else is as an application has it.
const OPTIONS = { disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };

const read = (credential) =>
  new SecretClient(VAULT_URL, credential, { retryOptions: { maxRetries: 0 } }).getSecret("s");
const secret = (text) => new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, text, OPTIONS);
const certificate = (name, more = {}) =>
  new ClientCertificateCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, `${FOLDER}/${name}.pem`, { ...OPTIONS, ...more });

async function signsIn(credential) {
  assert.equal((await read(credential)).value, "value");
}

test("a client secret", () => signsIn(secret("right")));
test("a wrong client secret", () => assert.rejects(read(secret("wrong")), /AADSTS7000215/));
test("an expired client secret", () => assert.rejects(read(secret("old")), /AADSTS7000222/));
test("a client certificate", () => signsIn(certificate("good")));
test("a client certificate by its chain", () => signsIn(certificate("rooted", { sendCertificateChain: true })));
test("a certificate of another, and an expired one", async () => {
  await assert.rejects(read(certificate("other")), /AADSTS700027/);
  await assert.rejects(read(certificate("expired")), /AADSTS700027/);
});
test("a managed identity by IMDS", async () => {
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = IMDS;
  await signsIn(new ManagedIdentityCredential(AZURE_CLIENT_ID, OPTIONS));
  await signsIn(new ManagedIdentityCredential({ objectId: OBJECT_ID, ...OPTIONS }));
  await assert.rejects(read(new ManagedIdentityCredential("33333333-3333-3333-3333-333333333333", OPTIONS)));
});
