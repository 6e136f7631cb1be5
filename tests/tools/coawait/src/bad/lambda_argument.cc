// What tools/check_coawait.py must find: never compiled.
Task<void> Wrong(int value) { co_await Run([value] { return value; }); }
