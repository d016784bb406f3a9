/* The list of what to sync: three spellings, every attribute, every refusal. */
#include "unit.h"

#include "config/objects.h"

#define VERSION "0123456789abcdefABCDEF0123456789"

static int parse(const char *text, struct objects *out, struct err *err)
{
	*err = (struct err){ 0 };
	return objects_parse(out, text, 0440, err);
}

/* The list as one line: name>path(mode,encoding,version). */
static void draw(const struct objects *all, struct buf *out)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct object *o = &all->items[i];

		buf_printf(out, "%s%s>%s", i ? " " : "",
			   object_selects(o) ? o->pattern ? o->pattern : "" : o->name,
			   o->path ? o->path : "");
		if (o->mode != 0440)
			buf_printf(out, ",%04o", (unsigned)o->mode);
		if (o->encoding != TEXT_UTF8)
			buf_text(out, o->encoding == TEXT_HEX ? ",hex" : ",base64");
		if (o->version)
			buf_printf(out, ",%.4s", o->version);
		if (o->choice)
			buf_printf(out, ",%s", object_choice_word(o->choice));
		if (o->kind != OBJECT_SECRET)
			buf_text(out, o->kind == OBJECT_KEY ? ",key" : ",cert");
		if (o->history)
			buf_printf(out, ",history=%d", o->history);
		if (o->format != OBJECT_PEM)
			buf_printf(out, ",%s", kind_formats[o->format]);
		if (o->password_object)
			buf_printf(out, ",password=%s", o->password_object);
		if (o->layout != OBJECT_SINGLE)
			buf_text(out, o->layout == OBJECT_TLS ? ",tls" : ",split");
		if (o->vault)
			buf_printf(out, ",vault=%s", o->vault);
		for (size_t t = 0; t < o->tag_count; t++)
			buf_printf(out, ",%s=%s", o->tags[t].name, o->tags[t].value);
		buf_printf(out, "%s%s", o->optional ? ",optional" : "",
			   o->metadata ? ",metadata" : "");
		for (size_t n = 0; n < o->part_count; n++)
			buf_printf(out, ",%s>%s:%04o", o->parts[n].expression,
				   o->parts[n].path, (unsigned)o->parts[n].mode);
		if (o->extract)
			buf_printf(out, ",all>%s", o->folder ? o->folder : "");
		buf_text(out, o->without_whole ? ",only" : "");
	}
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		/* The short form. */
		{ "db", "db>db" },
		{ "a,b\nc", "a>a b>b c>c" },
		{ " a , \n ,, b,", "a>a b>b" },
		{ "secret/a, SECRET/b=x/y", "a>a b>x/y" },
		{ "a = deep/er/file.txt ", "a>deep/er/file.txt" },
		{ "a=b=c", "a>b=c" },
		{ "a-9-Z", "a-9-Z>a-9-Z" },
		{ "a=..b/c,b", NULL },
		{ "a=.hidden,b=b/..c,c=...", NULL },
		{ "a=.hidden,b=b/..c", "a>.hidden b>b/..c" },
		{ "a,b=a-b,c=a.b", "a>a b>a-b c>a.b" },
		{ "a,A", "a>a A>A" },
		{ "a=one,a=two", "a>one a>two" },
		{ "a=sp ace/\xc3\xa9", "a>sp ace/\xc3\xa9" },
		/* A YAML list of maps. */
		{ "- objectName: a", "a>a" },
		{ "\n  - objectName: a\n    objectAlias: x/y\n", "a>x/y" },
		{ "- objectName: a\n  objectType: Secret\n  objectVersion: " VERSION
		  "\n  objectEncoding: BASE64\n  filePermission: 0400\n",
		  "a>a,0400,base64,0123" },
		{ "- objectName: a\n  objectVersion: \"\"\n  objectAlias: ''\n  "
		  "objectType: "
		  "\n",
		  "a>a" },
		{ "- objectName: a\n  objectVersion: latest\n  objectFormat: pem\n  "
		  "objectVersionHistory: 1\n  optional: false\n  metadata: no\n  layout: "
		  "single\n",
		  "a>a" },
		{ "- objectName: a\n  objectEncoding: hex\n  filePermission: \"777\"",
		  "a>a,0777,hex" },
		{ "-\n  objectName: a", "a>a" },
		{ "- objectName: ' a '", "a>a" },
		/* Every attribute. */
		{ "key/a, CERT/b", "a>a,key b>b,cert" },
		{ "- objectName: a\n  objectVersionHistory: 5", "a>a,history=5" },
		{ "- objectName: a\n  objectVersionHistory: \"-3\"", "a>a" },
		{ "- objectName: a\n  objectFormat: PFX\n  objectEncoding: base64",
		  "a>a,base64,pfx" },
		{ "- objectName: a\n  objectFormat: pfx\n  pfxPasswordObject: b",
		  "a>a,pfx,password=b" },
		{ "- objectName: a\n  layout: kubernetes.io/tls\n- objectName: b\n  "
		  "layout: "
		  "Split",
		  "a>a,tls b>b,split" },
		{ "- objectName: a\n  vault: mail-kv\n  optional: yes\n  metadata: on",
		  "a>a,vault=mail-kv,optional,metadata" },
		{ "- objectNamePattern: 'app-*'\n  objectAlias: app", "app-*>app" },
		{ "- tags: {env: prod, team: \"1\"}\n  objectType: key",
		  ">,key,env=prod,team=1" },
		{ "array:\n  - |\n    objectNamePattern: x\n    tags:\n      env: prod\n",
		  "x>,env=prod" },
		/* Values of a JSON text. */
		{ "- objectName: a\n  jmesPath: [{path: u, objectAlias: db/u}, {path: "
		  "'x.\"y z\"[0]', objectAlias: p, filePermission: \"0400\"}]\n  "
		  "filePermission: 0444",
		  "a>a,0444,u>db/u:0444,x.\"y z\"[0]>p:0400" },
		{ "- objectName: a\n  jmesPath:\n    - path: u\n      objectAlias: a\n  "
		  "excludeObjectName: true",
		  "a>a,u>a:0440,only" },
		{ "- objectName: a\n  jmesPath: []\n  extract: none", "a>a" },
		{ "- objectName: a\n  extract: ALL", "a>a,all>" },
		{ "- objectName: a\n  objectAlias: d/e/all\n  extract: all",
		  "a>d/e/all,all>d/e" },
		{ "- objectName: a\n  extract: all\n  excludeObjectName: yes",
		  "a>a,all>,only" },
		{ "- objectName: a\n  objectAlias: a\n  extract: all\n  "
		  "excludeObjectName: yes",
		  "a>a,all>a,only" },
		{ "- objectName: a\n  objectAlias: x\n  extract: all\n  "
		  "excludeObjectName: yes\n- objectName: b\n  objectAlias: x\n  extract: "
		  "all\n  excludeObjectName: yes",
		  "a>x,all>x,only b>x,all>x,only" },
		{ "array: ['{objectName: a, jmesPath: [{path: u, objectAlias: v, note: "
		  "w}]}']",
		  "a>a,u>v:0440" },
		/* For Java. */
		{ "- objectName: a\n  objectFormat: PKCS12\n  passwordObject: b",
		  "a>a,pkcs12,password=b" },
		{ "- objectName: a\n  objectFormat: truststore", "a>a,truststore" },
		{ "- objectName: a\n  objectType: cert\n  objectFormat: pkcs12",
		  "a>a,cert,pkcs12" },
		/* Versions. */
		{ "- objectName: a\n  version: " VERSION, "a>a,0123" },
		{ "- objectName: a\n  version: Newest-Enabled", "a>a,newest-enabled" },
		{ "- objectName: a\n  objectVersion: newest-valid", "a>a,newest-valid" },
		{ "- objectName: a\n  objectVersion: latest\n  version: newest-valid",
		  "a>a,newest-valid" },
		{ "- objectName: a\n  objectVersion: current", "a>a" },
		/* JSON. */
		{ "[{\"objectName\":\"a\"},{\"objectName\":\"b\",\"objectAlias\":\"c\"}]",
		  "a>a b>c" },
		/* The provider's array of strings. */
		{ "array:\n  - |\n    objectName: a\n    objectType: secret\n    "
		  "objectVersion: \"\"\n  - |\n    objectName: b\n    objectAlias: B\n",
		  "a>a b>B" },
		{ "array:\n- objectName: a\n", "a>a" },
		/* However YAML spells them. */
		{ "{\"array\": [\"{\\\"objectName\\\": \\\"a\\\"}\"]}", "a>a" },
		{ "'array' :\n- 'objectName: a'", "a>a" },
		{ "---\n# c\narray:\n- 'objectName: a'\n...\n", "a>a" },
		{ "? array\n: - 'objectName: a'", "a>a" },
		{ "!!map {&k array: [objectName: a]}", "a>a" },
		{ "x: &x ['objectName: a']\narray: *x", "a>a" },
		{ "a=b: 1\narray: ['objectName: a']", "a>a" },
		{ "--- [{objectName: a}]", "a>a" },
		{ "&l\n- <<: {objectName: a, objectAlias: b}\n  objectAlias: c", "a>c" },
		{ "array:\n- 'objectName: a'\n-\n- ~\n- 'objectName: b'", "a>a b>b" },
		{ "array:\n- 'objectName: a'\n---\nsecond", "a>a" },
		{ "array:\n- \"---\\nobjectName: a\\n---\\nobjectName: b\"", "a>a" },
		{ "array: ['{objectName: a, objectAlias: NULL, objectVersion: ~}']",
		  "a>a" },
		{ "array: ['objectName: \xc2\xa0"
		  "a\xc2\xa0']",
		  "a>a" },
		/* The short form, though it reads as a map. */
		{ "a=x: y", "a>x: y" },
		{ "a, b=x:", "a>a b>x:" },
		{ "a=x: y\nb=- z", "a>x: y b>- z" },
		{ "a={x: [y]}", "a>{x: [y]}" },
		{ "a={x: [y]", "a>{x: [y]" },
		{ "-, -a=b: c", "->- -a>b: c" },
		/* An entry that an earlier one equals. */
		{ "a,b,a", "a>a b>b" },
		{ "a,secret/a=a", "a>a" },
		{ "array: ['objectName: a', '{objectName: a, objectType: SECRET, note: "
		  "x}']",
		  "a>a" },
		{ "- objectNamePattern: x\n- objectNamePattern: x", "x>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf drawn = BUF_INIT(1000);
		struct objects all = { 0 };
		struct err err;

		if (rows[i].want == NULL) {
			check_int(rows[i].text, parse(rows[i].text, &all, &err), -1);
			continue;
		}
		check_ok(rows[i].text, parse(rows[i].text, &all, &err), &err);
		draw(&all, &drawn);
		objects_done(&all);
		check_text(rows[i].text, buf_str(&drawn), rows[i].want);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{ "", "the list is empty" },
		{ " ,\n, ", "the list is empty" },
		{ "[]", "the list is empty" },
		{ "array: []", "the list is empty" },
		/* Names. */
		{ "a_b", "objectName 'a_b' is not a Key Vault name" },
		{ "a,b c", "object 2: objectName 'b c'" },
		{ "secret/", "objectName ''" },
		{ "=x", "objectName ''" },
		{ "secret/a/b", "objectName 'a/b'" },
		{ "a?api-version=1", "objectName 'a?api-version'" },
		{ "a%2fb", "is not a Key Vault name" },
		{ "\xc3\xa9", "is not a Key Vault name" },
		/* Types. */
		{ "a/b", "objectType 'a' is not one of" },
		{ "/a", "objectType '' is not one of" },
		/* Paths. */
		{ "a=", "path '' has an empty part" },
		{ "a=/etc/passwd", "must be relative" },
		{ "a=..", "may not leave" },
		{ "a=../x", "may not leave" },
		{ "a=x/../../y", "may not leave" },
		{ "a=x/..", "may not leave" },
		{ "a=./x", "empty part" },
		{ "a=x/.", "empty part" },
		{ "a=x//y", "empty part" },
		{ "a=x/", "empty part" },
		{ "a=..data", "akvsync's own" },
		{ "a=..data/x", "akvsync's own" },
		{ "a=..2026_01_01/x", "akvsync's own" },
		{ "a=...", "akvsync's own" },
		{ "a=x\x7fy", "control character" },
		{ "a=x\x01", "control character" },
		{ "- objectName: a\n  objectAlias: \"x\\ny\"", "control character" },
		{ "a=caf\xe9", "UTF-8" },
		{ "a=1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/"
		  "26/"
		  "27/28/29/30/31/32/33",
		  "more than 32 parts" },
		/* Paths of two objects. */
		{ "a,b,key/a",
		  "object 1 ('a') and object 3 ('a') both go to the path 'a'; give "
		  "one of them another objectAlias" },
		{ "a,a,b=a",
		  "object 1 ('a') and object 3 ('b') both go to the path 'a'" },
		{ "array: [~, 'objectName: a', 'objectName: a', 'objectName: a_b']",
		  "object 4: objectName 'a_b'" },
		{ "a=x,b=x",
		  "object 1 ('a') and object 2 ('b') both go to the path 'x'" },
		{ "a=x,b=x/y", "path 'x' is in the way of 'x/y'" },
		{ "a=x/y/z,b=x/y", "object 2 ('b') and object 1 ('a') cannot both be "
				   "written: path 'x/y' is "
				   "in the way of 'x/y/z'" },
		{ "a=x,b=x-y,c=x/y,d=x.y", "path 'x' is in the way of 'x/y'" },
		{ "a=x/y,b=x/y-z,c=x/y!,d=x/y/z/w,e=\xc3\xa9", "'x/y' is in the way of" },
		/* Attributes. */
		{ "- objectAlias: x", "objectName is missing" },
		{ "- objectName: ''", "objectName is missing" },
		{ "- objectNam: a", "unknown attribute 'objectNam'; did you mean "
				    "'objectName'?" },
		{ "- objectname: a", "did you mean 'objectName'?" },
		{ "- qwertyuiop: a", "unknown attribute 'qwertyuiop'" },
		{ "array: ['{objectName: a, objectAlia: b}']",
		  "unknown attribute 'objectAlia'; did you mean 'objectAlias'?" },
		{ "- objectName: [a]", "objectName must be plain text" },
		{ "- objectName: a\n  objectType: certificate", "is not one of" },
		{ "- objectName: a\n  objectVersion: 123", "objectVersion '123'" },
		{ "- objectName: a\n  objectVersion: g" VERSION, "is not a version" },
		{ "- objectName: a\n  objectVersion: " VERSION "/x", "is not a version" },
		{ "- objectName: a\n  objectVersion: z123456789abcdef0123456789abcdef",
		  "is not a version" },
		{ "- objectName: a\n  objectVersion: ../../x", "is not a version" },
		{ "- objectName: a\n  objectVersionHistory: 99999999999",
		  "is not a number" },
		{ "- objectName: a\n  objectFormat: der", "is not one of pem, pfx" },
		{ "- objectName: a\n  objectEncoding: base65", "is not one of utf-8" },
		{ "- objectName: a\n  filePermission: 1777", "is not a file mode" },
		{ "- objectName: a\n  filePermission: 888", "is not a file mode" },
		{ "- objectName: a\n  optional: maybe", "neither true nor false" },
		{ "- objectName: a\n  metadata: maybe", "neither true nor false" },
		{ "- objectName: a\n  layout: flat", "is not one of single" },
		{ "- objectName: a\n  objectName: b", "stands twice" },
		{ "- objectName: a\n  objectVersionHistory: --1", "is not a number" },
		{ "- objectName: a\n  objectVersionHistory: 010", "is not a number" },
		{ "- objectName: a\n  objectVersionHistory: 1001", "is more than 1000" },
		/* Combinations. */
		{ "- objectName: a\n  tags: {x: y}", "objectName cannot stand beside" },
		{ "- objectName: a\n  objectNamePattern: x*", "objectName cannot stand" },
		{ "- objectNamePattern: x*\n  objectVersionHistory: 2",
		  "objectVersionHistory cannot stand beside" },
		{ "- objectNamePattern: x*\n  objectVersion: " VERSION,
		  "objectVersion cannot stand beside" },
		{ "- objectNamePattern: x/*", "is not a pattern" },
		{ "- tags: [x]", "tags must be a map" },
		{ "- tags: x", "tags must be a map" },
		{ "- tags: {x: [y]}", "tag 'x' must be plain text" },
		{ "- tags:", "objectName is missing" },
		{ "- objectName: a\n  objectType: key\n  objectFormat: PFX",
		  "objectFormat pfx needs objectType secret" },
		{ "- objectName: a\n  objectType: cert\n  objectEncoding: hex",
		  "objectEncoding needs objectType secret" },
		{ "- objectName: a\n  objectType: cert\n  layout: split",
		  "layout needs objectType secret" },
		{ "- objectName: a\n  pfxPasswordObject: b", "needs objectFormat: pfx" },
		{ "- objectName: a\n  objectFormat: pfx\n  pfxPasswordObject: b/c",
		  "pfxPasswordObject 'b/c' is not a Key Vault name" },
		{ "- objectName: a\n  objectFormat: pfx\n  layout: split",
		  "layout cannot split a pfx" },
		{ "- objectName: a\n  objectEncoding: base64\n  layout: split",
		  "leave objectEncoding out" },
		/* For Java. */
		{ "- objectName: a\n  objectType: key\n  objectFormat: pkcs12",
		  "objectFormat pkcs12 needs objectType secret" },
		{ "- objectName: a\n  objectFormat: pkcs12\n  objectEncoding: base64",
		  "objectFormat pkcs12 makes a binary file" },
		{ "- objectName: a\n  objectFormat: truststore\n  layout: split",
		  "layout cannot split a truststore" },
		{ "- objectName: a\n  objectFormat: pfx\n  passwordObject: b\n  "
		  "pfxPasswordObject: c",
		  "pfxPasswordObject is given a second time, by its other name" },
		{ "- objectName: a\n  passwordObject: b",
		  "needs objectFormat: pfx, pkcs12 or truststore" },
		/* Versions. */
		{ "- objectName: a\n  version: newest",
		  "version 'newest' is not a version" },
		{ "- objectName: a\n  objectVersion: " VERSION
		  "\n  version: newest-enabled",
		  "version is given a second time, by its other name" },
		{ "- objectName: a\n  version: newest-valid\n  objectVersionHistory: 2",
		  "objectVersion newest-valid cannot stand beside objectVersionHistory" },
		{ "- objectNamePattern: x*\n  version: newest-enabled",
		  "objectVersion cannot stand beside" },
		/* Values of a JSON text. */
		{ "- objectName: a\n  jmespath: []", "did you mean 'jmesPath'?" },
		{ "- objectName: a\n  jmesPath: x", "jmesPath must be a list of maps" },
		{ "- objectName: a\n  jmesPath: {path: x, objectAlias: y}",
		  "jmesPath must be a list of maps" },
		{ "- objectName: a\n  jmesPath: [x]", "jmesPath 1: it is not a map" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: y}, {path: z}]",
		  "object 1: jmesPath 2: objectAlias is missing" },
		{ "- objectName: a\n  jmesPath: [{objectAlias: y}]", "path is missing" },
		{ "- objectName: a\n  jmesPath: [{path: [x], objectAlias: y}]",
		  "path must be plain text" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectalias: y}]",
		  "unknown attribute 'objectalias'; did you mean 'objectAlias'?" },
		{ "array: ['{objectName: a, jmesPath: [{path: x, objectalias: y}]}']",
		  "did you mean 'objectAlias'?" },
		{ "- objectName: a\n  jmesPath: [{path: 'x[*]', objectAlias: y}]",
		  "path 'x[*]' has a list wildcard at character 2" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: ../y}]",
		  "objectAlias '../y' may not leave" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: ..data}]",
		  "akvsync's own" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: y, "
		  "filePermission: 999}]",
		  "jmesPath 1: filePermission '999' is not a file mode" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: a}]",
		  "object 1 ('a') has two files that are in each other's way, 'a' and "
		  "'a'" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: y}, {path: z, "
		  "objectAlias: y/z}]",
		  "two files that are in each other's way, 'y' and 'y/z'" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: b}]\n- "
		  "objectName: b",
		  "object 1 ('a') and object 2 ('b') both go to the path 'b'" },
		{ "- objectName: a\n  extract: some",
		  "extract 'some' is not one of none, all" },
		{ "- objectName: a\n  excludeObjectName: true",
		  "excludeObjectName leaves no file" },
		{ "- objectName: a\n  objectType: key\n  extract: all",
		  "extract needs objectType secret" },
		{ "- objectName: a\n  objectType: cert\n  jmesPath: [{path: x, "
		  "objectAlias: y}]",
		  "jmesPath needs objectType secret" },
		{ "- objectName: a\n  extract: all\n  objectVersionHistory: 2",
		  "extract and objectVersionHistory cannot stand" },
		{ "- objectName: a\n  extract: all\n  layout: split",
		  "extract and layout cannot stand" },
		{ "- objectName: a\n  jmesPath: [{path: x, objectAlias: y}]\n  "
		  "objectFormat: pfx",
		  "jmesPath and objectFormat cannot stand" },
		{ "- objectNamePattern: a\n  extract: all",
		  "extract and a selection by pattern or tags cannot stand" },
		/* Paths that come with the attributes. */
		{ "- objectName: a\n  layout: split\n- objectName: b\n  objectAlias: "
		  "a.key",
		  "both go to the path 'a.key'" },
		{ "- objectName: a\n  metadata: true\n- objectName: b\n  objectAlias: "
		  "a.json",
		  "both go to the path 'a.json'" },
		{ "- objectName: a\n  objectVersionHistory: 2\n- objectName: b\n  "
		  "objectAlias: a/7",
		  "path 'a' is in the way of 'a/7'" },
		{ "- objectName: a\n  layout: kubernetes.io/tls\n- objectName: b\n  "
		  "objectAlias: a/x",
		  "path 'a' is in the way of 'a/x'" },
		/* Shapes. */
		{ "- a", "is not a map" },
		{ "- objectName: a\n- [b]", "object 2: it is not a map" },
		{ "[a, b]", "is not a map" },
		{ "array: a", "must be a list of maps, or 'array:'" },
		{ "array:", "the list is empty" },
		{ "array: [~]", "the list is empty" },
		{ "array: ''", "must be a list of maps, or 'array:'" },
		{ "array: {a: b}", "must be a list of maps, or 'array:'" },
		{ "arrray: [a]", "must be a list of maps, or 'array:'" },
		{ "objectName: a", "must be a list of maps, or 'array:'" },
		{ "array:\n- ''", "object 1: YAML line 1: it is empty" },
		{ "array:\n- 'a: ['", "object 1: YAML line" },
		{ "array:\n- [a]", "object 1: it is not a map" },
		/* What YAML refuses is judged by its first words. */
		{ "- objectName: [", "YAML line" },
		{ "# c\n\n array :\n\t- x", "YAML line" },
		{ "\"array\": [", "YAML line" },
		{ "--- # c\n- [", "YAML line" },
		{ "[{", "YAML line" },
		{ "&a [", "YAML line" },
		{ "a={x: [y, b c", "object 2: objectName" },
		{ "a_b={x: [y", "YAML line" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects all = { 0 };
		struct err err;

		check_err(rows[i].text, parse(rows[i].text, &all, &err), &err, ERR_CONFIG,
			  rows[i].cause);
		check(rows[i].text, strncmp(err.msg, "AKVSYNC_OBJECTS: ", 17) == 0);
		check(rows[i].text, all.items == NULL && all.count == 0);
	}
}

