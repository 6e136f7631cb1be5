// Time of one head through the parser and the writer, on one warm core.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "net/http_head.h"
#include "net/http_head_writer.h"

namespace {

constexpr int kRounds = 5;
constexpr int kHeads = 1'000'000;

// Least nanoseconds of one call over all rounds.
template <typename Work>
double LeastNanoseconds(Work work) {
  double least = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kHeads; ++i) work();
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    least = std::min(least, taken.count() / kHeads);
  }
  return least;
}

}  // namespace

int main() {
  const std::string request =
      "GET /v1.41/containers/4f5c0e4d8f0e2a7b4f5c0e4d8f0e2a7b4f5c0e4d8f0e2a7b4f5c0e4d8f0e2a7b/json "
      "HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/20.10.24+dfsg1 (linux)\r\n"
      "Accept-Encoding: gzip\r\nX-Registry-Auth: eyJ1c2VybmFtZSI6ImEiLCJwYXNzd29yZCI6ImIifQ==\r\n"
      "Content-Type: application/json\r\nConnection: keep-alive\r\n\r\n";
  const std::string response =
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
      "Docker-Experimental: false\r\nOstype: linux\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n"
      "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 1928\r\n\r\n";
  swarm::net::RequestHeadParser requests;
  swarm::net::ResponseHeadParser responses;
  std::string out;
  std::size_t used = 0;  // keeps the work from being optimised away
  const double parse_request = LeastNanoseconds([&] {
    requests.Reset();
    used += requests.Parse(request).size;
  });
  const double parse_response = LeastNanoseconds([&] {
    responses.Reset({});
    used += responses.Parse(response).size;
  });
  const double write = LeastNanoseconds([&] {
    out.clear();
    swarm::net::AppendRequestLine(&out, requests.head().method, requests.head().target);
    swarm::net::AppendEndToEndFields(&out, requests.head().fields);
    swarm::net::AppendHeadEnd(&out);
    used += out.size();
  });
  std::printf(
      "parse a request of %zu bytes: %.0f ns\nparse a response of %zu bytes: %.0f ns\n"
      "write a request: %.0f ns\n",
      request.size(), parse_request, response.size(), parse_response, write);
  return used == 0;
}
