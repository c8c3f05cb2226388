"""The commands of `melon`: each parses, calls one function of a room, and renders its answer."""
