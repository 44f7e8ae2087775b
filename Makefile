# Minimal; tools and tests extend it.
BUILD ?= build
CC ?= gcc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Werror
PKGS := libuv libcrypto rocksdb expat
CPPFLAGS += -D_GNU_SOURCE -Isrc -I$(BUILD)/gen -I/usr/share/include/llhttp
STD := -std=gnu17
SRC := $(wildcard src/*/*.c src/*/*/*.c)
OBJ := $(SRC:%.c=$(BUILD)/%.o)
include tools/apigen.mk
LIB_OBJ := $(filter-out $(BUILD)/src/cli/main.o,$(OBJ))
all: $(LIB_OBJ)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP -c $< -o $@
-include $(OBJ:.o=.d)
