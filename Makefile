# make demo: the main job against a local fake vault.  make test: all tests.
# make V=1 shows commands; SAN=1 builds and tests with AddressSanitizer and UBSan.
# make static: the one static binary.  make image, make test-pod: docs/build.md.
# make hostile: tests/hostile at full length.  make model: the model test for a night.
# make fuzz FUZZ_SECONDS=60 [FUZZ=list]: each parser under libFuzzer, with clang; make corpus keeps what
# it found; make coverage: what that and the unit tests reach.  make mutants: tests/mutants.
# A new source file, header, test or fuzz target needs no edit here.

VERSION := $(shell sed -n 's/^ *newTag: //p' manifests/version/image.yaml)

CC      ?= cc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
SHARE    = $(DESTDIR)$(PREFIX)/share
PKGS    := libcurl openssl libcjson yaml-0.1 libmicrohttpd libseccomp
FLAVOUR := $(if $(STATIC),static-$(STATIC),$(if $(FUZZING),fuzz$(addprefix -,$(filter-out 1,$(FUZZING))),$(if $(COVERAGE),coverage,$(if $(filter 1,$(SAN)),san,release))))
B       := build/$(FLAVOUR)
Q       := $(if $(filter 1,$(V)),,@)
JOBS    ?= $(shell nproc)
# The tests wait far more than they compute.
PYTEST  := /usr/bin/python3 -m pytest -q -p no:cacheprovider -n $(shell expr $(JOBS) \* 3 + 6)

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef -Wformat=2 -Wstrict-prototypes \
           -Wmissing-prototypes -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
ALL_CF   = -std=c11 -D_GNU_SOURCE -Isyncer -DAKVSYNC_VERSION='"$(VERSION)"' $(WARN) -fPIE \
           -fstack-protector-strong -MMD -MP $(CFLAGS) $(shell pkg-config --cflags $(PKGS))
ALL_LD   = -pie -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS     = $(shell pkg-config $(if $(STATIC),--static) --libs $(PKGS)) -lm
ifneq ($(FUZZING),)
# OSS-Fuzz has its own: tests/fuzz/oss-fuzz/build.sh.
FUZZ_CF ?= -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LD ?= -fsanitize=address,undefined
FUZZ_CC ?= $(CC)
FUZZ_ENGINE ?= -fsanitize=fuzzer
ALL_CF  += $(FUZZ_CF)
ALL_LD  += $(FUZZ_LD)
else ifeq ($(COVERAGE),1)
ALL_CF  += -O1 -fprofile-instr-generate -fcoverage-mapping
ALL_LD  += -fprofile-instr-generate
else ifeq ($(SAN),1)
ALL_CF  += -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LD  += -fsanitize=address,undefined
else ifeq ($(STATIC),)
ALL_CF  += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

SRC     := $(filter-out syncer/main.c,$(wildcard syncer/*/*.c))
OBJ     := $(SRC:%.c=$B/%.o)
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY  := $(FUZZ:%=$B/fuzz/replay_%)
UNIT    := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
TEST_BIN ?= $B/akvsync

# Phony targets have no implicit rules: theirs, below, is a static one.
DEPS    := deps-build deps-test deps-demo deps-lint deps-fuzz deps-coverage deps-static deps-static-arm64 deps-image deps-pod deps-diagrams
.PHONY: all version build demo test unit replay fuzz corpus oss-fuzz coverage e2e lint format diagrams bench mutants hostile model clean install static test-static image sbom sources test-pod $(DEPS)
.DELETE_ON_ERROR:
.SECONDARY:

all: deps-build
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) build

build: $B/akvsync

version:
	@echo $(VERSION)

# The targets people type install what they need first, then build in a second make,
# so that pkg-config is asked only when it is there.
demo: deps-demo
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) build
	$(Q)scripts/demo $B/akvsync

test: deps-test
	$(Q)$(if $(OTHERS),:,tests/conformance/install all)
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) build $(UNIT) $(REPLAY)
	$(Q)$(MAKE) --no-print-directory unit replay e2e

unit: $(UNIT)
	$(Q)failed=; for t in $^; do $$t || failed="$$failed $${t##*/}"; done; \
	[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

replay: $(REPLAY)
	$(Q)set -e; for t in $(FUZZ); do $B/fuzz/replay_$$t tests/fuzz/corpus/$$t; done

# New inputs go to build/fuzz/found; the target stops at the first that fails.
FUZZ_SECONDS ?= 60
FUZZ_EACH = tests/fuzz/pack --unpack build/fuzz/corpus && \
	grep -ohE '"[A-Za-z0-9_.:/=-]{2,40}"' $$(grep -v '^\#' tests/fuzz/parsers) | sort -u >build/fuzz/words && \
	for t in $(FUZZ); do mkdir -p build/fuzz/found/$$t build/fuzz/corpus/$$t; echo $$t; done | xargs -P $(JOBS) -I{} sh -c
fuzz: deps-fuzz
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) CC=clang FUZZING=1 $(FUZZ:%=build/fuzz/fuzz/run_%)
	$(Q)$(FUZZ_EACH) 'build/fuzz/fuzz/run_{} -max_total_time=$(FUZZ_SECONDS) \
		-timeout=10 -rss_limit_mb=2048 -max_len=65536 -dict=build/fuzz/words -print_final_stats=1 \
		-artifact_prefix=build/fuzz/failed-{}- build/fuzz/found/{} build/fuzz/corpus/{} \
		>build/fuzz/{}.log 2>&1; code=$$?; \
		echo "{}: $$(grep -o "Done.*" build/fuzz/{}.log || tail -n 30 build/fuzz/{}.log)"; \
		exit $$code'

