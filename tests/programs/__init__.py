"""Real, unmodified programs under the policy, and the manual page that says what is reached."""
import sys

sys.dont_write_bytecode = True
