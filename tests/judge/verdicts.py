"""One line for each check, counted."""

import traceback


class Verdicts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, action):
        """Runs a check; what it returns is shown beside its name. Any failure is shown whole."""
        try:
            said = action()
        except Exception as error:  # a judge that breaks has not passed
            self.failed += 1
            print(f"FAILED {name}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            return None
        self.passed += 1
        print(f"ok     {name}: {said}", flush=True)
        return said
