/* man.c: `man`: the whole manual, from the tables that the program works with. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/command.h"
#include "command/manpage.h"
#include "command/options.h"
#include "config/variable.h"
#include "report/events.h"
#include "report/metrics_table.h"

#define MANUAL_MAX_BYTES (256 * 1024)

/* What is in no other table of the program.  docs/operate.md has the same. */
struct manual_row {
	const char *term, *text;
};

static const char summary[] =
	"Azure Key Vault secrets as files in a pod, kept up to date";

static const char *const description[] = {
	"As an init container, akvsync fetches secrets, keys and certificates into a "
	"memory emptyDir before the app starts. As a sidecar it polls for new versions, "
	"replaces all files at once and notifies the app. An app that reads environment "
	"variables is started by akvsync exec, and started again when a value changes.",
	"Everything is configured by environment variables, or by the file that "
	"AKVSYNC_CONFIG names. Whatever the vault or the network does, the last good "
	"files of a required object stay.",
};

static const struct manual_row signal_rows[] = {
	{ "SIGHUP",
	  "Poll now, and look at the configuration and credential files first." },
	{ "SIGTERM, SIGINT",
	  "Stop: with exit code 0 once a set is on the volume. exec hands these and all "
	  "other signals on to CMD, and starts nothing any more." },
};

static const struct manual_row file_rows[] = {
	{ "DIR/PATH",
	  "A file of an object, as the app reads it: a link into ..data. DIR is "
	  "AKVSYNC_DIR." },
	{ "DIR/..data",
	  "A link to the current set. It is replaced by one rename, so all files change "
	  "at once." },
	{ "DIR/..data/..manifest",
	  "Object and version of each file, and the list of objects; no value, no digest "
	  "of one." },
	{ "DIR/..sock",
	  "Where the running sidecar answers probe and refresh, and shows the state." },
	{ "DIR/..notified", "Which target was notified of which set." },
	{ "DIR/..restarts", "When akvsync last ended by an exit= target." },
	{ "DIR/..secrets", "What each Kubernetes Secret was given last; no value." },
	{ "/dev/termination-log",
	  "The cause of a failed start, for kubectl describe pod. "
	  "AKVSYNC_TERMINATION_LOG names another file." },
};

static const struct manual_row endpoint_rows[] = {
	{ "/healthz", "The loop of the sidecar turns: 200, or no answer." },
	{ "/startupz", "A complete set is on the volume: 200; else 503, with what it "
		       "waits for." },
	{ "/readyz",
	  "The same, and the set is not older than AKVSYNC_MAX_STALENESS when that is "
	  "set; the text also says what fails." },
	{ "/metrics", "The metrics, for Prometheus." },
	{ "/status",
	  "The state of each object as JSON; akvsync status shows it as tables." },
	{ "/", "The same as a page for people." },
	{ "/live, /ready, /startup, /metrics, /status",
	  "On the socket DIR/..sock: the same answers." },
	{ "/refresh", "On the socket only, by POST: poll now." },
};

static const char endpoints_intro[] =
	"Over HTTP at AKVSYNC_LISTEN, when that is set, for GET and HEAD. They show no "
	"value, but name vaults and objects.";

static const char events_intro[] =
	"Each line on stderr is one JSON object with ts, level, event, msg and the "
	"fields "
	"of the event; with AKVSYNC_LOG_FORMAT=text it is a sentence. A failure is "
	"logged "
	"when it begins, when it changes and once an hour, with the number of failures "
	"so "
	"far; its end is recovered, or withdrawn. Its field kind says what fails, and "
	"its "
	"field what names it: the path of an object, or vault 'NAME', Secret 'NAME' and "
	"the like.";

static const char metrics_intro[] =
	"At /metrics, in the text format of Prometheus, or as OpenMetrics when the "
	"request "
	"accepts that. None holds a value of an object or a digest of one.";

#define PAGE_ROWS(page, rows) manual_rows(page, rows, ARRAY_LEN(rows))

static void manual_rows(struct manpage *page, const struct manual_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		manpage_term(page, rows[i].term);
		manpage_body(page, rows[i].text);
	}
}

static void manual_option(struct manpage *page, const struct command_option *option)
{
	auto_buf struct buf text = BUF_INIT(1024);

	command_option_text(option, &text);
	buf_printf(&text, ": %s", option->help);
	manpage_body(page, buf_str(&text));
}

