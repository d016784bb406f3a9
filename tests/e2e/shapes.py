"""Shapes that a SecretProviderClass has in the files of its users, one a row: how its YAML and the YAML inside it are
written, what else stands in the file, and what the entries have.  Each is small and our own writing.

A row is the text of the file and what comes of it: a map from each file to its object and its mode, as "secret/a 0400"
(0440 is left out), or the part of an error.  WARNS says what is told of a row besides.  What the CSI provider makes of
a row is the same, except where DIFFERS says what it does.
"""

import json

IDENTITY = "33333333-3333-3333-3333-333333333333"
TENANT = "22222222-2222-2222-2222-222222222222"
HEAD = """\
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: NAME
spec:
  provider: azure
"""
PARAMETERS = f"""\
    keyvaultName: shop-kv
    clientID: {IDENTITY}
    tenantID: {TENANT}
"""
A, B = {"a": "secret/a"}, {"b": "secret/b"}
AB = A | B
ENTRY_A = "objectName: a\nobjectType: secret\n"
ENTRY_B = "objectName: b\nobjectType: secret\n"


def indent(text, by):
    return "".join(" " * by + line if line.strip() else line for line in text.splitlines(keepends=True))


def array(*entries):
    """Entries as the provider's documentation writes them."""
    return "array:\n" + "".join("  - |\n" + indent(entry, 4) for entry in entries)


def manifest(objects=None, name="shop", more="", after=""):
    """A file with these objects; more: lines of the parameters, after: lines behind all of it."""
    text = indent(array(ENTRY_A) if objects is None else objects, 6)
    return HEAD.replace("NAME", name) + "  parameters:\n" + PARAMETERS + more + "    objects: |\n" + text + after


def of_fake(text, fake):
    """A file as a pod has it whose vault is a fake one."""
    return text.replace(TENANT, fake.tenant_id).replace(IDENTITY, fake.client_id)


def one(entry):
    """A file with one entry, of secret a."""
    return manifest(array("objectName: a\n" + entry))


def secret(entry):
    return one("objectType: secret\n" + entry)


def quoted(objects, more=""):
    """The objects as one quoted string."""
    return HEAD.replace("NAME", "shop") + "  parameters:\n" + PARAMETERS + more + "    objects: " + json.dumps(objects) + "\n"


def kubernetes(kind, name="shop", more=""):
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n{more}"


