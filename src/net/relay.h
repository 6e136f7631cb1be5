// The short way of a request that needs no handler: from the client's connection to an engine's
// kept one and back, without a Request or a Reply in between.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/body_decoder.h"
#include "net/bounds.h"
#include "net/client.h"
#include "net/client_connection.h"
#include "net/http_head.h"
#include "net/http_head_writer.h"
#include "net/server.h"

namespace swarm::net {

// Rewrites bodies on their way.
class BodyEdit {
 public:
  virtual ~BodyEdit() = default;
  // Appends the whole rewritten `body` to `edited`; false = cannot.
  virtual bool Append(std::string_view body, std::string* edited) = 0;
};

// Where a request goes. One object serves all requests of a connection, so that strings keep their
// memory.
struct Forward {
  std::shared_ptr<Client> upstream;  // of the server's loop
  std::string target;                // origin form, as the engine shall read it
  // For the answer. The engine's Api-Version, Server, Date, Docker-Experimental and Ostype are
  // dropped.
  FieldLines common_fields;
  // Of the whole body of a 200 answer, at most kMaxEditedBody; where it cannot, the client gets
  // 502. Null = bodies pass through as they come.
  std::shared_ptr<BodyEdit> edit;
  // Asked every kRelayDeadline while the engine owes its head: whether its node is healthy. When it
  // is not any more, or without this, the handler answers.
  std::shared_ptr<const std::function<bool()>> is_healthy;
  Duration patience = kRelayPause;  // for the head; then the client gets 504
  std::string_view route;  // what ServerOptions::forwarded is told; lives as long as the program
};

// What the relay asks of the client's connection.
class RelayOwner {
 public:
  virtual ~RelayOwner() = default;
  virtual std::shared_ptr<void> KeepAlive() = 0;  // holds the owner while a callback runs
  virtual Transport& client() = 0;
  virtual std::string_view DateField() = 0;
  // The answer's head is about to be written: the request cannot be answered by the handler any
  // more. True if the connection will be kept.
  virtual bool RelayCommits() = 0;
  // The status that the client gets, and the time to it.
  virtual void RelayAnswered(int status, Duration took) = 0;
  // The engine owes the next piece of the answer from now on; or it does not.
  virtual void RelayAwaits(bool engine) = 0;
  // The engine owes its head after that time, and is waited for; another kRelayDeadline begins.
  virtual void RelayAwaitsHead(Duration waited) = 0;
  virtual void RelayFinished() = 0;   // the answer is out
  virtual void RelayFallsBack() = 0;  // nothing was sent to the client: let the handler answer
  virtual void RelayRefuses(int status,
                            std::string_view message) = 0;  // nothing was sent to the client
  virtual void RelayBroke() = 0;  // the answer cannot be ended: drop the client
};

class Relay final : public ConnectionUser {
 public:
  explicit Relay(RelayOwner& owner) : owner_(owner) {}
  ~Relay() override { Drop(); }

  Forward& forward() { return forward_; }
  // Sends the request on. False, with nothing done, when no connection is kept.
  bool Start(const RequestHead& head);
  // Gives up; nothing is called any more.
  void Drop();
  // Bytes of the answer have gone to the client.
  bool committed() const { return committed_; }
  // The whole answer is held here, else it passes through as it comes.
  bool editing() const { return editing_; }
  // Bytes of memory.
  std::size_t held() const;
  // The engine took long: for its head, which is waited for while its node is healthy, since a
  // second request would do the work twice; or too long for the next piece.
  void TimeOut();

  void OnInput() override;

 private:
  void WriteRequest(const RequestHead& head);
  void TakeHead();
  void WriteAnswerHead();
  void Commit();
  void Refuse(int status, const std::string& why);
  void Break(const std::string& why);
  void TellAnswered(int status);
  void TakeBody();
  void PassLength();
  void PassDecoded();
  void CollectForEdit();
  void WritePieces(std::size_t taken);
  void OnWritten(const absl::Status& status);
  void Finish();
  void Shrink();

  RelayOwner& owner_;
  Forward forward_;
  std::unique_ptr<ClientConnection> connection_;
  std::uint64_t attempt_ = 0;  // tells late callbacks of an earlier request
  TimePoint started_{};
  std::size_t interim_heads_ = 0;
  bool request_sent_ = false;
  bool head_taken_ = false;
  bool committed_ = false;
  bool editing_ = false;
  bool writing_ = false;
  bool ended_ = false;  // all of the answer has been taken
  std::string request_text_;
  std::string_view request_piece_;
  ResponseHeadParser parser_;
  BodyDecoder body_;
  std::uint64_t left_ = 0;     // kLength without edit
  std::size_t in_flight_ = 0;  // of the input, being written
  bool keep_engine_ = false;
  std::string head_text_;
  std::string chunk_text_;
  std::string collected_, edited_;
  std::unique_ptr<char[]> decoded_;  // kStreamBuffer bytes, while an answer needs them
  std::vector<std::string_view> pieces_;
};

}  // namespace swarm::net
