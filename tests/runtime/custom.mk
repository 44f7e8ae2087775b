# Programs of the tests of custom runtimes: the Runtime API without a sandbox, and a function's bootstrap in C.

CUSTOM_SHIM := $(BUILD)/tests/runtime/custom_shim
CUSTOM_BOOTSTRAP := $(BUILD)/tests/runtime/custom_c/bootstrap
runtime-tests: $(CUSTOM_SHIM) $(CUSTOM_BOOTSTRAP)

$(CUSTOM_SHIM): $(CUSTOM_SHIM).o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS)
# As a user would: one static file.
$(CUSTOM_BOOTSTRAP): tests/runtime/custom_c/bootstrap.c $(BUILD)/flags
	@mkdir -p $(@D) && echo "  cc $(@:$(BUILD)/%=%)" && $(CC) $(STD) $(CFLAGS) $(WARNINGS) -static $< -o $@
