#include "report/metrics_table.h"

#include <stddef.h>

#define G METRIC_GAUGE
#define C METRIC_COUNTER
#define H METRIC_HISTOGRAM

/* In `bad`: what the number looks like when something is wrong; then what to do. */
const struct metric metrics[METRICS] = {
	[METRIC_BUILD_INFO] = { "akvsync_build_info", G, "version",
				"The version of akvsync that runs; always 1", NULL,
				"Several versions for long: a rollout is stuck, look at "
				"kubectl rollout status." },
	[METRIC_READY] = { "akvsync_ready", G, "",
			   "1: a complete set is on the volume, and not older than "
			   "AKVSYNC_MAX_STALENESS when that is set; 0: not",
			   NULL,
			   "0 for longer than a start takes: akvsync_failing says what "
			   "is wrong; so does /readyz." },
	[METRIC_POLL_INTERVAL] = { "akvsync_poll_interval_seconds", G, "",
				   "AKVSYNC_POLL_INTERVAL", "seconds",
				   "It is a setting: compare ages with it, such as that "
				   "of the last success." },
	[METRIC_MAX_STALENESS] = { "akvsync_max_staleness_seconds", G, "",
				   "AKVSYNC_MAX_STALENESS; absent: it is not set",
				   "seconds",
				   "It is a setting: compare the age of the last success "
				   "with it." },
	[METRIC_SYNCS] = { "akvsync_syncs_total", C, "status",
			   "Syncs by what they came to: unchanged; published; partial, "
			   "something failed and the rest is up to date; held, no set "
			   "could be published; vetoed, by a precheck; refused, by the "
			   "volume",
			   NULL,
			   "partial, held, vetoed or refused grows: akvsync_failing "
			   "names what fails. Nothing grows: the process hangs, and "
			   "/healthz fails as well." },
	[METRIC_SYNC_DURATION] = { "akvsync_sync_duration_seconds", H, "",
				   "How long syncs took, from their first request to the "
				   "set",
				   "seconds",
				   "It comes near the poll interval: the vault is slow "
				   "or throttles; look at "
				   "akvsync_vault_request_duration_seconds and "
				   "akvsync_vault_throttled_total." },
	[METRIC_LAST_SUCCESS] = { "akvsync_last_success_timestamp_seconds", G, "",
				  "When the last sync ended in which nothing failed; "
				  "absent: there was none since the start",
				  "seconds",
				  "Older than three poll intervals: some file may be "
				  "old; akvsync_failing says why, "
				  "akvsync_object_up_to_date says which." },
	[METRIC_CONSECUTIVE_FAILURES] = { "akvsync_consecutive_failures", G, "",
					  "Syncs in a row, up to the last one, in which "
					  "something failed",
					  NULL,
					  "3 and more: it does not pass by itself; look "
					  "at akvsync_failing." },
	[METRIC_VAULT_REQUESTS] = { "akvsync_vault_requests_total", C, "vault,kind,code",
				    "Requests to a vault by kind (secret, key, "
				    "certificate, list, challenge) and by the status of "
				    "the answer, or what came instead: dns, proxy, "
				    "connect, tls, timeout, broken, too-big",
				    NULL,
				    "Codes 403 and 404: a role or an object is missing. "
				    "429: lengthen AKVSYNC_POLL_INTERVAL. Words: the "
				    "network, docs/troubleshooting.md. A 401 of the kind "
				    "challenge is how a conversation begins." },
	[METRIC_VAULT_REQUEST_DURATION] = { "akvsync_vault_request_duration_seconds", H,
					    "vault", "How long requests to a vault took",
					    "seconds",
					    "It comes near AKVSYNC_REQUEST_TIMEOUT: a "
					    "firewall drops packets, or the vault is far "
					    "away or overloaded." },
	[METRIC_VAULT_THROTTLED] = { "akvsync_vault_throttled_total", C, "vault",
				     "Answers 429 of a vault: too many requests by all "
				     "that use it",
				     NULL,
				     "It grows for long: lengthen AKVSYNC_POLL_INTERVAL, "
				     "or divide the objects among vaults." },
	[METRIC_VAULT_CONCURRENCY_LIMIT] = { "akvsync_vault_concurrency_limit", G,
					     "vault",
					     "How many requests to a vault may be under "
					     "way at once, after a 429; absent: there is "
					     "no limit",
					     NULL,
					     "Present for hours: the vault goes on "
					     "throttling, as with "
					     "akvsync_vault_throttled_total." },
	[METRIC_TOKEN_REQUESTS] = { "akvsync_token_requests_total", C, "code",
				    "Requests for access tokens by the status of the "
				    "answer, or what came instead, as of "
				    "akvsync_vault_requests_total",
				    NULL,
				    "Codes 400 and 401: the identity is refused, the log "
				    "names the AADSTS error. 429 and 5xx: the token "
				    "endpoint; it passes. Words: the network." },
	[METRIC_TOKEN_REQUEST_DURATION] = { "akvsync_token_request_duration_seconds", H,
					    "",
					    "How long requests for access tokens took",
					    "seconds",
					    "It comes near AKVSYNC_REQUEST_TIMEOUT: the "
					    "network to the token endpoint, or IMDS on "
					    "the node." },
	[METRIC_TOKEN_EXPIRY] = { "akvsync_token_expiry_timestamp_seconds", G, "resource",
				  "When the access token for a resource ends; the "
				  "first sync after half of its life asks for a new "
				  "one",
				  "seconds",
				  "In the past, though a sync was due since: no token "
				  "could be had; akvsync_failing with the kind identity "
				  "or token-endpoint says why. Between polls that are "
				  "rarer than tokens live it is nothing bad." },
	[METRIC_OBJECTS] = { "akvsync_objects", G, "",
			     "Object versions that files are made of", NULL,
			     "Fewer than the list has: some could not be read, or a "
			     "pattern selects fewer; look at akvsync_failing and the "
			     "log." },
	[METRIC_FILES] = { "akvsync_files", G, "", "Files of the set on the volume", NULL,
			   "0: there is no set yet; look at akvsync_ready." },
	[METRIC_OBJECT_INFO] = { "akvsync_object_info", G,
				 "object,kind,name,vault,version",
				 "Which version of which object of a vault the files of "
				 "a path are made from; always 1",
				 NULL,
				 "Pods with different versions for longer than a poll "
				 "interval: akvsync_object_up_to_date says which of them "
				 "is behind." },
	[METRIC_OBJECT_UP_TO_DATE] = { "akvsync_object_up_to_date", G, "object",
				       "1: the last sync confirmed that the files of an "
				       "object are its newest version; 0: not",
				       NULL,
				       "0: the object failed, or its vault did; "
				       "akvsync_failing says why, "
				       "akvsync_object_last_success_timestamp_seconds "
				       "since when." },
	[METRIC_OBJECT_LAST_SUCCESS] = { "akvsync_object_last_success_timestamp_seconds",
					 G, "object",
					 "When the vault last confirmed the files of an "
					 "object; absent: not since the start",
					 "seconds",
					 "Older than three poll intervals: its files may "
					 "be old, as with akvsync_object_up_to_date." },
	[METRIC_OBJECT_CHANGED] = { "akvsync_object_changed_timestamp_seconds", G,
				    "object", "When the files of an object last changed",
				    "seconds",
				    "Older than the rotation that you made: nothing "
				    "newer arrived; look at akvsync_object_up_to_date, "
				    "and whether the list names a fixed version." },
	[METRIC_OBJECT_EXPIRY] = { "akvsync_object_expiry_timestamp_seconds", G, "object",
				   "When an object expires, as the vault says; absent: "
				   "it does not",
				   "seconds",
				   "Near or past: make a new version in the vault; it is "
				   "fetched at the next poll. The files stay "
				   "meanwhile." },
	[METRIC_ROTATIONS] = { "akvsync_rotations_total", C, "",
			       "Objects whose files got another version", NULL,
			       "It grows with every sync: something in the vault makes "
			       "new versions all the time." },
	[METRIC_ROTATION_DELAY] = { "akvsync_rotation_delay_seconds", H, "",
				    "From the creation of a version in the vault to its "
				    "file",
				    "seconds",
				    "Much more than the poll interval: syncs failed "
				    "meanwhile, or the clock of the node is wrong." },
	[METRIC_FAILING] = { "akvsync_failing", G, "kind,name,error",
			     "1 for each thing that fails now: its kind and name as in "
			     "the log, and the kind of its error (configuration, "
			     "identity, permission, not-found, garbled, unavailable, "
			     "local)",
			     NULL,
			     "Any for longer than three poll intervals needs a person: "
			     "the event of this kind says what to do, akvsync status "
			     "has the message." },
	[METRIC_FAILING_SINCE] = { "akvsync_failing_since_timestamp_seconds", G,
				   "kind,name", "Since when each of these fails",
				   "seconds", "As with akvsync_failing." },
	[METRIC_NOTIFY_RUNS] = { "akvsync_notify_runs_total", C, "target,status",
				 "Tries to notify a target of AKVSYNC_NOTIFY: success, "
				 "failure",
				 NULL,
				 "failure grows and success does not: the app goes on "
				 "with the old files; the event notify-failed has the "
				 "cause." },
	[METRIC_NOTIFY_LAST_SUCCESS] = { "akvsync_notify_last_success_timestamp_seconds",
					 G, "target",
					 "When a target was last notified; absent: not "
					 "since the start",
					 "seconds",
					 "Older than "
					 "akvsync_generation_timestamp_seconds for long: "
					 "the target has not been told of this set." },
	[METRIC_GENERATION] = { "akvsync_generation_timestamp_seconds", G, "",
				"When the set on the volume was published; absent: there "
				"is none",
				"seconds",
				"Older than a change of the vault plus the poll "
				"interval: the change did not arrive; look at "
				"akvsync_failing." },
	[METRIC_GENERATIONS] = { "akvsync_generations_total", C, "",
				 "Sets that this process published", NULL,
				 "It grows with every sync: objects change all the time, "
				 "or another program changes the files; then the event "
				 "altered is logged." },
	[METRIC_PROCESS_CPU] = { "process_cpu_seconds_total", C, "",
				 "Processor time of the process, user and system",
				 "seconds",
				 "Steadily more than a few milliseconds each second: "
				 "lengthen AKVSYNC_POLL_INTERVAL, or report it." },
	[METRIC_PROCESS_RESIDENT_MEMORY] = { "process_resident_memory_bytes", G, "",
					     "Memory of the process", "bytes",
					     "Near the limit of the container: raise the "
					     "limit; more and larger objects take "
					     "more." },
	[METRIC_PROCESS_OPEN_FDS] = { "process_open_fds", G, "", "Open file descriptors",
				      NULL, "Near process_max_fds: report it." },
	[METRIC_PROCESS_MAX_FDS] = { "process_max_fds", G, "",
				     "How many file descriptors may be open", NULL,
				     "It is a limit of the container: below 64, raise "
				     "it." },
	[METRIC_PROCESS_START_TIME] = { "process_start_time_seconds", G, "",
					"When the process started", "seconds",
					"It changes often: the container restarts; "
					"kubectl describe pod shows why." },
};

const char *metric_type_word(enum metric_type type)
{
	static const char *const words[] = { "gauge", "counter", "histogram" };

	return words[type];
}
