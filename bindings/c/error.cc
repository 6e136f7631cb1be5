#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "bindings/c/guard.h"
#include "bindings/c/handles.h"
#include "bindings/c/utf8.h"
#include "swarmlib/status.h"
#include "swarmlib/swarm_extend.h"

namespace swarm::c {

thread_local int InCallback::depth_ = 0;

absl::Status StatusOfException() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("out of memory");
  } catch (const std::exception& exception) {
    return Internal(std::string("an exception: ") + exception.what());
  } catch (...) {
    return Internal("an exception of an unknown type");
  }
}

swarm_code Fail(const char* call, const absl::Status& status, swarm_error** error) {
  const auto code = static_cast<swarm_code>(status.code());
  if (error == nullptr) return code;
  try {
    *error = New<swarm_error>(
        swarm_error{code, HttpStatusOf(status),
                    std::string(call) + ": " + ToUtf8(std::string(MessageOf(status)))});
  } catch (...) {
    *error = nullptr;  // no memory for it: the code says it alone
  }
  return code;
}

absl::Status MayWait() {
  if (!InCallback::Now()) return absl::OkStatus();
  return FailedPrecondition(
      "it waits, and so may not be called in a callback of the library; call it on a thread of "
      "your own");
}

absl::Status MakeStatus(swarm_code code, std::string_view message) {
  const int number = static_cast<int>(code);
  const bool known = number > 0 && number <= static_cast<int>(SWARM_UNAUTHENTICATED);
  return {known ? static_cast<absl::StatusCode>(number) : absl::StatusCode::kUnknown,
          absl::string_view(message.data(), message.size())};
}

absl::Status StatusOfCallback(std::string_view whose, swarm_code code, const swarm_failure& failure,
                              const absl::Status& thrown) {
  std::string message(whose);
  if (!thrown.ok()) {
    message.append(": its callback threw ").append(MessageOf(thrown));
    return MakeStatus(SWARM_INTERNAL, message);
  }
  message.append(": ").append(failure.message.empty()
                                  ? std::string("its callback failed with ") + swarm_code_name(code)
                                  : failure.message);
  return MakeStatus(code, message);
}

Duration ToDuration(std::int64_t milliseconds) {
  constexpr std::int64_t kLongest = std::int64_t{10} * 365 * 24 * 3600 * 1000;
  if (milliseconds < 0 || milliseconds > kLongest) milliseconds = kLongest;
  return std::chrono::milliseconds(milliseconds);
}

absl::Status Wanted(const void* pointer, const char* name) {
  if (pointer != nullptr) return absl::OkStatus();
  return InvalidArgument(std::string(name) + " is NULL");
}

char* CopyOut(std::string given) {
  const std::string text = ToUtf8(std::move(given));
  char* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace swarm::c

using namespace swarm::c;

const char* swarm_code_name(swarm_code code) {
  switch (code) {
    case SWARM_OK: return "OK";
    case SWARM_CANCELLED: return "CANCELLED";
    case SWARM_UNKNOWN: return "UNKNOWN";
    case SWARM_INVALID_ARGUMENT: return "INVALID_ARGUMENT";
    case SWARM_DEADLINE_EXCEEDED: return "DEADLINE_EXCEEDED";
    case SWARM_NOT_FOUND: return "NOT_FOUND";
    case SWARM_ALREADY_EXISTS: return "ALREADY_EXISTS";
    case SWARM_PERMISSION_DENIED: return "PERMISSION_DENIED";
    case SWARM_RESOURCE_EXHAUSTED: return "RESOURCE_EXHAUSTED";
    case SWARM_FAILED_PRECONDITION: return "FAILED_PRECONDITION";
    case SWARM_ABORTED: return "ABORTED";
    case SWARM_OUT_OF_RANGE: return "OUT_OF_RANGE";
    case SWARM_UNIMPLEMENTED: return "UNIMPLEMENTED";
    case SWARM_INTERNAL: return "INTERNAL";
    case SWARM_UNAVAILABLE: return "UNAVAILABLE";
    case SWARM_DATA_LOSS: return "DATA_LOSS";
    case SWARM_UNAUTHENTICATED: return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

swarm_code swarm_error_code(const swarm_error* error) {
  return IsLive(error, "swarm_error_code") ? error->code : SWARM_OK;
}
int swarm_error_http_status(const swarm_error* error) {
  return IsLive(error, "swarm_error_http_status") ? error->http_status : 200;
}
const char* swarm_error_message(const swarm_error* error) {
  return IsLive(error, "swarm_error_message") ? error->message.c_str() : "";
}
void swarm_error_free(swarm_error* error) { Free(error, "swarm_error_free"); }

void swarm_failure_message(swarm_failure* failure, const char* message) {
  if (failure == nullptr) return;
  GuardValue(0, [&] {
    failure->message = OrEmpty(message);
    return 0;
  });
}

void swarm_string_free(char* string) { std::free(string); }
