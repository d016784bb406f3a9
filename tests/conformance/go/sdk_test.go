// Package conformance: Microsoft's Go SDK does to the fake what it does to Key Vault, unmodified.
// test_real_names.py gives the environment, and the way to the fake through a proxy, which takes Azure's own
// names there.
package conformance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

const vault = "https://shop-kv.vault.azure.net"

var ctx = context.Background()

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func check(t *testing.T, good bool, what ...any) {
	t.Helper()
	if !good {
		t.Fatal(what...)
	}
}

// refused checks the status, and the code and the words of an error of the vault.
func refused(t *testing.T, err error, status int, code, words string) {
	t.Helper()
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		t.Fatalf("not an answer: %v", err)
	}
	if answer.StatusCode != status || answer.ErrorCode != code || !strings.Contains(err.Error(), words) {
		t.Fatalf("%d %s: %v", answer.StatusCode, answer.ErrorCode, err)
	}
}

// soon waits: a deletion or a recovery is seen a while after it was answered.
func soon(t *testing.T, seen func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = seen(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func all[T, I any](t *testing.T, pager *runtime.Pager[T], items func(T) []I) []I {
	t.Helper()
	var found []I
	for pager.More() {
		found = append(found, items(must[T](t)(pager.NextPage(ctx)))...)
	}
	return found
}

func workload(t *testing.T) azcore.TokenCredential {
	return must[*azidentity.WorkloadIdentityCredential](t)(azidentity.NewWorkloadIdentityCredential(nil))
}

func certificateOf(t *testing.T, file string, chain bool) azcore.TokenCredential {
	data := must[[]byte](t)(os.ReadFile(filepath.Join(os.Getenv("FOLDER"), file)))
	certs, key, err := azidentity.ParseCertificates(data, nil)
	check(t, err == nil, err)
	options := &azidentity.ClientCertificateCredentialOptions{SendCertificateChain: chain}
	return must[*azidentity.ClientCertificateCredential](t)(azidentity.NewClientCertificateCredential(
		os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), certs, key, options))
}

func secretOf(t *testing.T, tenant, text string) azcore.TokenCredential {
	return must[*azidentity.ClientSecretCredential](t)(
		azidentity.NewClientSecretCredential(tenant, os.Getenv("AZURE_CLIENT_ID"), text, nil))
}

func TestSignsIn(t *testing.T) {
	tenant := os.Getenv("AZURE_TENANT_ID")
	for name, credential := range map[string]azcore.TokenCredential{
		"workload": workload(t), "secret": secretOf(t, tenant, "right"),
		"certificate": certificateOf(t, "good.pem", false), "chain": certificateOf(t, "rooted.pem", true),
	} {
		client := must[*azsecrets.Client](t)(azsecrets.NewClient(vault, credential, nil))
		got, err := client.GetSecret(ctx, "planted", "", nil)
		check(t, err == nil, name, err)
		check(t, *got.Value == "value", name)
	}
	ask := policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}}
	for code, credential := range map[string]azcore.TokenCredential{
		"AADSTS7000215": secretOf(t, tenant, "wrong"), "AADSTS700027": certificateOf(t, "other.pem", false),
	} {
		_, err := credential.GetToken(ctx, ask)
		check(t, err != nil && strings.Contains(err.Error(), code), code, err)
	}
	ask.Scopes = []string{"https://vault.azure.net:443/.default"}
	_, err := secretOf(t, tenant, "right").GetToken(ctx, ask)
	check(t, err != nil && strings.Contains(err.Error(), "AADSTS500011"), err)
}

