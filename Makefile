# SPDX-License-Identifier: Apache-2.0
# One non-recursive Makefile. Flavours never mix: SANITIZE=address,undefined and COVERAGE=1 build in
# folders of their own, so does FUZZ=1 (with CC=clang). V=1 shows the commands, WERROR=1 makes warnings errors.

CC ?= cc
PREFIX ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config
VERSION := 0.1

flavour := $(if $(SANITIZE),-san)$(if $(COVERAGE),-cov)$(if $(FUZZ),-fuzz)
B := build$(flavour)
PKGS := libhs libpcre2-8 yaml-0.1 libarchive zlib libelf libdw libcrypto jansson libseccomp

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wwrite-strings -Wundef $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
# libhs.pc of some distributions adds C++ flags; only the include folders are wanted
PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags-only-I $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
san := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
cov := $(if $(COVERAGE),--coverage) $(if $(FUZZ),-fsanitize=fuzzer-no-link)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARN) -Iinclude $(PKG_CFLAGS) -MMD -MP -fPIE \
	-fstack-protector-strong -DCORESCRUB_VERSION='"$(VERSION)"' -DCORESCRUB_PREFIX='"$(PREFIX)"' \
	$(if $(san),,-D_FORTIFY_SOURCE=2) $(CFLAGS) $(san) $(cov)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(san) $(cov)
LIBS = $(PKG_LIBS) -lpthread -lm

srcs := $(filter-out src/cli/main.c,$(wildcard src/*/*.c))
objs := $(srcs:%.c=$B/%.o)
lib := $B/libcorescrub.a
prog := $B/corescrub
units := $(patsubst tests/unit/%.c,$B/tests/unit/%,$(wildcard tests/unit/test_*.c))
fuzzers := $(patsubst tests/fuzz/%.c,$B/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
packs := $(wildcard rules/*.yaml)
profiles := $(wildcard profiles/*)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(patsubst $B/%,%,$@);)

.PHONY: all deps demo check check-asterisk bench install clean units fuzzers
all: $(prog) $B/rules.stamp

# The innermost loops over a core's bytes: -O2 leaves a twentieth of their speed.
fast := $(patsubst %,$B/src/%.o,check/check_block check/check_table detect/memory_address \
	detect/memory_runs learn/learn_digits learn/learn_memory learn/learn_scan rule/gram)
$(fast): CFLAGS := $(CFLAGS:-O2=-O3)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(lib): $(objs)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$(prog): $B/src/cli/main.o $(lib)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(LIBS)

# The packs beside the program, with their prepared database; an example that fails stops the build.
$B/rules.stamp: $(prog) $(packs) $(profiles)
	$(call say,RULE)install -d -m 755 $B/rules $B/profiles && install -m 644 $(packs) $B/rules/ && \
		install -m 644 $(profiles) $B/profiles/ && \
		$(prog) rules prepare -o $B/rules/rules.hsdb && touch $@

$B/tests/unit/%: $B/tests/unit/%.o $(lib)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(LIBS) $$($(PKG_CONFIG) --libs cmocka)
fuzzers: $(fuzzers)
units: $(units) $(fuzzers) $B/tests/bench/age_tool

# Fuzz targets: with a replay main for make check; FUZZ=1 with clang links libFuzzer instead.
$B/tests/fuzz/fuzz_%: $B/tests/fuzz/fuzz_%.o $(if $(FUZZ),,$B/tests/fuzz/replay.o) $(lib)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) $^ -o $@ $(LIBS)

# Programs of the benchmark; their main is theirs alone.
$B/tests/bench/%: $B/tests/bench/%.o $(lib)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) $^ -o $@ $(LIBS)

deps:
	@tests/deps.sh

demo: deps
	@$(MAKE) --no-print-directory all
	@examples/pbxlike/demo.sh $(prog)

check: deps
	@$(MAKE) --no-print-directory all units
	@B=$B SANITIZE=$(SANITIZE) tests/run.sh

bench: all $B/tests/bench/siplog $B/tests/bench/in_turn
	@B=$B tests/bench/run.sh

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/corescrub/rules \
		$(DESTDIR)$(PREFIX)/share/corescrub/profiles \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(prog) $(DESTDIR)$(PREFIX)/bin/corescrub
	ln -sf corescrub $(DESTDIR)$(PREFIX)/bin/ast_coredumper
	install -m 644 $B/rules/*.yaml $B/rules/rules.hsdb $(DESTDIR)$(PREFIX)/share/corescrub/rules/
	install -m 644 $(profiles) $(DESTDIR)$(PREFIX)/share/corescrub/profiles/
	$(prog) generate man > $(DESTDIR)$(PREFIX)/share/man/man1/corescrub.1
	$(prog) generate bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/corescrub
	ln -sf corescrub.1 $(DESTDIR)$(PREFIX)/share/man/man1/ast_coredumper.1
	ln -sf corescrub $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ast_coredumper

# Not in CI: needs root, debootstrap, sipp and some 400 MB from the distribution.
check-asterisk: all
	@tests/asterisk/check.sh

clean:
	rm -rf build build-*

.PRECIOUS: $B/%.o
-include $(objs:.o=.d) $B/src/cli/main.d $(units:%=%.d) $(fuzzers:%=%.d)
