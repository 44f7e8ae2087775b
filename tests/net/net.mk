# The server of src/net alone, for load and for trying things by hand.
NET_SERVER := $(BUILD)/tests/net/http_server

.PHONY: net-server
net-server: $(NET_SERVER)

$(NET_SERVER): %: %.o $(BUILD)/libbrume.a
	$(link) $(PKG_LIBS)
