// Certificates made on the spot, in a directory of their own that goes with them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "swarmlib/manager.h"

namespace swarm {

// A certificate authority in a temporary directory.
class TestAuthority {
 public:
  explicit TestAuthority(std::string_view common_name = "test CA");
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // A certificate for both roles with these subject alternative names ("IP:127.0.0.1",
  // "DNS:localhost"), signed by this CA; valid for an hour, or expired an hour ago.
  struct Files {
    std::string certificate, key;
  };
  Files Issue(std::string_view common_name, std::string_view alternative_names = "IP:127.0.0.1",
              bool expired = false);

  // A file with that text in the directory.
  std::string Write(std::string_view name, std::string_view text);

  const std::string& ca_file() const { return ca_file_; }
  TlsConfig Config(const Files& files, bool verify) const;

 private:
  struct State;
  State* state_;
  std::string directory_;
  std::string ca_file_;
  std::vector<std::string> written_;
  int serial_ = 1;
};

}  // namespace swarm
