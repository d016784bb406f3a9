// Reads secrets with Microsoft's SDK, as an application does at its start: in sequence or in parallel.
import { WorkloadIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const [mode, ...names] = process.argv.slice(2);
// Instance discovery asks a public host; all else is as an application has it.
const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
const client = new SecretClient(process.env.VAULT_URL, credential);
if (mode === "parallel") await Promise.all(names.map((name) => client.getSecret(name)));
else for (const name of names) await client.getSecret(name);