static void manual_command(struct manpage *page, const struct command *command)
{
	struct buf synopsis = BUF_INIT(1024);

	buf_text(&synopsis, "akvsync ");
	command_synopsis(command, &synopsis);
	manpage_term(page, buf_str(&synopsis));
	manpage_body(page, command->help);
	for (const struct command_option *o = command->options; o->name; o++)
		manual_option(page, o);
	if (command->details != NULL)
		manpage_lines(page, command->details);
	buf_done(&synopsis);
}

static void manual_variable(struct manpage *page, const struct variable *variable)
{
	const char *fallback = variable->fallback;
	auto_free char *term = xasprintf("%s%s%s", variable->name, fallback ? "=" : "",
					 fallback ? fallback : "");

	manpage_term(page, term);
	manpage_body(page, variable->help);
}

static void manual_exit(struct manpage *page, const struct exit_row *row)
{
	char code[16];

	snprintf(code, sizeof(code), "%d", row->code);
	manpage_term(page, code);
	manpage_body(page, row->meaning);
}

/* A text behind a label; nothing when it is empty. */
static void manual_labelled(struct manpage *page, const char *label, const char *text)
{
	auto_free char *both = xasprintf("%s: %s", label, text);

	if (*text)
		manpage_body(page, both);
}

static void manual_event(struct manpage *page, const struct event *event)
{
	auto_free char *term =
		xasprintf("%s%s%s (%s)", event->name, event->kind ? ", kind " : "",
			  event->kind ? event->kind : "", event->levels);

	manpage_term(page, term);
	manpage_body(page, event->meaning);
	manual_labelled(page, "What to do", event->action);
	manual_labelled(page, "Fields", event->fields);
}

static void manual_metric(struct manpage *page, const struct metric *metric)
{
	bool labelled = *metric->labels != '\0';
	auto_free char *term = xasprintf("%s%s%s%s %s", metric->name, labelled ? "{" : "",
					 metric->labels, labelled ? "}" : "",
					 metric_type_word(metric->type));

	manpage_term(page, term);
	manpage_body(page, metric->help);
	manual_labelled(page, "Bad", metric->bad);
}

static void manual_write(struct manpage *page)
{
	auto_free char *name = xasprintf("akvsync - %s", summary);

	manpage_begin(page, "AKVSYNC", AKVSYNC_VERSION);
	manpage_section(page, "NAME");
	if (page->format == MANPAGE_ROFF)
		buf_printf(page->out, "akvsync \\- %s\n", summary);
	else
		manpage_text(page, name);
	manpage_section(page, "SYNOPSIS");
	manpage_text(page, "akvsync COMMAND [ARGUMENT...]");
	manpage_section(page, "DESCRIPTION");
	for (size_t i = 0; i < ARRAY_LEN(description); i++)
		manpage_text(page, description[i]);
	manpage_section(page, "COMMANDS");
	for (const struct command *c = commands; c->name; c++)
		manual_command(page, c);
	manpage_section(page, "ENVIRONMENT");
	for (size_t i = 0; i < variable_count; i++)
		manual_variable(page, &variables[i]);
	manpage_section(page, "EXIT STATUS");
	for (const struct exit_row *e = exit_rows; e->meaning; e++)
		manual_exit(page, e);
	manpage_section(page, "SIGNALS");
	PAGE_ROWS(page, signal_rows);
	manpage_section(page, "FILES");
	PAGE_ROWS(page, file_rows);
	manpage_section(page, "ENDPOINTS");
	manpage_text(page, endpoints_intro);
	PAGE_ROWS(page, endpoint_rows);
	manpage_section(page, "EVENTS OF THE LOG");
	manpage_text(page, events_intro);
	for (const struct event *e = events; e->name; e++)
		manual_event(page, e);
	manpage_section(page, "METRICS");
	manpage_text(page, metrics_intro);
	for (size_t i = 0; i < METRICS; i++)
		manual_metric(page, &metrics[i]);
}

const struct command_option man_options[] = {
	{ "--format", "text|roff", "text for a pager, or the page akvsync.1" },
	{ NULL, NULL, NULL },
};

int command_man(int argc, char **argv)
{
	struct buf out = BUF_INIT(MANUAL_MAX_BYTES);
	struct manpage page = { .out = &out };
	struct options options;

	(void)argc;
	if (options_take("man", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	page.format = options_is(&options, 0, "roff") ? MANPAGE_ROFF : MANPAGE_TEXT;
	manual_write(&page);
	fputs(buf_str(&out), stdout);
	buf_done(&out);
	return command_printed(EXIT_DONE);
}
