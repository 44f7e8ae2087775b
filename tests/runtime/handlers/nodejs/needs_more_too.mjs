import "no-such-thing";
