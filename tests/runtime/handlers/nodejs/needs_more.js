require("no-such-thing");