func TestSecrets(t *testing.T) {
	client := must[*azsecrets.Client](t)(azsecrets.NewClient(vault, workload(t), nil))
	set := func(name, value string) azsecrets.SetSecretResponse {
		return must[azsecrets.SetSecretResponse](t)(client.SetSecret(ctx, name, azsecrets.SetSecretParameters{
			Value: &value, ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"team": to.Ptr("shop")}}, nil))
	}
	made := set("go-db", "p+<>&'ü😀")
	got := must[azsecrets.GetSecretResponse](t)(client.GetSecret(ctx, "go-db", "", nil))
	check(t, *got.Value == "p+<>&'ü😀" && *got.ContentType == "text/plain" && *got.Tags["team"] == "shop", got)
	check(t, *got.Attributes.RecoveryLevel == "Recoverable+Purgeable" && *got.Attributes.RecoverableDays == 90)
	set("go-db", "second")
	_, err := client.UpdateSecretProperties(ctx, "go-db", "", azsecrets.UpdateSecretPropertiesParameters{
		SecretAttributes: &azsecrets.SecretAttributes{Enabled: to.Ptr(false)}}, nil)
	check(t, err == nil, err)
	_, err = client.GetSecret(ctx, "go-db", "", nil)
	refused(t, err, 403, "Forbidden", "SecretDisabled")
	check(t, *must[azsecrets.GetSecretResponse](t)(client.GetSecret(ctx, "go-db", made.ID.Version(), nil)).Value == *made.Value)
	versions := all(t, client.NewListSecretPropertiesVersionsPager("go-db", nil),
		func(page azsecrets.ListSecretPropertiesVersionsResponse) []*azsecrets.SecretProperties {
			return page.Value
		})
	check(t, len(versions) == 2, len(versions))
	for i := 0; i < 27; i++ {
		set(fmt.Sprintf("go-many-%02d", i), "x")
	}
	listed := all(t, client.NewListSecretPropertiesPager(nil),
		func(page azsecrets.ListSecretPropertiesResponse) []*azsecrets.SecretProperties { return page.Value })
	many := 0
	for _, one := range listed {
		if strings.HasPrefix(one.ID.Name(), "go-many-") {
			many++
		}
	}
	check(t, many == 27, many)
	backup := must[azsecrets.BackupSecretResponse](t)(client.BackupSecret(ctx, "go-db", nil))
	gone := must[azsecrets.DeleteSecretResponse](t)(client.DeleteSecret(ctx, "go-db", nil))
	check(t, strings.HasSuffix(*gone.RecoveryID, "/deletedsecrets/go-db") && gone.ScheduledPurgeDate.After(*gone.DeletedDate))
	soon(t, func() error { _, err := client.GetDeletedSecret(ctx, "go-db", nil); return err })
	_, err = client.SetSecret(ctx, "go-db", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	refused(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
	must[azsecrets.RecoverDeletedSecretResponse](t)(client.RecoverDeletedSecret(ctx, "go-db", nil))
	soon(t, func() error { _, err := client.DeleteSecret(ctx, "go-db", nil); return err })
	soon(t, func() error { _, err := client.PurgeDeletedSecret(ctx, "go-db", nil); return err })
	_, err = client.GetSecret(ctx, "go-db", "", nil)
	refused(t, err, 404, "SecretNotFound", "A secret with (name/id) go-db was not found")
	must[azsecrets.RestoreSecretResponse](t)(client.RestoreSecret(ctx,
		azsecrets.RestoreSecretParameters{SecretBackup: backup.Value}, nil))
	check(t, *must[azsecrets.GetSecretResponse](t)(client.GetSecret(ctx, "go-db", made.ID.Version(), nil)).Value == *made.Value)
}

func TestKeys(t *testing.T) {
	client := must[*azkeys.Client](t)(azkeys.NewClient(vault, workload(t), nil))
	made := must[azkeys.CreateKeyResponse](t)(client.CreateKey(ctx, "go-ec", azkeys.CreateKeyParameters{
		Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP521),
		KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(false)}}, nil))
	check(t, len(made.Key.X) == 66 && !*made.Attributes.Enabled && !*made.Attributes.Exportable, made)
	check(t, *made.Attributes.HSMPlatform == "0", "a key of software")
	hard := must[azkeys.CreateKeyResponse](t)(client.CreateKey(ctx, "go-hsm", azkeys.CreateKeyParameters{
		Kty: to.Ptr(azkeys.KeyTypeECHSM)}, nil))
	check(t, *hard.Key.Kty == azkeys.KeyTypeECHSM && *hard.Attributes.HSMPlatform == "2", hard)

	private := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	jwk := &azkeys.JSONWebKey{Kty: to.Ptr(azkeys.KeyTypeRSA), N: private.N.Bytes(), E: big.NewInt(int64(private.E)).Bytes()}
	_, err := client.ImportKey(ctx, "go-in", azkeys.ImportKeyParameters{Key: jwk}, nil)
	refused(t, err, 400, "BadParameter", "")
	jwk.D, jwk.P, jwk.Q = private.D.Bytes(), private.Primes[0].Bytes(), private.Primes[1].Bytes()
	jwk.DP, jwk.DQ, jwk.QI = private.Precomputed.Dp.Bytes(), private.Precomputed.Dq.Bytes(), private.Precomputed.Qinv.Bytes()
	got := must[azkeys.ImportKeyResponse](t)(client.ImportKey(ctx, "go-in", azkeys.ImportKeyParameters{Key: jwk}, nil))
	check(t, string(got.Key.N) == string(private.N.Bytes()) && got.Key.D == nil, "the public key is kept")
	must[azkeys.UpdateKeyResponse](t)(client.UpdateKey(ctx, "go-in", "", azkeys.UpdateKeyParameters{
		KeyOps: []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationVerify)}}, nil))
	rotation := must[azkeys.UpdateKeyRotationPolicyResponse](t)(client.UpdateKeyRotationPolicy(ctx, "go-in", azkeys.KeyRotationPolicy{
		Attributes: &azkeys.KeyRotationPolicyAttributes{ExpiryTime: to.Ptr("P90D")},
		LifetimeActions: []*azkeys.LifetimeAction{{
			Action:  &azkeys.LifetimeActionType{Type: to.Ptr(azkeys.KeyRotationPolicyActionRotate)},
			Trigger: &azkeys.LifetimeActionTrigger{TimeAfterCreate: to.Ptr("P30D")}}}}, nil))
	check(t, len(rotation.LifetimeActions) == 2, "one is the notice that every policy has")
	turned := must[azkeys.RotateKeyResponse](t)(client.RotateKey(ctx, "go-in", nil))
	check(t, turned.Key.KID.Version() != got.Key.KID.Version() && turned.Attributes.Expires != nil, turned)
	check(t, len(turned.Key.KeyOps) == 1 && *turned.Key.KeyOps[0] == azkeys.KeyOperationVerify, "as the version before")
	backup := must[azkeys.BackupKeyResponse](t)(client.BackupKey(ctx, "go-in", nil))
	must[azkeys.DeleteKeyResponse](t)(client.DeleteKey(ctx, "go-in", nil))
	soon(t, func() error { _, err := client.GetDeletedKey(ctx, "go-in", nil); return err })
	deleted := all(t, client.NewListDeletedKeyPropertiesPager(nil),
		func(page azkeys.ListDeletedKeyPropertiesResponse) []*azkeys.DeletedKeyProperties { return page.Value })
	check(t, len(deleted) == 1 && deleted[0].KID.Name() == "go-in", deleted)
	must[azkeys.RecoverDeletedKeyResponse](t)(client.RecoverDeletedKey(ctx, "go-in", nil))
	soon(t, func() error { _, err := client.DeleteKey(ctx, "go-in", nil); return err })
	soon(t, func() error { _, err := client.PurgeDeletedKey(ctx, "go-in", nil); return err })
	back := must[azkeys.RestoreKeyResponse](t)(client.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: backup.Value}, nil))
	check(t, back.Key.KID.Version() == turned.Key.KID.Version(), "the last version is the current one")
	versions := all(t, client.NewListKeyPropertiesVersionsPager("go-in", nil),
		func(page azkeys.ListKeyPropertiesVersionsResponse) []*azkeys.KeyProperties { return page.Value })
	check(t, len(versions) == 2, len(versions))
}

