# What `make bench` runs besides brume itself: the load generator, and a program for each micro_*.c.

BENCH_LOAD := $(BUILD)/tests/bench/load
BENCH_MICRO := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/micro_*.c))

bench-programs: $(BENCH_LOAD) $(BENCH_MICRO)
$(BENCH_LOAD): $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(wildcard tests/bench/load*.c))
	$(link) -lcrypto
$(BENCH_MICRO): %: %.o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS)
