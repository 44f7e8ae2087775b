# The program with which tests/cases/run plays the recorded event patterns.
CASES_PATTERNS := $(BUILD)/tests/cases/patterns

.PHONY: cases-programs
test-programs cases-programs: $(CASES_PATTERNS)

$(CASES_PATTERNS): %: %.o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS)
