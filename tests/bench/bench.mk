# What `make bench` runs besides brume and the microbenchmarks: the load generator, which shares nothing with them.

BENCH_LOAD := $(BUILD)/tests/bench/load/load

bench-programs: $(BENCH_LOAD)
$(BENCH_LOAD): $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(wildcard tests/bench/load/*.c))
	$(link) -lcrypto -lnghttp2
