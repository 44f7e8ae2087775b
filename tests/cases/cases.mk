# The program with which tests/cases/run plays the recorded event patterns.
CASES_PATTERNS := $(BUILD)/tests/cases/patterns

test-programs: $(CASES_PATTERNS)

$(CASES_PATTERNS): %: %.o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS)