DOCUMENTS = {
    "plain": (manifest(), A),
    "final marker": (manifest(after="---\n"), A),
    "final markers": (manifest(after="---\n\n---\n# the end\n"), A),
    "final dots": (manifest(after="...\n"), A),
    "first marker": ("---\n" + manifest(), A),
    "first marker with a comment": ("--- # shop\n" + manifest(), A),
    "empty documents before": ("---\n---\n# nothing\n---\n" + manifest(), A),
    "helm template's comment": ("---\n# Source: shop/templates/spc.yaml\n" + manifest(), A),
    "licence first": ("# Copyright\n#\n\n" + manifest(), A),
    "service account before": (kubernetes("ServiceAccount") + "---\n" + manifest(), A),
    "deployment behind": (manifest(after="---\n" + kubernetes("Deployment", more="spec: {replicas: 1}\n")), A),
    "between others": (kubernetes("Namespace") + "---\n" + manifest(after="---\n" + kubernetes("Service")), A),
    "same name twice in others": (kubernetes("A") + "---\n" + kubernetes("A") + "---\n" + manifest(), A),
    "others with anchors": ("a: &a {b: c}\nkind: X\nd: *a\n---\n" + manifest(), A),
    "others that are deep": ("kind: CustomResourceDefinition\nspec: " + "{a: " * 60 + "b" + "}" * 60 + "\n---\n" + manifest(), A),
    "crlf": (manifest().replace("\n", "\r\n"), A),
    "crlf and a final marker": (manifest(after="---\n").replace("\n", "\r\n"), A),
    "byte order mark": ("\ufeff" + manifest(), A),
    "no final newline": (manifest().rstrip("\n"), A),
    "trailing blank lines": (manifest(after="\n\n   \n"), A),
    "trailing spaces": (manifest().replace("azure\n", "azure   \n").replace("secret\n", "secret   \n"), A),
    "json file": (json.dumps({
        "apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass", "metadata": {"name": "shop"},
        "spec": {"provider": "azure", "parameters": {
            "keyvaultName": "shop-kv", "tenantID": TENANT, "clientID": IDENTITY, "objects": array(ENTRY_A, ENTRY_B)}},
    }), AB),
    "json file with indents": (json.dumps({
        "kind": "SecretProviderClass",
        "spec": {"provider": "azure", "parameters": {
            "keyvaultName": "shop-kv", "tenantID": TENANT, "clientID": IDENTITY, "objects": array(ENTRY_A)}},
    }, indent="\t"), A),
    "yamlencode of terraform": (manifest().replace("kind: Sec", '"kind": Sec').replace("spec:", '"spec":').replace(
        "parameters:", '"parameters":').replace("objects:", '"objects":').replace("provider: azure", '"provider": "azure"'), A),
    "kubectl get": (manifest(after="  secretObjects: []\nstatus: {}\n").replace("metadata:\n", "metadata:\n  uid: 1-2\n  annotations:\n    a: |\n      {}\n"), A),
    "order of the keys": ("spec:\n  parameters:\n" + PARAMETERS + "    objects: |\n" + indent(array(ENTRY_A), 6) +
                          "  provider: azure\nmetadata: {}\nkind: SecretProviderClass\n", A),
    "old version of the api": (manifest().replace("/v1\n", "/v1alpha1\n"), A),
    "labels and annotations": (manifest().replace("  name: shop\n", "  name: shop\n  labels: {app: shop}\n  annotations: {}\n"), A),
    "flow map of parameters": (HEAD + "  parameters: {keyvaultName: shop-kv, tenantID: " + TENANT + ", clientID: " + IDENTITY +
                               ", objects: \"array: ['{objectName: a, objectType: secret}']\"}\n", A),
    "anchor in a parameter": (manifest().replace("keyvaultName: shop-kv", "keyvaultName: &v shop-kv\n    other: *v"), A),
    "anchor of the objects": (manifest().replace("    objects: |", "    objects: &objects |").replace(
        "metadata:\n", "x: y\nmetadata:\n"), A),
    "alias of the objects": ("x-objects: &o |\n" + indent(array(ENTRY_A), 2) + HEAD + "  parameters:\n" + PARAMETERS + "    objects: *o\n", A),
    "merged parameters": ("x-common: &c\n" + indent(PARAMETERS, 0).replace("    ", "  ") + HEAD +
                          "  parameters:\n    <<: *c\n    objects: |\n" + indent(array(ENTRY_A), 6), A),
    "merged and overridden": ("x-common: &c {keyvaultName: other-kv, tenantID: " + TENANT + "}\n" + HEAD +
                              "  parameters:\n    <<: *c\n    keyvaultName: shop-kv\n    clientID: " + IDENTITY +
                              "\n    objects: |\n" + indent(array(ENTRY_A), 6), A),
    "tagged strings": (manifest().replace("keyvaultName: shop-kv", "keyvaultName: !!str shop-kv").replace("objects: |", "objects: !!str |"), A),
    "settings behind": (manifest(after="---\npollInterval: 1m\n"), A),
    "tagged merge key": ("x-common: &c {tenantID: " + TENANT + ", clientID: " + IDENTITY + "}\n" + HEAD +
                         "  parameters:\n    !!merge <<: *c\n    keyvaultName: shop-kv\n    objects: |\n" + indent(array(ENTRY_A), 6), A),
    "two classes": (manifest(name="one", after="---\n") + manifest(name="two"), "2 documents of kind SecretProviderClass, 'one', 'two'; choose one"),
    "no class": (kubernetes("Deployment") + "---\n" + kubernetes("Service"), "no SecretProviderClass; what it has is of kind 'Deployment', 'Service'"),
    "list": ("apiVersion: v1\nkind: List\nitems:\n- " + indent(manifest(), 2).lstrip(), "of kind 'List'; give its items as documents of their own"),
    "list of the classes": ("kind: SecretProviderClassList\nitems:\n- " + indent(manifest(), 2).lstrip(), "of kind 'SecretProviderClassList'; give its items as documents of their own"),
    "settings beside others": ("vault: shop-kv\nobjects: a\n---\n" + kubernetes("Service"), "it has no SecretProviderClass; what it has is of kind 'Service'"),
    "config map": (kubernetes("ConfigMap", more="data:\n  spc.yaml: |\n" + indent(manifest(), 4)), "of kind 'ConfigMap'; give the text under one of its keys"),
    "kustomization": ("kind: Kustomization\nresources: [spc.yaml]\n", "of kind 'Kustomization'; give what 'kubectl kustomize' prints"),
    "template of a chart": (manifest().replace("keyvaultName: shop-kv", "keyvaultName: {{ .Values.vault }}"), "'helm template' prints"),
    "template with a range": (manifest() + "    {{- range .Values.secrets }}\n", "'helm template' prints"),
    "another provider": (manifest().replace("provider: azure", "provider: aws"), "for provider 'aws'"),
}

