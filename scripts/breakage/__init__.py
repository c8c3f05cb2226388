"""What goes wrong around melon, made on purpose: for the tests, and by hand for `soak.py`."""
