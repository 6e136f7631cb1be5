#include "manager/answer.h"

#include <string>
#include <string_view>
#include <utility>

#include "wire/filters.h"

namespace swarm {
namespace {

bool IsSwitchedOn(const Query& query, std::string_view key, bool otherwise) {
  const std::string* const value = FindQuery(query, key);
  if (value == nullptr) return otherwise;
  return ParseBoolean(*value);
}

bool IsFollowed(const Request& request) {
  if (request.method != "GET") return false;
  const std::string_view target = request.target;
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  if (path.ends_with("/events")) return true;
  const Query query =
      ParseQuery(mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1));
  if (path.ends_with("/logs")) return IsSwitchedOn(query, "follow", false);
  return path.ends_with("/stats") && IsSwitchedOn(query, "stream", true);
}

// Counts itself while it is open.
class CountedStream final : public Stream {
 public:
  CountedStream(std::unique_ptr<Stream> inner, std::shared_ptr<std::atomic<int>> count)
      : inner_(std::move(inner)), count_(std::move(count)) {
    ++*count_;
  }
  ~CountedStream() override { --*count_; }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    inner_->Read(into, std::move(done));
  }
  void Write(std::string_view bytes, Callback<absl::Status> done) override {
    inner_->Write(bytes, std::move(done));
  }
  void CloseWrite() override { inner_->CloseWrite(); }
  void Abort() override { inner_->Abort(); }

 private:
  const std::unique_ptr<Stream> inner_;
  const std::shared_ptr<std::atomic<int>> count_;
};

}  // namespace

Task<void> Answer(Api* api, Request request, ResultCallback<Reply> done,
                  [[maybe_unused]] RunningRequest running) {
  Reply reply = co_await api->Handle(std::move(request));
  done(std::move(reply));
}

Task<void> AnswerServed(Api* api, Request request, ResultCallback<Reply> done,
                        [[maybe_unused]] RunningRequest running,
                        std::shared_ptr<std::atomic<int>> followed) {
  const bool is_followed = IsFollowed(request);
  Reply reply = co_await api->Handle(std::move(request));
  if (is_followed && reply.body_stream) {
    reply.body_stream =
        std::make_unique<CountedStream>(std::move(reply.body_stream), std::move(followed));
  }
  done(std::move(reply));
}

}  // namespace swarm