PARAMETER_ROWS = {
    "spaces around values": (manifest().replace("shop-kv", "' shop-kv '").replace(TENANT, f"' {TENANT}\n\n      '"), A),
    "no-break space behind a value": (manifest().replace("shop-kv", "shop-kv\u00a0"), A),
    "quoted values": (manifest().replace("shop-kv", "'shop-kv'").replace(IDENTITY, f'"{IDENTITY}"'), A),
    "empty values": (manifest(more='    userAssignedIdentityID: ""\n    cloudName: ""\n    usePodIdentity: "false"\n'), A),
    "flags as the provider takes them": (manifest(more='    useVMManagedIdentity: "F"\n    usePodIdentity: "0"\n'), A),
    "cloud": (manifest(more="    cloudName: AzurePublicCloud\n"), A),
    "old spelling of the tenant": (manifest().replace("tenantID", "tenantId"), A),
    "both spellings of the tenant": (manifest(more="    tenantId: x\n"), A),
    "comment behind a value": (manifest().replace("shop-kv", "shop-kv # the shop's"), A),
    "resource group": (manifest(more="    resourceGroup: rg\n    subscriptionId: s\n"), A),
    "secret objects": (manifest(after="  secretObjects:\n  - secretName: s\n    type: Opaque\n    data: [{objectName: a, key: k}]\n"), A),
}

