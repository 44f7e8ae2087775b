# Brume's build: one non-recursive Makefile. What it makes lies under build/.
#
#   make                         build/brume
#   make run                     set up, build, start, and send a first message
#   make test | check            every test | format, tidy, layout and length rules
#   make install | deb | bundle  packaging/package.mk
#   make SANITIZE=thread …       the same in build/thread/; also address,undefined
#   make FAILPOINTS=1 …          the same with the crash tests' failpoints, in build/failpoints/
#
# Sources are found by wildcard: src/*/*.c, src/*/*/*.c; tests/unit/test_*.c and tests/sim/test_*.c become a program
# each; so do tests/fuzz/fuzz_*.c and tests/bench/micro_*.c. Parts that make more put it into a .mk file of their own.

comma := ,
VARIANT := $(subst $(comma),-,$(SANITIZE))$(if $(FAILPOINTS),$(if $(SANITIZE),-)failpoints)
BUILD ?= build$(if $(VARIANT),/$(VARIANT))
# Generated code is the same for every variant.
GEN := build/gen

PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
PKGS := libuv libssl libcrypto libnghttp2 rocksdb expat zlib libseccomp libcap libpcre2-8

# ---- Flags ----

# Two warnings of gcc know less of values, and so cry wolf, where sanitizers are compiled in.
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Werror \
    $(if $(SANITIZE),-Wno-unknown-warning-option -Wno-format-truncation -Wno-maybe-uninitialized)
CFLAGS ?= -O2 -g
HARDEN := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
STD := -std=gnu17
ALL_CPPFLAGS = -D_GNU_SOURCE -Isrc -I$(GEN) -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 \
    $(PKG_CFLAGS) \
    $(if $(FAILPOINTS),-DBRUME_FAILPOINTS) $(CPPFLAGS)
ALL_CFLAGS = $(STD) $(CFLAGS) $(HARDEN) -fno-omit-frame-pointer -pthread \
    $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
ALL_LDFLAGS = $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -pthread -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS)
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null))
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lm
TEST_LIBS := $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null)

# ---- Sources ----

all:

# The declarations' code: the fragment sets GEN_SRC and GEN_HDR, and has the rules that make them.
API := $(wildcard api/*.smithy)
GEN_SRC := $(API:api/%.smithy=$(GEN)/api/%.c)
GEN_HDR := $(API:api/%.smithy=$(GEN)/api/%.h)
-include $(wildcard tools/*.mk tests/*/*.mk)

SRC := $(wildcard src/*/*.c src/*/*/*.c)
LLHTTP := api http llhttp
MAIN_OBJ := $(BUILD)/src/cli/main.o
LIB_OBJ := $(filter-out $(MAIN_OBJ),$(SRC:%.c=$(BUILD)/%.o)) $(GEN_SRC:$(GEN)/%.c=$(BUILD)/gen/%.o) \
    $(LLHTTP:%=$(BUILD)/llhttp/%.o)
LIB := $(BUILD)/libbrume.a
BRUME := $(BUILD)/brume

# Test programs, and what the programs of one folder share (its other sources).
programs = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/$1/$2_*.c))
shared = $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(filter-out tests/$1/$2_%,$(wildcard tests/$1/*.c)))
UNIT := $(call programs,unit,test)
SIM := $(call programs,sim,test)
FUZZ := $(call programs,fuzz,fuzz)
BENCH := $(call programs,bench,micro)

# ---- Rules ----

.PHONY: all programs test-programs fuzz-programs bench-programs generated run test test-clients check bench soak fuzz fuzz-build \
    size clean show-flags FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BRUME)
programs: all test-programs bench-programs
test-programs: $(UNIT) $(SIM)
bench-programs: $(BENCH)
fuzz-programs: $(FUZZ)
generated: $(GEN_SRC) $(GEN_HDR)

# Other flags, other objects: this file changes when they do.
$(BUILD)/flags: FORCE
	@$(PKG_CONFIG) --exists --print-errors $(PKGS) || { echo "a library is missing: run tools/setup" >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(WARNINGS)' | cmp -s - $@ || \
	    echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(WARNINGS)' > $@

compile = @mkdir -p $(@D) && echo "  cc $(@:$(BUILD)/%=%)" && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags | $(GEN_HDR)
	$(compile) $(WARNINGS) -c $< -o $@
$(BUILD)/gen/%.o: $(GEN)/%.c $(BUILD)/flags | $(GEN_HDR)
	$(compile) $(WARNINGS) -c $< -o $@
$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags | $(GEN_HDR)
	$(compile) -Itests $(WARNINGS) -c $< -o $@
# Third-party sources, compiled in as they come.
$(BUILD)/llhttp/%.o: /usr/share/llhttp/%.c $(BUILD)/flags
	$(compile) -w -c $< -o $@

$(LIB): $(LIB_OBJ)
	@rm -f $@ && $(AR) rcs $@ $^

link = @mkdir -p $(@D) && echo "  ld $(@:$(BUILD)/%=%)" && $(CC) $(ALL_CFLAGS) $(filter %.o %.a,$^) -o $@ $(ALL_LDFLAGS)

$(BRUME): $(MAIN_OBJ) $(LIB)
	$(link) $(PKG_LIBS)
$(UNIT): %: %.o $(call shared,unit,test) $(LIB)
	$(link) $(PKG_LIBS) $(TEST_LIBS)
$(SIM): %: %.o $(call shared,sim,test) $(LIB)
	$(link) $(PKG_LIBS) $(TEST_LIBS)
$(BENCH): %: %.o $(call shared,bench,micro) $(LIB)
	$(link) $(PKG_LIBS)
# Only in the variant of `make fuzz`, whose objects carry libFuzzer's coverage.
$(FUZZ): %: %.o $(call shared,fuzz,fuzz) $(LIB)
	$(link) -fsanitize=fuzzer $(PKG_LIBS)

# ---- What people ask for ----

run:
	@tools/run $(ARGS)
# PARTS="unit wire" for some of it.
test:
	@tools/test $(PARTS:%=--part %)
test-clients:
	@tools/setup --clients
	@$(MAKE) all
	@tests/clients/run
check:
	@tools/check/run
bench:
	@tools/setup --bench
	@$(MAKE) all bench-programs
	@tests/bench/run
soak:
	@tools/soak $(ARGS)

# FUZZ_SECONDS for each target.
FUZZ_SECONDS ?= 60
fuzz-build:
	@$(MAKE) CC=clang BUILD=build/fuzz SANITIZE=fuzzer-no-link,address,undefined fuzz-programs
fuzz: fuzz-build
	@tests/fuzz/run $(FUZZ_SECONDS)

# make install, deb, bundle, docs
include packaging/package.mk

# The size that the executable has on a user's disk.
size: $(BRUME)
	@strip -o $(BRUME).stripped $(BRUME) && stat -c '%n: %s bytes' $(BRUME).stripped

# For tools that read the sources as the compiler does.
show-flags:
	@echo '$(STD) $(ALL_CPPFLAGS) $(WARNINGS)'

clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(MAIN_OBJ:.o=.d)
-include $(wildcard $(BUILD)/tests/*/*.d)