# Of the corpus and what was found, the fewest inputs that reach as much become the corpus.
corpus: deps-fuzz
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) CC=clang FUZZING=1 $(FUZZ:%=build/fuzz/fuzz/run_%)
	$(Q)$(FUZZ_EACH) 'rm -rf build/fuzz/least/{} && mkdir -p build/fuzz/least/{} && \
		build/fuzz/fuzz/run_{} -merge=1 -use_counters=0 -max_len=65536 build/fuzz/least/{} build/fuzz/corpus/{} build/fuzz/found/{} \
		>build/fuzz/{}.log 2>&1 && tests/fuzz/pack {} build/fuzz/least/{}'

# What OSS-Fuzz does, with the clang that is here: builds all, and runs each over its corpus.
oss-fuzz: deps-fuzz
	$(Q)rm -rf build/oss-fuzz && mkdir -p build/oss-fuzz
	$(Q)OUT=$(CURDIR)/build/oss-fuzz CC=clang CXX=clang++ CFLAGS="-O1 -g -fsanitize=address,fuzzer-no-link" \
		LIB_FUZZING_ENGINE=-fsanitize=fuzzer tests/fuzz/oss-fuzz/build.sh
	$(Q)set -e; cd build/oss-fuzz; for t in $(FUZZ); do mkdir $$t; python3 -m zipfile -e fuzz_$${t}_seed_corpus.zip $$t; \
		./fuzz_$$t -runs=0 $$t >$$t.log 2>&1 || { tail -n 30 $$t.log; exit 1; }; echo "fuzz_$$t $$(grep -o 'Done .* runs' $$t.log)"; done

coverage: deps-coverage
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) CC=clang COVERAGE=1 $(patsubst $B/%,build/coverage/%,$B/akvsync $(UNIT) $(REPLAY))
	$(Q)scripts/coverage build/coverage

# The tests that do not run the program run once: with its usual build.
OTHERS := $(if $(filter-out build/release/akvsync,$(TEST_BIN)),tests/fakevault tests/conformance)
e2e: $B/akvsync
	$(Q)TEST_BIN="$$(readlink -m "$(TEST_BIN)")" $(PYTEST) -rs \
		$(addprefix --ignore=,tests/pod tests/static $(OTHERS)) tests

# A small change of the program at a time: each must be noticed by a test.  ONLY=WORD picks some.
mutants: deps-test
	$(Q)/usr/bin/python3 tests/mutants/mutate.py -j $(JOBS) $(ONLY)

# tests/hostile at full length, with a table of its figures: TEST_BIN=build/static-amd64/akvsync for the static binary.
HOSTILE_KILLS ?= 500
HOSTILE_READS ?= 1000000
HOSTILE_POLLS ?= 100000
HOSTILE_OUT := $(abspath build/hostile/$(notdir $(patsubst %/,%,$(dir $(TEST_BIN)))))
hostile: deps-test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) build
	$(Q)rm -rf $(HOSTILE_OUT) && mkdir -p $(HOSTILE_OUT); from=$$(date +%s); code=0; \
	HOSTILE_KILLS=$(HOSTILE_KILLS) HOSTILE_READS=$(HOSTILE_READS) HOSTILE_POLLS=$(HOSTILE_POLLS) HOSTILE_REPORT=$(HOSTILE_OUT) \
	TEST_BIN="$$(readlink -m "$(TEST_BIN)")" $(PYTEST) -rs tests/hostile || code=1; \
	tests/hostile/table $(HOSTILE_OUT) $(TEST_BIN) $$(($$(date +%s) - from)) >$(HOSTILE_OUT)/report.md || code=1; \
	cat $(HOSTILE_OUT)/report.md; echo $(HOSTILE_OUT)/report.md; exit $$code

# The model test for a night: a million steps. A failing sequence names its seed.
MODEL_SEQUENCES ?= 166667
model: deps-test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $B/tests/test_model
	$(Q)MODEL_SEQUENCES=$(MODEL_SEQUENCES) nice -n 19 $B/tests/test_model

lint: deps-lint
	$(Q)scripts/lint

format: deps-lint
	$(Q)scripts/lint --fix

# The pictures of docs/architecture.md, after a change of their sources.
diagrams: deps-diagrams
	$(Q)scripts/diagrams

bench: deps-test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) build
	$(Q)tests/bench/bench $B/akvsync