OBJECTS = {
    "folded objects": (manifest().replace("objects: |", "objects: >"), A),
    "kept newlines": (manifest().replace("objects: |", "objects: |+"), A),
    "stripped newline": (manifest().replace("objects: |", "objects: |-"), A),
    "indentation indicator": (manifest().replace("objects: |", "objects: |2").replace("      array:", "      array:"), A),
    "quoted objects": (quoted(array(ENTRY_A, ENTRY_B)), AB),
    "single-quoted objects": (HEAD + "  parameters:\n" + PARAMETERS + "    objects: 'array: [\"{objectName: a, objectType: secret}\"]'\n", A),
    "spaces before array": (quoted("  \n  array:\n  - 'objectName: a\n\n    objectType: secret'\n"), A),
    "final spaces": (quoted(array(ENTRY_A) + "   \n\n"), A),
    "quoted array": (manifest(array(ENTRY_A).replace("array", '"array"')), A),
    "single-quoted array": (manifest(array(ENTRY_A).replace("array", "'array'")), A),
    "space before the colon": (manifest(array(ENTRY_A).replace("array:", "array :")), A),
    "spaces behind array": (manifest(array(ENTRY_A).replace("array:", "array:   ")), A),
    "comment behind array": (manifest(array(ENTRY_A).replace("array:", "array: # all")), A),
    "comment before array": (manifest("# all of them\n\n" + array(ENTRY_A)), A),
    "marker before array": (manifest("---\n" + array(ENTRY_A)), A),
    "marker behind the list": (quoted(array(ENTRY_A) + "---\n"), A),
    "dots behind the list": (quoted(array(ENTRY_A) + "...\n"), A),
    "second document": (quoted(array(ENTRY_A) + "---\n" + array(ENTRY_B)), A),
    "complex key": (manifest("? array\n: - |\n    objectName: a\n    objectType: secret\n"), A),
    "list without indent": (manifest("array:\n- |\n  objectName: a\n  objectType: secret\n"), A),
    "deep indent": (manifest(indent(array(ENTRY_A), 8)), A),
    "tab behind a colon": (manifest(array("objectName:\ta\nobjectType:\tsecret\t\n")), A),
    "tab in the indent": (manifest(array("\tobjectName: a\n")), "YAML line"),
    "another key before": (manifest("version: 1\n" + array(ENTRY_A)), A),
    "another key behind": (manifest(array(ENTRY_A) + "owner: shop\n"), A),
    "other keys with anything": (manifest("x: [1, {y: z}]\n" + array(ENTRY_A) + "z: |\n  a\n"), A),
    "json": (quoted(json.dumps({"array": [ENTRY_A, ENTRY_B]})), AB),
    "json of json": (quoted(json.dumps({"array": [json.dumps({"objectName": n, "objectType": "secret"}) for n in "ab"]})), AB),
    "json with newlines": (manifest(json.dumps({"array": [ENTRY_A]}, indent=2) + "\n"), A),
    "json with a slash": (quoted(r'{"array": ["{\"objectName\": \"a\", \"objectType\": \"secret\", \"objectAlias\": \"x\/y\"}"]}'), {"x/y": "secret/a"}),
    "flow list": (manifest("array: ['{objectName: a, objectType: secret}', \"objectName: b\\nobjectType: secret\"]\n"), AB),
    "yamlencode": (manifest('"array":\n- |\n  "objectName": "a"\n  "objectType": "secret"\n- |\n  "objectName": "b"\n  "objectType": "secret"\n'), AB),
    "folded entry": (manifest("array:\n  - >\n    objectName: a\n\n    objectType: secret\n"), A),
    "folded entry in one line": (manifest("array:\n  - >-\n    {objectName: a,\n    objectType: secret}\n"), A),
    "quoted entries": (manifest('array:\n  - "objectName: a\\nobjectType: secret"\n'), A),
    "stripped entries": (manifest(array(ENTRY_A, ENTRY_B).replace("- |", "- |-")), AB),
    "kept entries": (manifest(array(ENTRY_A, ENTRY_B).replace("- |", "- |+")), AB),
    "blank lines between entries": (manifest("array:\n\n  - |\n    objectName: a\n    objectType: secret\n\n\n  - |\n\n    objectName: b\n    objectType: secret\n"), AB),
    "comments between entries": (manifest("array:\n  # one\n  - |\n    objectName: a\n    objectType: secret\n  # two\n  - | # b\n    objectName: b\n    objectType: secret\n"), AB),
    "entry with a marker": (manifest(array("---\n" + ENTRY_A)), A),
    "entry with two documents": (quoted(array("---\n" + ENTRY_A + "---\n" + ENTRY_B)), A),
    "entry that is out": (manifest("array:\n  - |\n    objectName: a\n    objectType: secret\n  -\n"), A),
    "null entries": (manifest("array:\n  - ~\n  - 'objectName: a\n\n    objectType: secret'\n  - null\n"), A),
    "tagged null entry": (manifest("array:\n  - !!null ''\n  - !!null\n  - 'objectName: a\n\n    objectType: secret'\n"), A),
    "empty entry": (manifest("array:\n  - ''\n"), "object 1: YAML line 1: it is empty"),
    "empty array": (manifest("array: []\n"), "the list is empty"),
    "null array": (manifest("array:\n"), "the list is empty"),
    "misspelt array": (manifest(array(ENTRY_A).replace("array", "arrray")), "must be the text 'array:'"),
    "array twice": (manifest(array(ENTRY_A) + array(ENTRY_B)), "key 'array' stands twice"),
    "same entry twice": (manifest(array(ENTRY_A, ENTRY_B, ENTRY_A)), AB),
    "same entry in other words": (manifest(array(ENTRY_A, '{objectType: "secret", objectVersion: "", objectName: "a"}\n')), A),
    "same entry with an alias": (manifest(array(ENTRY_A, ENTRY_A + "objectAlias: a\n")), A),
    "one object, two files": (manifest(array(ENTRY_A, ENTRY_A + "objectAlias: x\n")), A | {"x": "secret/a"}),
    "anchored entry": (manifest("array:\n  - &e |\n    objectName: a\n    objectType: secret\n"), A),
    "aliased entry": (manifest("x: &e |\n  objectName: a\n  objectType: secret\narray:\n  - *e\n  - *e\n"), A),
    "aliased array": (manifest("x: &l\n  - |\n    objectName: a\n    objectType: secret\narray: *l\n"), A),
    "tagged array": (manifest("array: !!seq\n  - !!str |\n    objectName: a\n    objectType: secret\n"), A),
    "tagged map": (manifest("!!map\n" + array(ENTRY_A)), A),
    "merged array": (manifest("x: &x\n  array:\n    - |\n      objectName: a\n      objectType: secret\n<<: *x\n"), A),
    "natural list": (manifest("- objectName: a\n  objectType: secret\n"), "must be the text 'array:'"),
    "maps in the array": (manifest("array:\n  - objectName: a\n    objectType: secret\n"), A),
    "many": (manifest(array(*(f"objectName: {n}\nobjectType: secret\n" for n in "abcdefgh"))), {n: f"secret/{n}" for n in "abcdefgh"}),
}

