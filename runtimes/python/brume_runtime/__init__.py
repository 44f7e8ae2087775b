"""What Brume's Python bootstrap is made of. A package, so that no name of it meets a handler's own module."""