# One stripped static binary, build/static-ARCH/akvsync, as in the image. ARCH=arm64 compiles
# for it with a cross compiler. scripts/static builds the libraries, once.
STATIC_CF := -Oz -fno-move-loop-invariants -ffunction-sections -fdata-sections -fstack-clash-protection \
	-fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=.
STATIC_CF_arm64 := -mbranch-protection=standard
STATIC_LD := -s -Wl,--gc-sections
STATIC_LD_amd64 := -Wl,-z,pack-relative-relocs
HOST := $(shell dpkg --print-architecture 2>/dev/null)
ARCH ?= $(HOST)
static: deps-static$(if $(filter arm64,$(ARCH)),$(if $(filter amd64,$(HOST)),-arm64))
	$(Q)libs=$$(scripts/static $(ARCH)) && out=build/static-$(ARCH) && mkdir -p $$out && \
	{ [ "$$(cat $$out/libs 2>/dev/null)" = "$$libs" ] || echo "$$libs" >$$out/libs; } && \
	PKG_CONFIG_LIBDIR=$$libs/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$$libs/root \
	$(MAKE) --no-print-directory -j$(JOBS) STATIC=$(ARCH) CC=$$libs/bin/musl-cc \
		AR=$$libs/bin/musl-ar CFLAGS="$(STATIC_CF) $(STATIC_CF_$(ARCH))" LDFLAGS="$(STATIC_LD) $(STATIC_LD_$(ARCH))" build && \
	cp $$libs/deps.lock $$libs/libgcc $$out/ && \
	rm -rf $$out/licenses && cp -r $$libs/root/usr/share/licenses $$out/ && \
	file $$out/akvsync && stat -c '%s bytes' $$out/akvsync

# All end-to-end tests, with the static binary; and what is true of it alone.
test-static: static deps-test
	$(Q)$(MAKE) --no-print-directory e2e TEST_BIN=build/static-$(HOST)/akvsync
	$(Q)TEST_BIN=$(CURDIR)/build/static-$(HOST)/akvsync $(PYTEST) -rs tests/static

sbom: static
	$(Q)scripts/sbom $(ARCH) >build/static-$(ARCH)/sbom.spdx.json
	@echo build/static-$(ARCH)/sbom.spdx.json

# Published beside the image: NOTICE.
sources: static
	$(Q)scripts/sources $(ARCH)

image: deps-image
	$(Q)scripts/image --output build/akvsync.oci akvsync:$(VERSION)
	@echo "build/akvsync.oci: akvsync:$(VERSION), $$(stat -c %s build/akvsync.oci) bytes"

# Real pods on a real Kubernetes: see scripts/pod-test --help.
test-pod: deps-image deps-pod deps-test
	$(Q)scripts/pod-test

$(DEPS): deps-%:
	$(Q)scripts/install-deps $*

install: build
	install -D -m 0755 $B/akvsync $(DESTDIR)$(PREFIX)/bin/akvsync
	$B/akvsync man --format roff | install -D -m 0644 /dev/stdin $(SHARE)/man/man1/akvsync.1
	$B/akvsync completion bash | install -D -m 0644 /dev/stdin $(SHARE)/bash-completion/completions/akvsync
	$B/akvsync completion zsh | install -D -m 0644 /dev/stdin $(SHARE)/zsh/site-functions/_akvsync
	$B/akvsync completion fish | install -D -m 0644 /dev/stdin $(SHARE)/fish/vendor_completions.d/akvsync.fish

clean:
	rm -rf build

ifneq ($(STATIC),)
$(OBJ) $B/syncer/main.o: $B/libs
endif

$B/akvsync: $B/syncer/main.o $B/libsyncer.a
	@echo "LD   $@"
	$(Q)$(CC) $(ALL_LD) -o $@ $^ $(LIBS)

$B/libsyncer.a: $(OBJ)
	@echo "AR   $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/%.o: %.c Makefile
	@echo "CC   $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CF) -c -o $@ $<

# A test may name linker flags in a line "// LDFLAGS: …", such as --wrap of calls to fail.
$B/tests/%: $B/tests/unit/%.o $B/libsyncer.a
	@echo "LD   $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LD) $$(sed -n 's|^// LDFLAGS: ||p' tests/unit/$*.c) -o $@ $^ \
		$(LIBS) $$(pkg-config --libs cmocka)

$B/fuzz/replay_%: $B/tests/fuzz/fuzz_%.o $B/tests/fuzz/replay.o $B/libsyncer.a
	@echo "LD   $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LD) $$(sed -n 's|^// LDFLAGS: ||p' tests/fuzz/fuzz_$*.c) -o $@ $^ $(LIBS)

$B/fuzz/run_%: $B/tests/fuzz/fuzz_%.o $B/libsyncer.a
	@echo "LD   $@"
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(ALL_LD) $$(sed -n 's|^// LDFLAGS: ||p' tests/fuzz/fuzz_$*.c) -o $@ $^ \
		$(FUZZ_ENGINE) $(LIBS)

-include $(OBJ:.o=.d) $B/syncer/main.d $(patsubst tests/unit/%.c,$B/tests/unit/%.d,$(wildcard tests/unit/test_*.c)) $(wildcard $B/tests/fuzz/*.d)