ENTRIES = {
    "alias": (secret("objectAlias: DB_PASSWORD\n"), {"DB_PASSWORD": "secret/a"}),
    "alias in a folder": (secret("objectAlias: tls/db/password\n"), {"tls/db/password": "secret/a"}),
    "alias with spaces": (secret("objectAlias: 'my file'\n"), {"my file": "secret/a"}),
    "alias with a dot": (secret("objectAlias: .env\n"), {".env": "secret/a"}),
    "numeric alias": (secret("objectAlias: 123\n"), {"123": "secret/a"}),
    "octal alias": (secret("objectAlias: 0123\n"), {"0123": "secret/a"}),
    "boolean alias": (secret("objectAlias: yes\n"), {"yes": "secret/a"}),
    "true alias": (secret("objectAlias: true\n"), {"true": "secret/a"}),
    "float alias": (secret("objectAlias: 1.0\n"), {"1.0": "secret/a"}),
    "exponent alias": (secret("objectAlias: 1e5\n"), {"1e5": "secret/a"}),
    "date alias": (secret("objectAlias: 2024-01-01\n"), {"2024-01-01": "secret/a"}),
    "numeric name": (manifest(array("objectName: 123\nobjectType: secret\n")), {"123": "secret/123"}),
    "hexadecimal name": (manifest(array("objectName: 0x1F\nobjectType: secret\n")), {"0x1F": "secret/0x1F"}),
    "boolean name": (manifest(array("objectName: on\nobjectType: secret\n")), {"on": "secret/on"}),
    "quoted values of an entry": (secret("objectAlias: \"x\"\nobjectVersion: ''\n"), {"x": "secret/a"}),
    "quoted keys": (manifest(array('"objectName": a\n\'objectType\': secret\n')), A),
    "json entry": (manifest(array('{"objectName": "a", "objectType": "secret", "objectAlias": "x"}\n')), {"x": "secret/a"}),
    "flow entry": (manifest(array("{objectName: a, objectType: secret}\n")), A),
    "space before the colons": (manifest(array("objectName : a\nobjectType : secret\n")), A),
    "spaces around values of an entry": (manifest(array("objectName: ' a '\nobjectType:   secret   \n")), A),
    "comments in an entry": (manifest(array("# the first\nobjectName: a # its name\n\n  # type\nobjectType: secret# ary\n".replace("# ary", " # ary"))), A),
    "comment glued to a value": (secret("objectAlias: x#y\n"), {"x#y": "secret/a"}),
    "folded value": (secret("objectAlias: >-\n  x\n"), {"x": "secret/a"}),
    "block value": (secret("objectAlias: |\n  x\n"), {"x": "secret/a"}),
    "value on the next line": (manifest(array("objectName:\n  a\nobjectType:\n  secret\n")), A),
    "empty alias": (secret("objectAlias:\n"), A),
    "null alias": (secret("objectAlias: null\n"), A),
    "Null alias": (secret("objectAlias: Null\n"), A),
    "NULL alias": (secret("objectAlias: NULL\n"), A),
    "tilde alias": (secret("objectAlias: ~\n"), A),
    "quoted null": (secret("objectAlias: 'NULL'\n"), {"NULL": "secret/a"}),
    "tagged null": (secret("objectAlias: !!str null\n"), {"null": "secret/a"}),
    "none alias": (secret("objectAlias: None\n"), {"None": "secret/a"}),
    "binary alias": (secret("objectAlias: !!binary eA==\n"), {"x": "secret/a"}),
    "tag of one's own": (secret("objectAlias: !name x\n"), {"x": "secret/a"}),
    "anchor in an entry": (manifest(array("objectName: &n a\nobjectType: secret\nobjectAlias: *n\n")), A),
    "merge in an entry": (manifest(array("x: &x {objectType: secret, objectAlias: y}\n<<: *x\nobjectName: a\nobjectAlias: z\n")), {"z": "secret/a"}),
    "merge list in an entry": (manifest(array("<<: [{objectType: secret}, {objectType: key, objectAlias: y}]\nobjectName: a\n")), {"y": "secret/a"}),
    "version left out": (secret("objectVersion:\n"), A),
    "version empty": (secret('objectVersion: ""\n'), A),
    "version of digits": (secret("objectVersion: 01234567890123456789012345678901\n"), {"a": "secret/a@01234567890123456789012345678901"}),
    "version quoted": (secret('objectVersion: "0123456789abcdef0123456789abcdef"\n'), {"a": "secret/a@0123456789abcdef0123456789abcdef"}),
    "version with an exponent": (secret("objectVersion: 1234567890123456789012345678e123\n"), {"a": "secret/a@1234567890123456789012345678e123"}),
    "version with a comment": (secret("objectVersion: 0123456789abcdef0123456789abcdef # May\n"), {"a": "secret/a@0123456789abcdef0123456789abcdef"}),
    "version latest": (secret("objectVersion: latest\n"), A),
    "history of 1": (secret("objectVersionHistory: 1\n"), A),
    "history of 0": (secret("objectVersionHistory: 0\n"), A),
    "history left out": (secret("objectVersionHistory:\n"), A),
    "history negative": (secret("objectVersionHistory: -1\n"), A),
    "history of 2": (secret("objectVersionHistory: 2\n"), {"a/0": "secret/a", "a/1": "secret/a~1"}),
    "history quoted": (secret('objectVersionHistory: "2"\n'), {"a/0": "secret/a", "a/1": "secret/a~1"}),
    "history that is no number": (secret("objectVersionHistory: two\n"), "objectVersionHistory 'two' is not a number"),
    "history hexadecimal": (secret("objectVersionHistory: 0x2\n"), "objectVersionHistory '0x2' is not a number"),
    "history octal": (secret("objectVersionHistory: 010\n"), "objectVersionHistory '010' is not a number"),
    "history with a point": (secret("objectVersionHistory: 2.0\n"), "objectVersionHistory '2.0' is not a number"),
    "permission": (secret("filePermission: 0400\n"), {"a": "secret/a 0400"}),
    "permission quoted": (secret('filePermission: "0644"\n'), {"a": "secret/a 0644"}),
    "permission of three digits": (secret("filePermission: 600\n"), {"a": "secret/a 0600"}),
    "permission empty": (secret('filePermission: ""\n'), A),
    "permission with 0o": (secret("filePermission: 0o644\n"), "is not a file mode"),
    "format": (secret("objectFormat: pem\n"), A),
    "format in capitals": (secret("objectFormat: PEM\n"), A),
    "format empty": (secret("objectFormat:\n"), A),
    "encoding": (secret("objectEncoding: utf-8\n"), A),
    "encoding base64": (manifest(array("objectName: bytes\nobjectType: secret\nobjectEncoding: base64\n")), {"bytes": "base64/bytes"}),
    "encoding in capitals": (manifest(array("objectName: bytes\nobjectType: secret\nobjectEncoding: BASE64\n")), {"bytes": "base64/bytes"}),
    "encoding hex": (manifest(array("objectName: digits\nobjectType: secret\nobjectEncoding: Hex\n")), {"digits": "hex/digits"}),
    "encoding unknown": (secret("objectEncoding: base32\n"), "is not one of utf-8, base64, hex"),
    "key": (manifest(array("objectName: web\nobjectType: key\n")), {"web": "key/web"}),
    "certificate": (manifest(array("objectName: web\nobjectType: cert\n")), {"web": "cert/web"}),
    "certificate three ways": (manifest(array(*(f"objectName: web\nobjectType: {t}\nobjectAlias: web.{t}\n" for t in ("cert", "key", "secret")))),
                               {"web.cert": "cert/web", "web.key": "key/web", "web.secret": "secret/web"}),
    "type in capitals": (one("objectType: Secret\n"), A),
    "type left out": (one(""), A),
    "type of another word": (one("objectType: certificate\n"), "is not one of secret, key, cert"),
    "name left out": (manifest(array("objectType: secret\n")), "objectName is missing"),
    "description": (secret("description: what the shop\n  needs\n"), A),
    "note that is a list": (secret("notes: [1, {a: b}]\n"), A),
    "attribute of ours": (secret("optional: true\n"), A),
    "attribute of ours as a note": (secret("metadata: {team: shop}\n"), "metadata must be plain text"),
    "objectNote": (secret("objectNote: x\n"), A),
    "attribute of another provider": (secret("secretPath: x\nfailoverObject: y\n"), A),
    "attribute of another provider that we have": (
        secret("extract: none\njmesPath: []\nversion: latest\n"), A),
    "attribute without a value": (secret("owner:\n"), A),
    "attribute that is a number": (secret("1: x\n"), A),
    "misspelt, and there": (one("objectType: secret\nobjecttype: key\n"), A),
    "misspelt": (one("objecttype: secret\n"), "unknown attribute 'objecttype'; did you mean 'objectType'?"),
    "misspelt alias": (secret("objectAlais: x\n"), "did you mean 'objectAlias'?"),
    "no-break space behind a value of an entry": (secret("objectAlias: x\u00a0\n"), {"x": "secret/a"}),
    "no-break space behind a key": (secret("objectAlias\u00a0: x\n"), A),
    "no-break space before a key": (secret("\u00a0objectAlias: x\n"), A),
    "no-break space in a comment": (secret("#\u00a0alias\n"), A),
    "wide space": (secret("objectAlias: \u3000x\u2003\n"), {"x": "secret/a"}),
    "other letters": (secret("objectAlias: Schlüssel/ключ\n"), {"Schlüssel/ключ": "secret/a"}),
    "key twice": (secret("objectName: b\n"), "key 'objectName' stands twice"),
    "name that is a list": (manifest(array("objectName: [a]\nobjectType: secret\n")), "objectName must be plain text"),
    "entry that is a list": (manifest(array("- objectName: a\n")), "it is not a map of attributes"),
    "entry that is text": (manifest("array:\n  - a\n"), "it is not a map of attributes"),
    "absolute path": (secret("objectAlias: /x\n"), "must be relative"),
    "path upwards": (secret("objectAlias: ../x\n"), "may not leave"),
    "path with two dots": (secret("objectAlias: a..b\n"), {"a..b": "secret/a"}),
    "path that is not normal": (secret("objectAlias: x//y\n"), "has an empty part"),
    "two with one path": (manifest(array(ENTRY_A, ENTRY_B + "objectAlias: a\n")), "both go to the path 'a'"),
    "file in another's folder": (manifest(array(ENTRY_A, ENTRY_B + "objectAlias: a/b\n")), "is in the way of"),
}

