# Answers when a group is handed to the sync, not when the sync has returned.
# file: src/store/writer.c
# lines: 2
/^Error syncer_step(/,/^}/{
s/^    Error error = broken ? ERROR_FULL : OK;$/    post_completions(executed.calls); Error error = broken ? ERROR_FULL : OK;/
s/^    post_completions(executed.calls); \/\* the durability line.*$/    ;/
}
