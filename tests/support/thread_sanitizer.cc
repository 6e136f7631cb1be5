// What ThreadSanitizer says wrongly about libraries that were built without it.
extern "C" const char* __tsan_default_suppressions();

// Copies of an absl::Status share one counted body. The count goes down inside Abseil, where TSan
// does not see it, so the one that deletes the body seems to race with the last use of another
// copy.
extern "C" const char* __tsan_default_suppressions() { return "race:Unref\n"; }
