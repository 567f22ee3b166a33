"""The laboratory: real TLS servers on loopback, real clients, and trustgraft between them."""
import sys

sys.dont_write_bytecode = True