// issue makes what another issuer makes of a request: a certificate, and its own behind it.
func issue(t *testing.T, der []byte) [][]byte {
	request := must[*x509.CertificateRequest](t)(x509.ParseCertificateRequest(der))
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := func(name pkix.Name) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: name,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	}
	issuer := template(pkix.Name{CommonName: "issuer"})
	return [][]byte{
		must[[]byte](t)(x509.CreateCertificate(rand.Reader, template(request.Subject), issuer, request.PublicKey, key)),
		must[[]byte](t)(x509.CreateCertificate(rand.Reader, issuer, issuer, &key.PublicKey, key)),
	}
}

func TestCertificates(t *testing.T) {
	client := must[*azcertificates.Client](t)(azcertificates.NewClient(vault, workload(t), nil))
	held := must[*azsecrets.Client](t)(azsecrets.NewClient(vault, workload(t), nil))
	policyOf := func(issuer, subject string) *azcertificates.CertificatePolicy {
		return &azcertificates.CertificatePolicy{
			IssuerParameters:          &azcertificates.IssuerParameters{Name: &issuer},
			X509CertificateProperties: &azcertificates.X509CertificateProperties{Subject: &subject}}
	}
	create := func(name string, parameters azcertificates.CreateCertificateParameters) azcertificates.CertificateOperation {
		return must[azcertificates.CreateCertificateResponse](t)(client.CreateCertificate(ctx, name, parameters, nil)).CertificateOperation
	}
	issued := func(name string) azcertificates.GetCertificateResponse {
		soon(t, func() error {
			operation, err := client.GetCertificateOperation(ctx, name, nil)
			if err == nil && *operation.Status != "completed" {
				err = errors.New(*operation.Status)
			}
			return err
		})
		return must[azcertificates.GetCertificateResponse](t)(client.GetCertificate(ctx, name, "", nil))
	}
	// Twenty of them: the base64 of some has a plus.
	for i := 0; i < 20; i++ {
		name := fmt.Sprintf("go-plain-%d", i)
		wanted := policyOf("Self", "CN=web.example.test")
		wanted.KeyProperties = &azcertificates.KeyProperties{KeyType: to.Ptr(azcertificates.KeyTypeEC)}
		operation := create(name, azcertificates.CreateCertificateParameters{CertificatePolicy: wanted})
		_, err := x509.ParseCertificateRequest(operation.CSR)
		check(t, err == nil, err)
	}
	for i := 0; i < 20; i++ {
		leaf, err := x509.ParseCertificate(issued(fmt.Sprintf("go-plain-%d", i)).CER)
		check(t, err == nil && leaf.Subject.CommonName == "web.example.test", err)
	}
	create("go-web", azcertificates.CreateCertificateParameters{CertificatePolicy: policyOf("Self", "CN=web"),
		CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: to.Ptr(false)}})
	web := issued("go-web")
	check(t, *web.Policy.KeyProperties.KeyType == "RSA" && *web.Policy.KeyProperties.KeySize == 2048, "defaults")
	check(t, *web.Policy.SecretProperties.ContentType == "application/x-pkcs12" && !*web.Attributes.Enabled, "defaults")
	_, err := held.GetSecret(ctx, "go-web", "", nil)
	refused(t, err, 403, "Forbidden", "SecretDisabled")
	must[azcertificates.UpdateCertificateResponse](t)(client.UpdateCertificate(ctx, "go-web", "", azcertificates.UpdateCertificateParameters{
		CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: to.Ptr(true)}}, nil))
	secret := must[azsecrets.GetSecretResponse](t)(held.GetSecret(ctx, "go-web", "", nil))
	check(t, *secret.Managed && *secret.ContentType == "application/x-pkcs12" && string(*secret.KID) == string(*web.KID), secret)
	_, err = held.DeleteSecret(ctx, "go-web", nil)
	refused(t, err, 403, "Forbidden", "SecretManagedByKeyVault")
	changed := azcertificates.CertificatePolicy{X509CertificateProperties: &azcertificates.X509CertificateProperties{ValidityInMonths: to.Ptr(int32(3))}}
	after := must[azcertificates.UpdateCertificatePolicyResponse](t)(client.UpdateCertificatePolicy(ctx, "go-web", changed, nil))
	check(t, *after.X509CertificateProperties.ValidityInMonths == 3 && *after.X509CertificateProperties.Subject == "CN=web", after)

	outside := policyOf("Unknown", "CN=outside")
	operation := create("go-outside", azcertificates.CreateCertificateParameters{CertificatePolicy: outside})
	check(t, *operation.Status == "inProgress" && strings.Contains(*operation.StatusDetails, "Merge"), operation)
	_, err = client.MergeCertificate(ctx, "go-outside", azcertificates.MergeCertificateParameters{X509Certificates: [][]byte{web.CER}}, nil)
	refused(t, err, 400, "BadParameter", "")
	chain := issue(t, operation.CSR)
	merged := must[azcertificates.MergeCertificateResponse](t)(client.MergeCertificate(ctx, "go-outside",
		azcertificates.MergeCertificateParameters{X509Certificates: chain}, nil))
	check(t, string(merged.CER) == string(chain[0]), "the leaf")

	read := func(file string) []byte {
		return must[[]byte](t)(os.ReadFile(filepath.Join(os.Getenv("FOLDER"), file)))
	}
	pem := policyOf("Unknown", "CN=app")
	pem.SecretProperties = &azcertificates.SecretProperties{ContentType: to.Ptr("application/x-pem-file")}
	encoded := base64.StdEncoding.EncodeToString(read("rooted.pem"))
	must[azcertificates.ImportCertificateResponse](t)(client.ImportCertificate(ctx, "go-pem",
		azcertificates.ImportCertificateParameters{Base64EncodedCertificate: &encoded, CertificatePolicy: pem}, nil))
	check(t, *must[azsecrets.GetSecretResponse](t)(held.GetSecret(ctx, "go-pem", "", nil)).Value == string(read("rooted.pem")))
	encoded = base64.StdEncoding.EncodeToString(read("good.pfx"))
	_, err = client.ImportCertificate(ctx, "go-pfx", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: &encoded}, nil)
	refused(t, err, 400, "BadParameter", "PKCS#12")
	pfx := must[azcertificates.ImportCertificateResponse](t)(client.ImportCertificate(ctx, "go-pfx",
		azcertificates.ImportCertificateParameters{Base64EncodedCertificate: &encoded, Password: to.Ptr("word")}, nil))

	backup := must[azcertificates.BackupCertificateResponse](t)(client.BackupCertificate(ctx, "go-pfx", nil))
	gone := must[azcertificates.DeleteCertificateResponse](t)(client.DeleteCertificate(ctx, "go-pfx", nil))
	check(t, strings.HasSuffix(*gone.RecoveryID, "/deletedcertificates/go-pfx") && string(gone.CER) == string(pfx.CER), gone)
	soon(t, func() error { _, err := client.GetDeletedCertificate(ctx, "go-pfx", nil); return err })
	_, err = held.GetSecret(ctx, "go-pfx", "", nil)
	refused(t, err, 404, "SecretNotFound", "go-pfx")
	must[azcertificates.RecoverDeletedCertificateResponse](t)(client.RecoverDeletedCertificate(ctx, "go-pfx", nil))
	soon(t, func() error { _, err := client.DeleteCertificate(ctx, "go-pfx", nil); return err })
	soon(t, func() error { _, err := client.PurgeDeletedCertificate(ctx, "go-pfx", nil); return err })
	must[azcertificates.RestoreCertificateResponse](t)(client.RestoreCertificate(ctx,
		azcertificates.RestoreCertificateParameters{CertificateBackup: backup.Value}, nil))
	listed := all(t, client.NewListCertificatePropertiesPager(nil),
		func(page azcertificates.ListCertificatePropertiesResponse) []*azcertificates.CertificateProperties {
			return page.Value
		})
	check(t, len(listed) == 24, len(listed))
}
