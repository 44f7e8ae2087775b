# The spawner's tests, and the program that tries what no worker may.
RUNTIME := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/runtime/test_*.c))
RUNTIME_ATTACKS := $(BUILD)/tests/runtime/attacks

.PHONY: runtime-tests
runtime-tests: $(RUNTIME) $(RUNTIME_ATTACKS)

$(RUNTIME): %: %.o $(BUILD)/tests/runtime/harness.o $(BUILD)/tests/runtime/frames.o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS) $(TEST_LIBS)
$(RUNTIME_ATTACKS): %: %.o
	$(link)
