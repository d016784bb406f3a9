#include "report/events.h"

#include <stddef.h>

/* The fields of an incident: when it begins or changes, and at its end. */
#define BEGIN_FIELDS "what, kind, consequence, request, failures"
#define END_FIELDS "what, kind, failures, lasted"
#define NOTHING "Nothing."

const struct event events[] = {
	{ "advice", NULL, "warn", "target",
	  "Something will hurt later: the directory is on no tmpfs, only this user can "
	  "read the files, the probes get no answer, a signal would reach no app, or end "
	  "it, an entry of NO_PROXY names no host, a set of before stays for less than "
	  "a second, or a reference of exec is not replaced.",
	  "Do what the message says. That of a signal: docs/notify.md; that of exec: "
	  "docs/env.md." },
	{ "altered", NULL, "warn", "what",
	  "Another program had changed or removed a file; its object was fetched anew.",
	  "Find what else writes to the volume; mount it with readOnly: true in the "
	  "other containers." },
	{ "configuration-applied", NULL, "info", "",
	  "The next list of objects is the active one now: its set is on the volume.",
	  NOTHING },
	{ "configuration-read", NULL, "info", "objects",
	  "A changed configuration file passed its checks; its list of objects is "
	  "fetched next.",
	  "Nothing. When a failure of a new object follows, the files of the earlier "
	  "list go on changing until that object can be read." },
	{ "configuration-refused", "configuration", "error", BEGIN_FIELDS,
	  "A changed configuration file has a mistake, which the message names, or a "
	  "change that needs a restart. The running configuration stays. It is logged "
	  "again once an hour.",
	  "Correct the file; akvsync check FILE tries it on any machine. The message "
	  "says when a restart with this file would fail." },
	{ "ended", NULL, "info", "code", "exec: the app has ended, with its exit code.",
	  "Nothing, when the app was to end; else look at its own output." },
	{ "env-file", NULL, "info, warn", "path",
	  "An env file was written, or removed since it left the configuration; warn: it "
	  "could not be removed.",
	  "At warn: remove the file by hand, or give akvsync the right to." },
	{ "exit", NULL, "error", "code, request, faults",
	  "Why the program ends; faults: all that is wrong with the variables of exec.",
	  "The code says which group the cause belongs to (exit codes), the message what "
	  "to change. The same line is in kubectl describe pod." },
	{ "failure", "env-file", "warn, error", BEGIN_FIELDS,
	  "A value has no form in an env file, or the file cannot be written. What was "
	  "there stays. A start is not complete without it.",
	  "The message names the file, and the variable or the cause: docs/env.md." },
	{ "failure", "gone", "warn", BEGIN_FIELDS,
	  "Objects that a pattern or tags selected earlier are no longer in the vault's "
	  "list. Their files go after three polls in a row; consequence says when.",
	  "Nothing, when they were deleted on purpose. Else recover them, or set their "
	  "tags again, before that time." },
	{ "failure", "identity", "warn, error", BEGIN_FIELDS,
	  "Entra, or the managed identity endpoint, refuses the identity. All files stay "
	  "as they are.",
	  "The message has the code and what to change: docs/troubleshooting.md, "
	  "Identity. A new role or federated credential needs minutes." },
	{ "failure", "kubernetes-secret", "warn", "name, kind",
	  "A Kubernetes Secret cannot be written. The files are not affected.",
	  "The message names the Secret and the cause, mostly a missing right: "
	  "docs/kubernetes-secrets.md." },
	{ "failure", "left-out", "warn", BEGIN_FIELDS,
	  "Some objects of a pattern or of tags have no place: there are more than "
	  "1,000, or a path is in the way of another one. The message has the first "
	  "cause and the number.",
	  "Narrow the pattern, or give the object that is in the way another path." },
	{ "failure", "list", "warn, error", BEGIN_FIELDS,
	  "A history, a pattern or tags cannot be listed, or select nothing. The files "
	  "that there are stay.",
	  "The identity needs the permission to list; nothing in the vault matches: "
	  "compare the pattern or the tags with the names in the vault." },
	{ "failure", "object", "warn, error", BEGIN_FIELDS,
	  "One object cannot be read, or its value is of no use for its files. Its last "
	  "good files stay; the others go on changing.",
	  "The message has the status of the vault and what to change: "
	  "docs/troubleshooting.md, The vault refuses." },
	{ "failure", "template", "warn, error", BEGIN_FIELDS,
	  "A file that a template takes is missing, or has no form in it. The last good "
	  "file of the template stays.",
	  "The message names the template, the line and the column, and the file: "
	  "docs/env.md." },
	{ "failure", "token-endpoint", "warn, error", BEGIN_FIELDS,
	  "The service that gives access tokens does not answer, or answers something "
	  "else. All files stay as they are.",
	  "It passes when the service is at fault. Else it is the network from the pod "
	  "to it: docs/troubleshooting.md, Network." },
	{ "failure", "vault", "warn, error", BEGIN_FIELDS,
	  "A vault cannot be reached, throttles, or refuses all requests. All files of "
	  "its objects stay as they are.",
	  "The message says which: docs/troubleshooting.md, Network and The vault "
	  "refuses. After 429 lengthen AKVSYNC_POLL_INTERVAL." },
	{ "failure", "volume", "warn, error", BEGIN_FIELDS,
	  "A set cannot be written to the volume. The set of before stays.",
	  "The message has the cause: docs/troubleshooting.md, The volume. No space "
	  "left: raise emptyDir.sizeLimit, it must hold two sets." },
	{ "forward", NULL, "debug", "child", "exec: a signal was handed on to the app.",
	  NOTHING },
	{ "ignored", NULL, "warn", "names",
	  "Parameters, attributes and other parts of a pasted SecretProviderClass that "
	  "have no meaning here; the CSI provider ignores them, too, or akvsync needs "
	  "none.",
	  "Nothing; remove them to have no such line." },
	{ "kill", NULL, "warn", "child",
	  "exec: the app did not end within --grace, and was killed.",
	  "Lengthen --grace, or give the signal that ends the app by --stop-signal." },
	{ "leave", NULL, "info", "child, variables",
	  "exec: a value of these variables has changed, and the app is asked to end; "
	  "exec ends with it, for --on-change exit.",
	  NOTHING },
	{ "list-unknown", NULL, "debug", "",
	  "The list of objects that the files on the volume were made for is not known, "
	  "such as one of another release; the configured one is used.",
	  NOTHING },
	{ "log-lost", NULL, "warn", "lines",
	  "So many lines are missing from the log, because for over a second nobody read "
	  "stderr. Syncing went on.",
	  "Look at the node: its disk, or the reader of the logs, is too slow." },
	{ "no-private-key", NULL, "warn", "what",
	  "The secret of a certificate holds no key: its policy says that it is not "
	  "exportable, or its key is in an HSM. The files have the certificates alone.",
	  "When the app needs the key: make the certificate anew, with an exportable "
	  "key." },
	{ "not-permitted", NULL, "warn", "child",
	  "exec: the app has become another user, whom exec may not signal. It goes on "
	  "with the values that it has until it ends by itself.",
	  "Start it as the user that it is to be (runAsUser)." },
	{ "not-valid", "validity", "warn", BEGIN_FIELDS,
	  "An object has expired, is not valid yet, or is a disabled key or certificate. "
	  "Its files are made all the same.",
	  "Make a new version in the vault, or correct its dates; the message names the "
	  "object, its vault and the date." },
	{ "notified", NULL, "info", "target, generation, processes, status, attempt",
	  "A target of AKVSYNC_NOTIFY was notified of a set.", NOTHING },
	{ "notify-failed", "notify", "warn, debug",
	  "target, generation, attempt, retry_in",
	  "A target could not be notified; it is tried again. warn: it begins to fail, "
	  "the cause changes, or an hour has passed; debug: the tries between. The app "
	  "may still use the files of before.",
	  "The message has the cause: no process of that name, or another answer than "
	  "expected. docs/notify.md." },
	{ "notify-waits", NULL, "info", "target, generation, attempt, retry_in",
	  "Nothing failed, but it is too early to notify: the process has just started, "
	  "akvsync ended for the app less than AKVSYNC_RESTART_MIN ago, or too many "
	  "programs run.",
	  NOTHING },
	{ "output", NULL, "info, debug", "target",
	  "A line that a program of AKVSYNC_NOTIFY printed.",
	  "Nothing; it helps when that program fails." },
	{ "overridden", NULL, "warn", "names",
	  "The configuration file sets what an AKVSYNC_ variable of the environment sets "
	  "to something else; the environment wins.",
	  "Remove one of the two." },
	{ "poll-requested", NULL, "info", "",
	  "A poll begins before its time: SIGHUP, akvsync refresh, or a replaced file of "
	  "the credential.",
	  NOTHING },
	{ "published", NULL, "info", "generation, files, changed, versions, gone, ms",
	  "A new set is on the volume; versions: path@version of what changed; gone: "
	  "paths of objects that the vault has lacked for long.",
	  NOTHING },
	{ "ready", NULL, "info", "",
	  "The first complete set is on the volume; probes say yes from now on.",
	  NOTHING },
	{ "recovered", NULL, "info", END_FIELDS, "What failed works again.", NOTHING },
	{ "relinked", NULL, "warn", "what",
	  "Another program had removed or replaced links by which apps reach the set, "
	  "such "
	  "as by rm -rf; they were made anew.",
	  "Find what else writes to the volume; mount it with readOnly: true in the "
	  "other containers." },
	{ "repeated", NULL, "warn", "names",
	  "Entries of the list that are equal to an earlier one, as charts make them; "
	  "each is taken once.",
	  "Nothing; remove them to have no such line." },
	{ "restart", NULL, "info", "child, variables",
	  "exec: a value of these variables has changed; the app is asked to end, and "
	  "will be started again.",
	  NOTHING },
	{ "resume", NULL, "info", "generation",
	  "An earlier container of the pod left a set on the volume; the message says "
	  "whether it is complete for the configured list.",
	  "Nothing. Complete for an earlier list of objects: the container restarted "
	  "before the set of the next list was published; the sidecar goes on with the "
	  "earlier list and tries the configured one." },
	{ "retry", NULL, "debug", "in_ms, failures",
	  "One request is tried again within the sync.", NOTHING },
	{ "running", NULL, "info", "child, variables",
	  "exec: the app was started; variables: those that got a value.", NOTHING },
	{ "sandbox", NULL, "info", "",
	  "What the sandbox of the process bounds, and what it cannot bound here, and "
	  "why.",
	  "Nothing. AKVSYNC_SANDBOX=require makes a start fail where it is not "
	  "complete." },
	{ "sandbox-refused", NULL, "warn", "call",
	  "The sandbox refused a system call that akvsync does not need.",
	  "Report it with the version: it is a fault of akvsync, or code that is not "
	  "akvsync's runs in its process. AKVSYNC_SANDBOX=off switches the sandbox "
	  "off." },
	{ "secret-left", NULL, "info", "name",
	  "A pod with a newer list, or with newer values, has written this Kubernetes "
	  "Secret; it is left as it is until no such pod is left.",
	  "Nothing during a rollout. When two workloads write one Secret, give one of "
	  "them another name." },
	{ "secret-written", NULL, "info", "name",
	  "A Kubernetes Secret was created or updated.", NOTHING },
	{ "secrets-memory", NULL, "debug", "",
	  "Which Kubernetes Secrets were written could not be remembered on the volume; "
	  "a restart looks at all of them.",
	  NOTHING },
	{ "secrets-off", NULL, "warn", "",
	  "The configuration lists Kubernetes Secrets, but none is written.",
	  "Set AKVSYNC_KUBERNETES_SECRETS=true in the environment, and give the pod the "
	  "Role that akvsync check prints; or remove the list." },
	{ "set-held", "set", "warn, error", BEGIN_FIELDS,
	  "No set of this list is published: a required object has no files yet and "
	  "cannot be read, or its vault has not answered completely. The files on the "
	  "volume stay, or, when the new configuration waits, go on changing for the "
	  "earlier list.",
	  "The message names the object: mend what its own failure says, or take it from "
	  "the list." },
	{ "set-released", "set", "info", END_FIELDS,
	  "Sets of this list are published again.", NOTHING },
	{ "set-vetoed", "precheck", "warn, error", BEGIN_FIELDS,
	  "A precheck refuses the set, or cannot run. The set of before stays.",
	  "The message and the output of the program say why: docs/notify.md. Put the "
	  "former version into the vault again, or mend the program." },
	{ "sidecar-ended", NULL, "warn", "code",
	  "exec: the sidecar that exec runs itself has ended; it is started again.",
	  "The lines above are the sidecar's: its own exit says why." },
	{ "signal", NULL, "info", "child, signal, variables",
	  "exec: a value of these variables has changed, and the app got a signal.",
	  NOTHING },
	{ "stale", NULL, "warn", "cause",
	  "init exits 0 with the complete set of an earlier start, though not every "
	  "object could be read, or not every Kubernetes Secret written, now.",
	  "Mend the cause. AKVSYNC_INIT_STALE=refuse makes such a start fail." },
	{ "start", NULL, "info",
	  "version, mode, pid, uid, gid, vault, objects, auth, identity, settings",
	  "The program has started, with these settings.", NOTHING },
	{ "stop", NULL, "info", "from_pid, code",
	  "The program stops: by a signal of that process, or with the code of an exit= "
	  "target.",
	  NOTHING },
	{ "trust", NULL, "info, warn", "",
	  "The trusted certificates were read anew, or could not be; then those read "
	  "before stay in use.",
	  "At warn: correct the file that the message names." },
	{ "unchanged", NULL, "debug", "ms", "A sync in which nothing changed.", NOTHING },
	{ "unread-pem", NULL, "warn", "what",
	  "The PEM of a certificate's secret is written as it is, in whatever order: it "
	  "could not be read.",
	  "The message says what could not be read; import the certificate anew." },
	{ "unusable", NULL, "warn", "faults",
	  "exec: the newest set lacks what the app was given; the app goes on with the "
	  "values that it has.",
	  "Put the objects into the list again, or change the references of the app: "
	  "docs/env.md." },
	{ "valid", "validity", "info", END_FIELDS, "An object is valid again.", NOTHING },
	{ "waiting", NULL, "info", "seconds",
	  "exec: no set is on the volume yet; every 30 s. The message says whether the "
	  "directory is there at all.",
	  "Look at the log of akvsync's container; is the volume mounted in the "
	  "container of the app, at AKVSYNC_DIR?" },
	{ "watch-blind", NULL, "warn", "path",
	  "Changes of this file are noticed up to ten seconds late. Too many open files, "
	  "No space left on device: the limits of the node for inotify are used up by "
	  "processes of this uid.",
	  "Raise fs.inotify.max_user_instances or fs.inotify.max_user_watches on the "
	  "node." },
	{ "watch-restored", NULL, "info", "path",
	  "Changes of this file are noticed at once again.", NOTHING },
	{ "withdrawn", NULL, "info", END_FIELDS,
	  "What failed is no longer asked for, such as an object that left the list; it "
	  "need not work now.",
	  NOTHING },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