SHAPES = DOCUMENTS | PARAMETER_ROWS | OBJECTS | ENTRIES
assert len(SHAPES) == sum(map(len, (DOCUMENTS, PARAMETER_ROWS, OBJECTS, ENTRIES)))

# What is told of a row that is taken: the parts without meaning, and the entries that are listed again.
ODD = "objectAlias (with a no-break space or the like in its name) of object 1 ('a')"
WARNS = {
    "settings behind": ("the document at line 17", None),
    "anchor in a parameter": ("other", None),
    "resource group": ("resourceGroup, subscriptionId", None),
    "second document": ("what follows the first document", None),
    "another key before": ("version beside array", None),
    "another key behind": ("owner beside array", None),
    "other keys with anything": ("x beside array, z beside array", None),
    "entry with two documents": ("what follows the first document of object 1 ('a')", None),
    "entry that is out": ("object 2, which is empty", None),
    "tagged null entry": ("object 1, which is empty, object 2, which is empty", None),
    "null entries": ("object 1, which is empty, object 3, which is empty", None),
    "same entry twice": (None, "object 3 ('a')"),
    "same entry in other words": (None, "object 2 ('a')"),
    "same entry with an alias": (None, "object 2 ('a')"),
    "aliased entry": ("x beside array", "object 2 ('a')"),
    "aliased array": ("x beside array", None),
    "merged array": ("x beside array", None),
    "merge in an entry": ("x of object 1 ('a')", None),
    "description": ("description of object 1 ('a')", None),
    "note that is a list": ("notes of object 1 ('a')", None),
    "objectNote": ("objectNote of object 1 ('a')", None),
    "attribute of another provider": ("secretPath, failoverObject of object 1 ('a')", None),
    "attribute without a value": ("owner of object 1 ('a')", None),
    "attribute that is a number": ("1 of object 1 ('a')", None),
    "misspelt, and there": ("objecttype of object 1 ('a')", None),
    "no-break space behind a key": (ODD, None),
    "no-break space before a key": (ODD, None),
}

# What the CSI provider makes of a row, in the words of the page on migration, where that is not the same.
DIFFERS = {
    "merged and overridden": "with a parameter beside a merged (`<<`) one of the same name",
    "json with a slash": "and `\\/` in JSON",
    "maps in the array": "an `array` of maps instead of strings",
    "history quoted": "fails: the number is quoted",
    "history hexadecimal": "also takes `0x2`, `2.0` and `010`, which is 8 to it",
    "history octal": "also takes `0x2`, `2.0` and `010`, which is 8 to it",
    "history with a point": "also takes `0x2`, `2.0` and `010`, which is 8 to it",
    "permission with 0o": "mode 0000",
    "type in capitals": "fails, after other objects were fetched",
    "type left out": "fails",
    "misspelt": "ignores the misspelt key",
    "misspelt alias": "ignores the misspelt key",
    "version latest": "asks for a version named `latest`",
    "path with two dots": "refused",
    "two with one path": "Two entries with one path: the provider keeps the last",
    "file in another's folder": "Two entries with one path",
}
