# The spawner's tests, and the program that tries what no worker may.
RUNTIME := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/runtime/test_*.c))
RUNTIME_ATTACKS := $(BUILD)/tests/runtime/attacks $(BUILD)/tests/runtime/layer/attacks.so

.PHONY: runtime-tests
RUNTIME_MEASURE := $(BUILD)/tests/runtime/measure

runtime-tests: $(RUNTIME) $(RUNTIME_ATTACKS) $(RUNTIME_MEASURE)

$(RUNTIME) $(RUNTIME_MEASURE): %: %.o $(BUILD)/tests/runtime/harness.o $(BUILD)/tests/runtime/frames.o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS) $(TEST_LIBS)
# Without sanitizers, whose own means the sandbox refuses.
$(BUILD)/tests/runtime/layer/attacks.so: PIC := -shared -fPIC
$(RUNTIME_ATTACKS): tests/runtime/attacks.c $(BUILD)/flags
	@mkdir -p $(@D) && echo "  cc $(@:$(BUILD)/%=%)" && \
	    $(CC) $(STD) -D_GNU_SOURCE $(filter-out -fsanitize=%,$(CFLAGS)) $(WARNINGS) $(PIC) -pthread $< -o $@