/* What is told of a list that is taken. */
static void test_notes(void **state)
{
	static const struct {
		const char *text, *ignored, *repeated;
	} rows[] = {
		{ "a,b", "", "" },
		{ "a,b,a,b", "", "object 3 ('a'), object 4 ('b')" },
		{ "array: ['objectName: a', ~, 'objectName: a']",
		  "object 2, which is empty", "object 3 ('a')" },
		{ "array: ['{objectName: a, description: x, note: y}', '{objectName: b, "
		  "owner: [z]}']",
		  "description, note of object 1 ('a'), owner of object 2 ('b')", "" },
		{ "array: ['{objectName: a, objectNote: x, objectComment: y, value: z}']",
		  "objectNote, objectComment, value of object 1 ('a')", "" },
		{ "array: ['{objectName: a, objecttype: key, objectType: cert}']",
		  "objecttype of object 1 ('a')", "" },
		{ "array: [\"\\\"objectAlias\\\\_\\\": b\\nobjectName: a\"]",
		  "objectAlias (with a no-break space or the like in its name) of object "
		  "1 "
		  "('a')",
		  "" },
		{ "version: 1\narray: [\"objectName: a\\n---\\nb\"]\nx: [y]\n---\nz",
		  "what follows the first document, version beside array, x beside "
		  "array, "
		  "what follows the first document of object 1 ('a')",
		  "" },
		{ "- tags: {a: b}\n- tags: {a: b}", "", "object 2 ('')" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects all = { 0 };
		struct err err;

		check_ok(rows[i].text, parse(rows[i].text, &all, &err), &err);
		check_text(rows[i].text, buf_str(&all.ignored), rows[i].ignored);
		check_text(rows[i].text, buf_str(&all.repeated), rows[i].repeated);
		objects_done(&all);
	}
}

/* One object whose name or path is so long. */
static int parse_long(const char *before, size_t len, struct err *err)
{
	struct buf text = BUF_INIT(8192);
	struct objects all = { 0 };
	int result;

	buf_text(&text, before);
	for (size_t i = 0; i < len; i++)
		buf_text(&text, "x");
	result = parse(buf_str(&text), &all, err);
	objects_done(&all);
	buf_done(&text);
	return result;
}

static void test_lengths(void **state)
{
	struct err err;

	(void)state;
	check_ok("name", parse_long("", 127, &err), &err);
	check_err("name", parse_long("", 128, &err), &err, ERR_CONFIG, "1 to 127");
	check_ok("part", parse_long("a=d/", 255, &err), &err);
	check_err("part", parse_long("a=d/", 256, &err), &err, ERR_CONFIG,
		  "longer than 255 bytes");
	check_err("path", parse_long("a=", 4096, &err), &err, ERR_CONFIG, "longer than");
}

static int parse_many(size_t count, struct err *err)
{
	struct buf text = BUF_INIT(64 * 1024);
	struct objects all = { 0 };
	int result;

	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "n%zu,", i);
	result = parse(buf_str(&text), &all, err);
	assert_int_equal(all.count, result == 0 ? count : 0);
	objects_done(&all);
	buf_done(&text);
	return result;
}

static void test_count(void **state)
{
	struct err err;

	(void)state;
	check_ok("1000", parse_many(1000, &err), &err);
	check_err("1001", parse_many(1001, &err), &err, ERR_CONFIG, "at most 1000");
}

static void test_default_mode(void **state)
{
	struct objects all = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		objects_parse(&all,
			      "- objectName: a\n- objectName: b\n  filePermission: "
			      "0000\n",
			      0400, &err),
		0);
	assert_int_equal(all.items[0].mode, 0400);
	assert_int_equal(all.items[1].mode, 0);
	objects_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lengths),      cmocka_unit_test(test_count),
		cmocka_unit_test(test_default_mode), cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
